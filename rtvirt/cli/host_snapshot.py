# SPDX-License-Identifier: Apache-2.0
"""``rtvirt host snapshot``: take a host's files along."""

from __future__ import annotations

import argparse
from pathlib import Path

from rtvirt.cli.base import Command
from rtvirt.cli.column import count
from rtvirt.cli.report import printable
from rtvirt.exception import ConfigError
from rtvirt.host.facts import open_tree
from rtvirt.host.snapshot import Snapshot
from rtvirt.host.snapshot import take_snapshot
from rtvirt.host.snapshot import write_snapshot


class TakeSnapshot(Command):
    """Pack the files of a host that checks and plans read.

    Of configuration files, logs and domain XML only the lines that are read
    are taken: no password, token or address goes in. Standard error tells
    which files were taken. Take it as root: what an ordinary user cannot
    read is missing in the snapshot, too.
    """

    example = """\
Example: check a host from elsewhere::

    rtvirt host snapshot -o compute7.tar.gz
    rtvirt host check --host compute7.tar.gz
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add where from and where to."""
        parser.add_argument(
            '-o',
            '--output',
            metavar='FILE',
            required=True,
            help='the snapshot, a .tar.gz',
        )
        parser.add_argument(
            '--host',
            metavar='SRC',
            default='/',
            help='a sosreport, packed or not, or another root of a host\'s '
            'files; default: this machine',
        )

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Read the host and write the archive."""
        if not parsed_args.output.endswith(('.tar.gz', '.tgz')):
            raise ConfigError(
                f'the snapshot is called {parsed_args.output!r}: its name '
                'has to end in .tar.gz',
                hint='rename it, so that people know it for a snapshot',
            )
        snapshot = take_snapshot(open_tree(parsed_args.host))
        write_snapshot(snapshot, parsed_args.output)
        self._tell(snapshot, Path(parsed_args.output))

    def _tell(self, snapshot: Snapshot, path: Path) -> None:
        lines = [
            f'{pattern} ({number} files)' if number > 1 else pattern
            for pattern, number in snapshot.patterns()
        ]
        if snapshot.reduced:
            lines.append('Of these only the lines that are read:')
            lines += [f'  {name}' for name in snapshot.reduced]
        if snapshot.manifest.missing:
            lines.append('There, and not to be read:')
            lines += [
                f'  {missing.path}: {missing}'
                for missing in snapshot.manifest.missing
            ]
        if snapshot.left_out:
            lines.append('Read, and left out:')
            lines += [f'  {name}' for name in snapshot.left_out]
        files = count(len(snapshot.files), 'file')
        kib = -(-path.stat().st_size // 1024)
        lines.append(f'{path}: {files}, {kib} KiB')
        for line in lines:
            self.app.stderr.write(f'{printable(line)}\n')

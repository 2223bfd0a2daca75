# SPDX-License-Identifier: Apache-2.0
"""``rtvirt host tune``: the files that make a host fit for real time."""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Iterable
from typing import Any
from typing import Final

from rtvirt import plugins
from rtvirt.checks.group_scheduling import has_group_scheduling
from rtvirt.checks.preemption import is_realtime_kernel
from rtvirt.checks.run import run_checks
from rtvirt.checks.run import table
from rtvirt.checks.tune import Wishes
from rtvirt.checks.tune import tuning_files
from rtvirt.checks.words import say_finding
from rtvirt.cli.base import Show
from rtvirt.cli.fail_on import findings_code
from rtvirt.cli.placement import typed
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.cli.report import printable
from rtvirt.exception import ConfigError
from rtvirt.exception import ModelError
from rtvirt.extraspecs.page_size import read_page_size
from rtvirt.host.facts import open_tree
from rtvirt.host.facts import read_tree
from rtvirt.host.rehearsal import rehearse
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.host import Intent
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Finding
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.plain import dump

_SCHEMA_VERSION: Final = 1
_COLUMNS: Final = {'path': 'File', 'code': 'Check', 'line': 'Line'}
_PAGES: Final = re.compile(r'([^=]+)=([0-9]{1,9})')

# What the files settle between them; the rest of a host is not their word.
_AGREEMENT: Final = (
    *('RT-B02', 'RT-B04', 'RT-B09', 'RT-B10', 'RT-B14', 'RT-B15'),
    *('RT-C01', 'RT-C02', 'RT-C03', 'RT-C04', 'RT-C05', 'RT-C06', 'RT-C07'),
    *('RT-C10', 'RT-C16', 'RT-D01', 'RT-D09', 'RT-F05', 'RT-G01', 'RT-G02'),
    *('RT-G03', 'RT-H05', 'RT-X01', 'RT-X03', 'RT-X05'),
)


class TuneHost(Show):
    """Print the files that make a host fit for real-time guests.

    All of them follow from the same wishes: the pCPUs for guests and the
    huge pages. Each setting has a comment that says why, by the check that
    asks for it. The files are read back as the host would have them, and
    checked to agree with each other and with the host's topology; what does
    not is printed on standard error, and the exit code is 3. Nothing is
    installed or changed.
    """

    example = """\
Example: six pCPUs of eight for guests, with eight pages of 1 GiB::

    rtvirt host tune --dedicated 2-7 --hugepages 1G=8
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the wishes and the host."""
        parser.add_argument(
            '--dedicated',
            metavar='CPUS',
            required=True,
            type=typed(CPUSet.parse),
            help='pCPUs for real-time guests, as in 2-7',
        )
        parser.add_argument(
            '--hugepages',
            metavar='SIZE=COUNT',
            action='append',
            default=[],
            type=typed(parse_pages),
            help='huge pages of the whole host, as in 1G=8; can be repeated',
        )
        parser.add_argument(
            '--host',
            metavar='SRC',
            default='/',
            help='a snapshot or a sosreport, packed or not, or another root '
            'of a host\'s files; default: this machine',
        )

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Make the files and check that they agree."""
        tree = open_tree(parsed_args.host)
        facts = read_tree(tree)
        wishes = _wishes(facts, parsed_args)
        checks = plugins.host_checks()
        rows = table(checks)
        files = tuning_files(wishes)
        then = dataclasses.replace(
            rehearse(tree, files, rows),
            intent=Intent(dedicated=wishes.dedicated),
        )
        findings = tuple(
            finding
            for finding in run_checks(then, checks, only=_AGREEMENT)
            if not finding.is_undecided
        )
        self._texts = [(file.path, file.text(rows)) for file in files]
        self._tell(findings)
        return Report(
            document={
                'schema_version': _SCHEMA_VERSION,
                'files': [
                    {'path': path, 'text': text} for path, text in self._texts
                ],
                'findings': [dump(finding) for finding in findings],
            },
            tables=(
                Table(
                    columns=_COLUMNS,
                    rows=[
                        [file.path, setting.code, setting.line]
                        for file in files
                        for setting in file.settings
                        if not setting.is_comment
                    ],
                ),
            ),
            code=findings_code(findings),
        )

    def emit(self, report: Report, parsed_args: argparse.Namespace) -> None:
        """Print the files one after the other, for a person."""
        if parsed_args.formatter != 'table' or parsed_args.columns:
            super().emit(report, parsed_args)
            return
        for path, text in self._texts:
            self.app.stdout.write(f'#### {path}\n{text}\n')

    def _tell(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.app.stderr.write(f'{printable(say_finding(finding))}\n')


def parse_pages(text: str) -> tuple[int, int]:
    """Read ``1G=8``: size in KiB, and count.

    :raises ModelError: if it is none.
    """
    match = _PAGES.fullmatch(text.strip())
    size: Any = None
    if match:
        try:
            size = read_page_size(match[1])
        except ValueError:
            size = None
    # Every architecture's are powers of two.
    if (
        match is None
        or not isinstance(size, int)
        or size < 1024
        or size & (size - 1)
    ):
        raise ModelError(
            f'{text!r:.60} is no number of huge pages: expected SIZE=COUNT, '
            'as in 1G=8 or 2M=512'
        )
    return size, int(match[2])


def _wishes(facts: HostFacts, parsed_args: argparse.Namespace) -> Wishes:
    """Return what the host is to be.

    :raises ConfigError: if its pCPUs are not known, or do not suffice.
    """
    online = facts.cpu.online
    if isinstance(online, Missing):
        raise ConfigError(
            f'the pCPUs of the host are not known: {online.path} is {online}',
            hint='name by --host a snapshot that "rtvirt host snapshot" wrote',
        )
    dedicated: CPUSet = parsed_args.dedicated
    if not dedicated or not dedicated <= online:
        raise ConfigError(
            f'--dedicated {str(dedicated)!r}: expected pCPUs of the host, '
            f'which has {online}',
            hint='choose some of them, and keep pCPU 0 for the host',
        )
    if dedicated == online:
        raise ConfigError(
            '--dedicated leaves no pCPU for the host itself',
            hint='keep pCPU 0 and one pCPU of each node',
        )
    return Wishes(
        dedicated=dedicated,
        online=online,
        pages=FrozenDict(dict(parsed_args.hugepages)),
        is_x86=facts.cpu.is_x86,
        is_realtime=is_realtime_kernel(facts) is True,
        avoid_cpu_group=has_group_scheduling(facts) is True,
    )

# SPDX-License-Identifier: Apache-2.0
"""Run the command line as others do: in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from typing import Final

from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd

TIMEOUT_S: Final = 120

_FLAVOR: Final = """\
name: {name}
vcpus: {vcpus}
ram: {memory_mib}
properties:
  hw:mem_page_size: 2MB
  {rest}
"""


class Commands:
    """The command line against a private libvirtd.

    :param directory: for the lock and the flavors.
    """

    def __init__(self, daemon: PrivateLibvirtd, directory: Path) -> None:
        self.daemon = daemon
        self.directory = directory
        self.conf = directory / 'rtvirt.conf'
        self.conf.write_text(
            f'[rtvirt]\nconnection_uri = {daemon.uri}\n'
            f'lock_path = {directory / "lock"}\n'
        )
        self.steps = directory / 'steps'

    def flavor(
        self, name: str, vcpus: int, memory_mib: int, rest: str
    ) -> Path:
        """Write a flavor on huge pages."""
        path = self.directory / f'{name}.yaml'
        path.write_text(
            _FLAVOR.format(
                name=name, vcpus=vcpus, memory_mib=memory_mib, rest=rest
            )
        )
        return path

    def create(self, name: str, flavor: Path, *more: str) -> list[str]:
        """Return the arguments that create a domain."""
        return [
            *('domain', 'create', name, '--flavor', str(flavor)),
            *('--type', 'qemu', '--config-file', str(self.conf), *more),
        ]

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start a command."""
        return self._start(['-m', 'rtvirt', *argv])

    def step(
        self, number: int, signal: str, *argv: str
    ) -> subprocess.Popen[str]:
        """Start a command that stops before its n-th call of libvirt."""
        return self._start(
            [
                *('-m', 'rtvirt.tests.stepping', str(self.steps)),
                *(str(number), signal, '--', *argv),
            ]
        )

    def run(self, *argv: str, code: int = 0) -> str:
        """Run a command that ends with this code; return what it prints."""
        process = self.start(*argv)
        out, err = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == code, (argv, out[-999:], err)
        return out

    def fail(self, *argv: str, code: int = 1) -> str:
        """Run a command that ends with this code; return its complaint."""
        process = self.start(*argv)
        out, err = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == code, (argv, out[-999:], err)
        assert 'Traceback' not in err
        return err

    def domains(self) -> dict[str, dict[str, Any]]:
        """Return the domains by name."""
        out = self.run(
            'domain', 'list', '--connect', self.daemon.uri, '-f', 'json'
        )
        return {one['name']: one for one in json.loads(out)['domains']}

    def remove(self, name: str) -> None:
        """End a domain and forget it."""
        self.run(
            *('domain', 'destroy', '--undefine', name),
            *('--connect', self.daemon.uri),
        )

    def remove_all(self) -> None:
        """End all domains and forget them."""
        for name in self.domains():
            self.remove(name)

    def _start(self, argv: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *argv],
            env={**os.environ, 'COLUMNS': '200'},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def together(
    count: int, start: Callable[[int], subprocess.Popen[str]]
) -> list[tuple[int, str, str]]:
    """Start commands at once; return how each ended, and what it said."""
    processes = [start(number) for number in range(count)]
    ended = []
    for process in processes:
        out, err = process.communicate(timeout=TIMEOUT_S)
        assert 'Traceback' not in err
        ended.append((process.returncode, out, err))
    return ended

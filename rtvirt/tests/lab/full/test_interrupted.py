# SPDX-License-Identifier: Apache-2.0
"""Whatever ends the lab, nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from rtvirt.demo.embed import find_processes
from tools.lab.machine import PREFIX
from tools.lab.recipe import TOP

_WAIT_S: Final = 300
_INTERRUPTED: Final = 130


class Started:
    """A command of the lab, in a session and a directory of its own.

    :ivar top: where its hosts have their directories.
    """

    def __init__(self, top: Path, *command: str) -> None:
        self.top = top
        self.log = top / 'log'
        with self.log.open('wb') as output:
            self._process = subprocess.Popen(
                [sys.executable, '-m', *command],
                cwd=TOP,
                env={**os.environ, 'TMPDIR': str(top)},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait_for(self, text: str, name: str) -> None:
        """Return when a file of its host, or its log, has a text."""
        deadline = time.monotonic() + _WAIT_S
        while not any(
            text in path.read_text(errors='replace')
            for path in self.top.rglob(name)
        ):
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.2)

    def interrupt(self) -> None:
        """Do what Ctrl-C does: all processes of the terminal get it."""
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self) -> int:
        """Return its exit code."""
        return self._process.wait(_WAIT_S)

    def emulators(self) -> list[int]:
        """Return the processes that have its directory on their line."""
        return [*find_processes(f'{self.top}/{PREFIX}')]

    def left(self) -> tuple[list[Path], list[int]]:
        """Return the directories and processes that are still there."""
        return [*self.top.glob(f'{PREFIX}*')], self.emulators()


@pytest.mark.parametrize(
    ('command', 'text', 'name'),
    [
        (('tools.lab', 'up', 'untuned'), 'lab: ', 'console.log'),
        (('tools.lab.talk',), 'host check --dedicated', 'log'),
    ],
    ids=['while-it-boots', 'in-the-talk'],
)
def test_ctrl_c_leaves_nothing(
    tools: None,
    tmp_path: Path,
    command: tuple[str, ...],
    text: str,
    name: str,
) -> None:
    started = Started(tmp_path, *command)
    started.wait_for(text, name)
    assert len(started.emulators()) == 1

    started.interrupt()

    assert started.end() == _INTERRUPTED, started.log.read_text()
    assert started.left() == ([], [])


def test_a_host_that_dies_while_it_boots_leaves_nothing(
    tools: None, tmp_path: Path
) -> None:
    started = Started(tmp_path, 'tools.lab', 'up', 'untuned')
    started.wait_for('', 'console.log')
    [emulator] = started.emulators()

    os.kill(emulator, signal.SIGKILL)

    assert started.end() == 1
    assert 'lab: QEMU ended' in started.log.read_text()
    assert started.left() == ([], [])

# SPDX-License-Identifier: Apache-2.0
"""Programs on a machine that one has a shell on, however it is reached.

What is run there is POSIX sh, of which every word from here is quoted. A
program's output stays there in a directory until it has ended, so that the
way to the machine carries nothing while it measures but a question a second.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from typing import Final
from typing import Protocol

from rtvirt.exception import MeasureError
from rtvirt.latency.evidence import Where
from rtvirt.measure.machine import Output
from rtvirt.measure.process import GRACE_S
from rtvirt.measure.process import STARVED
from rtvirt.measure.process import no_such_program
from rtvirt.measure.status import BEFORE_THREADS
from rtvirt.measure.status import HAS_HANDLER

_NOT_FOUND: Final = 127
_POLL_S: Final = 0.2

# SIGINT is ignored in what a shell runs beside itself; tools set a handler.
_START: Final = """\
command -v {program} >/dev/null || exit 127
umask 077
d=$(mktemp -d "${{TMPDIR:-/tmp}}/rtvirt-XXXXXX") || exit 1
cd "$d" || exit 1
{{
    LC_ALL=C {command} >out 2>err </dev/null &
    echo $! >pid
    wait $!
    echo $? >code
}} >/dev/null 2>&1 </dev/null &
while ! [ -s pid ]; do sleep 0.05; done
printf '%s %s\\n' "$(cat pid)" "$d"
"""


class Shell(Protocol):
    """A way to have a script run by sh."""

    @property
    def where(self) -> Where:
        """Which way it is."""

    @property
    def name(self) -> str:
        """What the machine is called."""

    def script(self, text: str, timeout_s: float) -> Output:
        """Run a script to its end.

        :raises MeasureError: if the machine does not answer in time.
        """


class ShellMachine:
    """A machine behind a shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    @property
    def where(self) -> Where:
        """How it is reached."""
        return self._shell.where

    @property
    def name(self) -> str:
        """What it is called."""
        return self._shell.name

    def run(self, arguments: Sequence[str], timeout_s: float = 30) -> Output:
        """Run a program to its end."""
        return self._shell.script(
            f'LC_ALL=C exec {shlex.join(arguments)} </dev/null', timeout_s
        )

    def start(self, arguments: Sequence[str]) -> ShellJob:
        """Start a program."""
        program = arguments[0]
        done = self._shell.script(
            _START.format(
                program=shlex.quote(program), command=shlex.join(arguments)
            ),
            GRACE_S,
        )
        if done.code == _NOT_FOUND:
            raise no_such_program(program, self.name)
        pid, _, directory = done.stdout.strip().partition(' ')
        if done.code or not pid.isdecimal() or not directory:
            raise MeasureError(
                f'cannot start {program} on {self.name}: '
                f'{(done.stderr or done.stdout).strip() or done.code!r:.200}',
                hint='see that there are mktemp, and room in /tmp, there',
            )
        return ShellJob(self._shell, program, int(pid), directory)


class ShellJob:
    """A program behind a shell."""

    def __init__(
        self, shell: Shell, program: str, pid: int, directory: str
    ) -> None:
        self._shell = shell
        self._program = program
        self._pid = pid
        self._directory = shlex.quote(directory)

    def process_id(self) -> int | None:
        """Return None: it is no process of this host."""
        return None

    def ended(self) -> bool:
        """Whether it has ended."""
        return self._script(f'test -s {self._directory}/code').code == 0

    def ask(self, threads: int) -> str:
        """Have cyclictest tell how far it is."""
        status = f'/proc/{self._pid}/status'
        count = f"sed -n 's/{BEFORE_THREADS}//p' {status}"
        return self._script(
            f"grep -q '{HAS_HANDLER}' {status} 2>/dev/null"
            f' && [ "$({count})" -gt {threads} ] 2>/dev/null'
            f' && kill -USR1 {self._pid}; tail -n 64 {self._directory}/err'
        ).stdout

    def interrupt(self) -> None:
        """Have it stop and say what it has."""
        self._script(f'kill -INT {self._pid}')

    def end(self) -> None:
        """Have it end; nothing of it is left."""
        self._script(f'kill {self._pid} 2>/dev/null; rm -rf {self._directory}')

    def output(self) -> Output:
        """Wait until it has ended; return what it left."""
        deadline = time.monotonic() + GRACE_S
        while not self.ended():
            if time.monotonic() > deadline:
                self.end()
                raise MeasureError(
                    f'{self._program} on {self._shell.name} does not end',
                    hint=STARVED,
                )
            time.sleep(_POLL_S)
        code, out, err = (
            self._script(f'cat {self._directory}/{name}', 120).stdout
            for name in ('code', 'out', 'err')
        )
        self._script(f'rm -rf {self._directory}')
        return Output(
            code=int(code) if code.strip().isdecimal() else -1,
            stdout=out,
            stderr=err,
        )

    def _script(self, text: str, timeout_s: float = GRACE_S) -> Output:
        return self._shell.script(text, timeout_s)

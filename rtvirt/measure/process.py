# SPDX-License-Identifier: Apache-2.0
"""Programs on this machine, by their words: no shell is between."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from typing import Final

from rtvirt.exception import MeasureError
from rtvirt.latency.evidence import Where
from rtvirt.measure.machine import Output
from rtvirt.measure.status import BEFORE_THREADS
from rtvirt.measure.status import HAS_HANDLER

GRACE_S: Final = 20
STARVED: Final = (
    'look with "top" what keeps it off its CPUs there: a load or a thread of '
    'a higher priority'
)
"""The way out where a program does not end or answer."""
"""How long a program may take to end when it is told to."""

_HANDLES: Final = re.compile(HAS_HANDLER, re.MULTILINE)
_THREADS: Final = re.compile(f'{BEFORE_THREADS}([0-9]+)', re.MULTILINE)
_PACKAGES: Final = {
    'cyclictest': 'rt-tests',
    'oslat': 'rt-tests',
    'rtla': 'rtla, or what has the kernel\'s tools',
    'ssh': 'openssh-client',
    'stress-ng': 'stress-ng',
}


class LocalMachine:
    """This machine."""

    where = Where.LOCAL

    @property
    def name(self) -> str:
        """Its host name."""
        return os.uname().nodename

    def run(self, arguments: Sequence[str], timeout_s: float = 30) -> Output:
        """Run a program to its end."""
        return run(arguments, timeout_s)

    def start(self, arguments: Sequence[str]) -> LocalJob:
        """Start a program."""
        return LocalJob(arguments)


class LocalJob:
    """A program of this machine.

    Its output goes into files without a name, so that it never waits for
    somebody to read. It is in a session of its own: Ctrl-C reaches it when
    we say so, and not before.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = tuple(arguments)
        with contextlib.ExitStack() as stack, translated(arguments[0]):
            self._stdout: IO[bytes] = stack.enter_context(
                tempfile.TemporaryFile()
            )
            self._stderr: IO[bytes] = stack.enter_context(
                tempfile.TemporaryFile()
            )
            self._process = subprocess.Popen(  # noqa: S603 - words, no shell
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=self._stdout,
                stderr=self._stderr,
                env=_environment(),
                start_new_session=True,
            )
            self._files = stack.pop_all()

    def process_id(self) -> int | None:
        """Return its process."""
        return self._process.pid

    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def ask(self, threads: int) -> str:
        """Have cyclictest tell how far it is."""
        path = Path(f'/proc/{self._process.pid}/status')
        with contextlib.suppress(OSError):
            status = path.read_text(encoding='utf-8')
            count = _THREADS.search(status)
            if _HANDLES.search(status) and count and int(count[1]) > threads:
                self._process.send_signal(signal.SIGUSR1)
        return _content(self._stderr)

    def interrupt(self) -> None:
        """Have it stop and say what it has."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> None:
        """Have it end, and all that it started."""
        self._files.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_S)
                return

    def output(self) -> Output:
        """Wait until it has ended; return what it left."""
        try:
            code = self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.end()
            raise MeasureError(
                f'{self._arguments[0]} does not end', hint=STARVED
            ) from None
        with self._files:
            return Output(
                code=code,
                stdout=_content(self._stdout),
                stderr=_content(self._stderr),
            )


def run(
    arguments: Sequence[str], timeout_s: float, *, given: str = ''
) -> Output:
    """Run a program of this machine to its end.

    :param given: its standard input.
    """
    with translated(arguments[0]):
        try:
            done = subprocess.run(  # noqa: S603 - words, no shell
                [*arguments],
                input=given.encode(),
                capture_output=True,
                env=_environment(),
                start_new_session=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise MeasureError(
                f'{arguments[0]} has not ended after {timeout_s:.0f} s',
                hint=STARVED,
            ) from None
    return Output(
        code=done.returncode,
        stdout=done.stdout.decode(errors='replace'),
        stderr=done.stderr.decode(errors='replace'),
    )


@contextlib.contextmanager
def translated(program: str) -> Iterator[None]:
    """Make a MeasureError of what keeps a program from being started."""
    try:
        yield
    except FileNotFoundError:
        raise no_such_program(program) from None
    except OSError as error:
        raise MeasureError(
            f'cannot start {program}: {error.strerror}',
            hint='start it by hand first, as the same user',
        ) from error


def no_such_program(program: str, machine: str = '') -> MeasureError:
    """Return that a program is not installed, and where it comes from."""
    where = f' on {machine}' if machine else ''
    package = _PACKAGES.get(program)
    return MeasureError(
        f'there is no program {program!r:.60}{where}',
        hint=f'install the package {package}'
        if package
        else 'install it there, or give its path',
    )


def _environment() -> Mapping[str, str]:
    # What is parsed is in the C locale.
    return {**os.environ, 'LC_ALL': 'C'}


def _content(stream: IO[bytes]) -> str:
    """Return all of a file that somebody writes to its end."""
    # pread leaves alone the offset that the program shares.
    size = os.fstat(stream.fileno()).st_size
    return os.pread(stream.fileno(), size, 0).decode(errors='replace')

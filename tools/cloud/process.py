# SPDX-License-Identifier: Apache-2.0
"""Programs that run for a while, and none longer than this process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO
from typing import Final
from typing import Self

from tools.cloud.error import CloudError

# <linux/prctl.h>
_PR_SET_CHILD_SUBREAPER: Final = 36

_GRACE_S: Final = 4
_PAUSE_S: Final = 0.1
_LINES: Final = 15


class Processes:
    """Starts programs; in the end all are gone, and those they started.

    Daemons that leave their parent become children of this process
    (``PR_SET_CHILD_SUBREAPER``): none gets lost, and those that end are
    buried by whatever waits here, for libvirt waits for QEMU to be gone.

    :param log: a directory for what they print, each in a file of its name.
    :param environment: what all of them find in theirs.
    """

    def __init__(self, log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        self._environment = environment
        self._services: dict[str, subprocess.Popen[bytes]] = {}
        self._own: set[int] = set()

    def __enter__(self) -> Self:
        self._own = set(_children())
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
            raise CloudError(f'prctl: {os.strerror(ctypes.get_errno())}')
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        end_descendants()

    def start(
        self, name: str, argv: Sequence[str], **environment: str
    ) -> None:
        """Start a service.

        :param environment: put over what all have.
        """
        self._services[name] = self._spawn(name, argv, environment)

    def wait(
        self, name: str, is_ready: Callable[[], bool], timeout_s: float = 120
    ) -> None:
        """Wait until a service is ready.

        :raises CloudError: if it ends, or takes too long.
        """
        deadline = time.monotonic() + timeout_s
        while not is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise self._failure(
                    name, f'{name} is not ready after {timeout_s} s'
                )
            self.pause()

    def check(self) -> None:
        """See whether all services still run.

        :raises CloudError: if one has ended.
        """
        for name, service in self._services.items():
            if (code := service.poll()) is not None:
                raise self._failure(name, f'{name} ended with {code}')

    def run(
        self,
        *chains: Sequence[tuple[str, Sequence[str]]],
        **environment: str,
    ) -> None:
        """Run chains of programs beside each other, and wait for all.

        :param chains: each of names and command lines, one after another.
        :raises CloudError: if one fails.
        """
        left = [self._advance(chain, environment) for chain in chains]
        while left:
            left = [chain for chain in left if next(chain, False)]
            self.pause()

    def pause(self) -> None:
        """Wait a moment, and bury the daemons that have ended."""
        time.sleep(_PAUSE_S)
        for pid, state in _children().items():
            if state == 'Z' and pid not in self._own:
                os.waitpid(pid, 0)

    def open(
        self,
        argv: Sequence[str],
        output: IO[bytes] | int,
        *,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program that a Ctrl-C at the terminal does not reach.

        :param environment: put over what all have.
        """
        process = subprocess.Popen(
            argv,
            cwd=directory,
            env={**self._environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._own.add(process.pid)
        return process

    def _advance(
        self,
        chain: Sequence[tuple[str, Sequence[str]]],
        environment: Mapping[str, str],
    ) -> Iterator[bool]:
        for name, argv in chain:
            process = self._spawn(name, argv, environment)
            while (code := process.poll()) is None:
                yield True
            if code:
                raise self._failure(
                    name, f'{" ".join(argv)!r} ended with {code}'
                )

    def _spawn(
        self, name: str, argv: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with self._output(name).open('ab') as output:
            return self.open(argv, output, environment=environment)

    def _output(self, name: str) -> Path:
        return self._log / f'{name}.out'

    def _failure(self, name: str, what: str) -> CloudError:
        said = self._output(name).read_text(errors='replace').splitlines()
        return CloudError(
            '\n'.join([what, *said[-_LINES:]]), hint=f'see {self._log}'
        )


def end_descendants() -> None:
    """End every process below this one: ask first, then make them."""
    told: set[int] = set()
    deadline = time.monotonic() + _GRACE_S
    while pids := descendants(os.getpid()):
        is_late = time.monotonic() > deadline
        number = signal.SIGKILL if is_late else signal.SIGTERM
        for pid in pids if is_late else pids - told:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        told |= pids
        time.sleep(_PAUSE_S)
        _reap()


def descendants(ancestor: int) -> set[int]:
    """Return all processes below one that have not ended."""
    children: dict[int, list[int]] = {}
    ended = set()
    for pid, state, parent in _processes():
        children.setdefault(parent, []).append(pid)
        if state == 'Z':
            ended.add(pid)
    found: set[int] = set()
    left = [ancestor]
    while left:
        below = children.get(left.pop(), [])
        found.update(below)
        left += below
    return found - ended


def _processes() -> Iterator[tuple[int, str, int]]:
    """Yield pid, state and parent of each process."""
    for directory in Path('/proc').iterdir():
        if directory.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (directory / 'stat').read_text(errors='replace')
                # A name in parentheses may have anything in it.
                state, parent = stat.rpartition(')')[2].split()[:2]
                yield int(directory.name), state, int(parent)


def _children() -> dict[int, str]:
    """Return the state of each child of this process."""
    here = os.getpid()
    return {
        pid: state for pid, state, parent in _processes() if parent == here
    }


def _reap() -> None:
    """Bury those that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass

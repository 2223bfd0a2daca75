# SPDX-License-Identifier: Apache-2.0
"""Where a tool runs: what all ways to reach a machine have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rtvirt.latency.evidence import Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a program left when it ended.

    :ivar code: its exit code; of one ended by signal N, -N or 128 + N.
    """

    code: int
    stdout: str
    stderr: str = ''


class Job(Protocol):
    """A program that runs."""

    def ended(self) -> bool:
        """Whether it has ended."""

    def ask(self, threads: int) -> str:
        """Have cyclictest tell how far it is (SIGUSR1).

        :param threads: how many measure; it is asked once all of them run.
        :return: what it has told so far; the answer to this question may
            come only with the next one.
        """

    def interrupt(self) -> None:
        """Have it stop and say what it has (SIGINT)."""

    def end(self) -> None:
        """Have it end (SIGTERM), whatever it has."""

    def output(self) -> Output:
        """Wait until it has ended; return what it left."""

    def process_id(self) -> int | None:
        """Return its process on this host, None where it is elsewhere."""


class Machine(Protocol):
    """A machine that programs can be run on.

    Whatever goes wrong on the way is a
    :class:`~rtvirt.exception.MeasureError`.
    """

    @property
    def where(self) -> Where:
        """How it is reached."""

    @property
    def name(self) -> str:
        """What it is called."""

    def run(self, arguments: Sequence[str], timeout_s: float = 30) -> Output:
        """Run a program to its end."""

    def start(self, arguments: Sequence[str]) -> Job:
        """Start a program."""

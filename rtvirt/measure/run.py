# SPDX-License-Identifier: Apache-2.0
"""Measure, and watch the host meanwhile."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Final

from rtvirt.exception import LatencyFormatError
from rtvirt.exception import MeasureError
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import Tool
from rtvirt.latency.sample import HostSample
from rtvirt.latency_reader import parse_latency
from rtvirt.measure.machine import Job
from rtvirt.measure.machine import Machine
from rtvirt.measure.machine import Output
from rtvirt.measure.order import Order
from rtvirt.measure.process import STARVED
from rtvirt.measure.sampler import Sampler
from rtvirt.measure.status import read_maxima

_PERIOD_S: Final = 1.0
_LATE_S: Final = 30
"""How long after its time a tool may take: oslat heats up first."""

OnProgress = Callable[[float, int | None], None]
"""Gets the seconds so far and the largest latency so far, if known."""


@dataclass(slots=True, kw_only=True)
class Measured:
    """What came of a measurement.

    :ivar is_complete: whether nobody stopped it before its time.
    """

    result: LatencyResult
    samples: tuple[HostSample, ...]
    measured_s: float
    is_complete: bool


@dataclass(slots=True)
class _Watch:
    """A tool that runs, and what is seen of it."""

    job: Job
    order: Order
    sampler: Sampler | None
    on_progress: OnProgress
    began: float = field(default_factory=time.monotonic)
    maxima: dict[int, int] = field(default_factory=dict)
    samples: list[HostSample] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self.began

    def until_ended(self) -> None:
        """Look every second until the tool has ended."""
        limit = self.order.duration_s + _LATE_S
        ticks = 0
        while not self.job.ended():
            if self.seconds > limit:
                self.job.end()
                raise MeasureError(
                    f'{self.order.tool} still runs {_LATE_S} s after its time',
                    hint=STARVED,
                )
            ticks += 1
            pause = self.began + ticks * _PERIOD_S - time.monotonic()
            time.sleep(min(max(pause, 0.05), _PERIOD_S))
            self.look()

    def look(self) -> None:
        """Look at the tool and at the host."""
        if self.order.tool is Tool.CYCLICTEST:
            with contextlib.suppress(ProcessLookupError):
                told = self.job.ask(len(self.order.cpus))
                self.maxima |= _rising(read_maxima(told), self.maxima)
        if self.sampler is not None:
            self.samples.append(
                self.sampler.look(self.seconds, dict(self.maxima))
            )
        self.on_progress(self.seconds, max(self.maxima.values(), default=None))


def measure(
    machine: Machine,
    order: Order,
    *,
    sampler: Sampler | None = None,
    on_start: Callable[[Job], None] = lambda _: None,
    on_progress: OnProgress = lambda *_: None,
) -> Measured:
    """Run a tool and return what it measured.

    An interrupt (Ctrl-C) stops the tool, and what it has is returned.

    :param sampler: looks at the host; None where it is not this one.
    :param on_start: gets the tool that runs, to find its threads.
    :raises MeasureError: if it cannot be run, or has measured nothing.
    :raises LatencyFormatError: if what it says cannot be read.
    """
    is_complete = True
    with _load(machine, order):
        watch = _Watch(
            machine.start(order.arguments), order, sampler, on_progress
        )
        with _ended_on_failure(watch.job):
            try:
                on_start(watch.job)
                watch.until_ended()
            except KeyboardInterrupt:
                is_complete = False
                watch.job.interrupt()
                watch.look()
            seconds = watch.seconds
            output = watch.job.output()
    result = _read(order, output)
    return Measured(
        result=result,
        samples=tuple(watch.samples),
        measured_s=round(seconds, 3),
        is_complete=is_complete,
    )


@contextlib.contextmanager
def _load(machine: Machine, order: Order) -> Iterator[None]:
    """Run the load as long as the measurement takes."""
    if not order.load:
        yield
        return
    job = machine.start(order.load)
    try:
        time.sleep(_PERIOD_S / 2)
        if job.ended():
            output = job.output()
            raise MeasureError(
                f'the load {order.load[0]} ended at once: '
                f'{(output.stderr or output.stdout).strip()[:200]!r}',
                hint='run it by hand there first',
            )
        yield
    finally:
        job.end()


@contextlib.contextmanager
def _ended_on_failure(job: Job) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # Another Ctrl-C, too: nothing is left running.
        job.end()
        raise


def _read(order: Order, output: Output) -> LatencyResult:
    """Return what the tool measured.

    :raises MeasureError: with the tool's own words, if it failed.
    """
    command = ' '.join(order.arguments)
    try:
        if output.stdout.strip() or not output.code:
            return parse_latency(output.stdout, command=command)
    except LatencyFormatError:
        # It has failed, and told how it is used.
        if not output.code:
            raise
    said = output.stderr.strip().splitlines() or ['nothing']
    raise MeasureError(
        f'{order.tool} ended with {output.code} and said: {said[-1]:.200}',
        hint='look whether the CPUs are there, and run it as root: real-time '
        'priorities and locked memory need that',
    )


def _rising(
    found: Mapping[int, int], known: Mapping[int, int]
) -> dict[int, int]:
    return {
        thread: max(value, known.get(thread, 0))
        for thread, value in found.items()
    }

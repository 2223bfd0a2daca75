# SPDX-License-Identifier: Apache-2.0
"""What one run of a latency tool measured, whichever tool it was."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Any
from typing import Final
from typing import Self

from rtvirt.latency.histogram import Histogram
from rtvirt.model.check import require
from rtvirt.model.check import require_int
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.plain import dump
from rtvirt.model.plain import load

SCHEMA_VERSION: Final = 1


class Unit(enum.StrEnum):
    """What a tool counts in."""

    US = 'us'
    NS = 'ns'

    @property
    def per_us(self) -> int:
        """How many of it are a microsecond."""
        return 1000 if self is Unit.NS else 1


class Tool(enum.StrEnum):
    """The tools whose results rtvirt reads."""

    CYCLICTEST = 'cyclictest'
    """How late a periodic timer wakes a thread."""
    OSLAT = 'oslat'
    """How long a thread that spins is kept from the CPU."""
    TIMERLAT = 'timerlat'
    """``rtla timerlat hist``: how late a timer's interrupt is, its thread,
    and the return to user space."""
    OSNOISE = 'osnoise'
    """``rtla osnoise hist``: each interruption of a thread that spins."""
    HWLATDETECT = 'hwlatdetect'
    """How long the hardware stops a CPU that takes no interrupts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadLatency:
    """What one measuring thread saw. All latencies are in the result's unit.

    :ivar number: as the tool counts its threads, or the CPU's.
    :ivar cpu: where it ran; None where the tool does not tell. In a guest
        that is a vCPU.
    :ivar context: of ``timerlat``, what was timed: ``irq``, ``thread`` or
        ``user``; empty elsewhere.
    :ivar histogram: every sample.
    :ivar minimum: the least; None where there were no samples.
    :ivar average: their mean, as the tool tells it.
    :ivar maximum: the largest, which is known even if it is in the overflow;
        None where there were no samples, or no tool tells.
    :ivar overflow_cycles: the numbers of cycles that went into the
        overflow, as far as the tool keeps them: they tell when it happened.
    """

    number: int
    cpu: int | None = None
    context: str = ''
    histogram: Histogram
    minimum: int | None = None
    average: float | None = None
    maximum: int | None = None
    overflow_cycles: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        require_int('number', self.number, 0)
        if self.cpu is not None:
            require_int('cpu', self.cpu, 0)
        for name in ('minimum', 'maximum'):
            if getattr(self, name) is not None:
                require_int(name, getattr(self, name), 0)
        if self.average is not None:
            require(
                math.isfinite(self.average) and self.average >= 0,
                f'the average of thread {self.number} is {self.average}',
            )

    @property
    def cycles(self) -> int:
        """How many samples it took: histogram, underflow and overflow."""
        return self.histogram.total

    @property
    def name(self) -> str:
        """What to call it: ``CPU 3``, ``CPU 3 irq``, ``thread 0``."""
        where = (
            f'thread {self.number}' if self.cpu is None else f'CPU {self.cpu}'
        )
        return f'{where} {self.context}'.rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyResult:
    """What one run of one tool measured.

    :ivar tool: one of :class:`~rtvirt.latency.result.Tool`, or the name of
        another's parser.
    :ivar version: of the tool's package; empty where it does not tell.
    :ivar command: its command line; empty where it does not tell.
    :ivar unit: of all latencies, the histograms' values among them.
    :ivar threads: by number and context.
    :ivar interval_us: from one sample to the next, where that is fixed.
    :ivar duration_s: how long it measured, where that is known.
    :ivar started: when, as the tool wrote it; empty where it does not tell.
    :ivar kernel: release of the kernel that it ran on.
    :ivar is_realtime_kernel: whether that kernel is PREEMPT_RT.
    """

    tool: str
    version: str = ''
    command: str = ''
    unit: Unit = Unit.US
    threads: tuple[ThreadLatency, ...]
    interval_us: int | None = None
    duration_s: float | None = None
    started: str = ''
    kernel: str = ''
    is_realtime_kernel: bool | None = None

    def __post_init__(self) -> None:
        require(bool(self.threads), 'a result without a thread says nothing')
        names = [(t.number, t.context) for t in self.threads]
        require(len(set(names)) == len(names), 'a thread is there twice')

    @property
    def cycles(self) -> int:
        """How many samples all threads took."""
        return sum(thread.cycles for thread in self.threads)

    @property
    def maximum(self) -> int | None:
        """The largest latency of all threads, in the unit."""
        return max(
            (t.maximum for t in self.threads if t.maximum is not None),
            default=None,
        )

    @property
    def cpus(self) -> CPUSet:
        """The CPUs that were measured, as far as the tool tells."""
        return CPUSet(t.cpu for t in self.threads if t.cpu is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: numbers, texts, lists and dictionaries."""
        return {'schema_version': SCHEMA_VERSION, **dump(self)}

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read what :meth:`to_dict` wrote.

        :raises ModelError: naming the key that is missing or wrong.
        """
        return load(cls, data, schema_version=SCHEMA_VERSION)

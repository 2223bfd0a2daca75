# SPDX-License-Identifier: Apache-2.0
"""What is to be measured, and the command lines that do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rtvirt.latency.result import Tool
from rtvirt.model.check import require
from rtvirt.model.check import require_int
from rtvirt.model.cpuset import CPUSet

_NONE: Final = CPUSet()
TOOLS: Final = (Tool.CYCLICTEST, Tool.OSLAT, Tool.TIMERLAT)
_OSLAT_BUCKETS: Final = (5, 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One measurement.

    :ivar cpus: of the machine that runs the tool.
    :ivar main: where the tool's own thread goes, and the load; empty where
        that is left to the kernel.
    :ivar histogram_us: latencies from there on are not told apart.
    :ivar priority: of the measuring threads, under SCHED_FIFO.
    :ivar load: a command line to run meanwhile; empty for none.
    """

    tool: Tool = Tool.CYCLICTEST
    cpus: CPUSet
    main: CPUSet = _NONE
    duration_s: int = 60
    interval_us: int = 200
    histogram_us: int = 400
    priority: int = 95
    load: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.cpus), 'there are no CPUs to measure')
        require(
            self.tool in TOOLS,
            f'{self.tool} cannot be run: expected one of {", ".join(TOOLS)}',
        )
        require_int('duration_s', self.duration_s, 1)
        require_int('interval_us', self.interval_us, 10, 1_000_000)
        require_int('histogram_us', self.histogram_us, 5, 1_000_000)
        require_int('priority', self.priority, 1, 99)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The tool's command line, word by word."""
        if self.tool is Tool.OSLAT:
            return self._oslat()
        if self.tool is Tool.TIMERLAT:
            return self._timerlat()
        return self._cyclictest()

    def _cyclictest(self) -> tuple[str, ...]:
        main = f'--mainaffinity={self.main}'
        return (
            *('cyclictest', '-m', '-q', f'-p{self.priority}'),
            *('--policy=fifo', f'-h{self.histogram_us}'),
            *(f'-i{self.interval_us}', f'-D{self.duration_s}'),
            *(f'-a{self.cpus}', f'-t{len(self.cpus)}'),
            *((main,) if self.main else ()),
        )

    def _oslat(self) -> tuple[str, ...]:
        low, high = _OSLAT_BUCKETS
        buckets = min(max(self.histogram_us, low), high)
        main = ('-C', str(next(iter(self.main)))) if self.main else ()
        return (
            *('oslat', '-c', str(self.cpus), '-D', str(self.duration_s)),
            *('-f', str(self.priority), '-b', str(buckets), *main),
        )

    def _timerlat(self) -> tuple[str, ...]:
        return (
            *('rtla', 'timerlat', 'hist', '-c', str(self.cpus)),
            *('-d', f'{self.duration_s}s', '-p', str(self.interval_us)),
            *('-P', f'f:{self.priority}', '-E', str(self.histogram_us)),
        )


def stress(cpus: CPUSet, duration_s: int) -> tuple[str, ...]:
    """Return a load for CPUs: processors, memory, I/O and the scheduler.

    It ends by itself a little after the measurement.
    """
    number = str(len(cpus))
    return (
        *('stress-ng', '--quiet', '--taskset', str(cpus)),
        *('--cpu', number, '--vm', '1', '--vm-bytes', '64M'),
        *('--hdd', '1', '--hdd-bytes', '16M', '--switch', number),
        *('--timeout', f'{duration_s + 10}s'),
    )

# SPDX-License-Identifier: Apache-2.0
"""Timing two sides in turn, so that a drifting machine hits both alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_BATCH_NS = 8_000_000
_PAIRS = 15
_SLOW_NS = 400_000_000


@dataclass(frozen=True, kw_only=True)
class Side:
    """One way to do the work.

    :ivar call: the work; its argument is what ``prepare`` returned.
    :ivar prepare: makes one argument, outside the clock: for a callee that
        changes what it is given.
    """

    call: Callable[[Any], Any]
    prepare: Callable[[], Any] = lambda: None

    def once_ns(self) -> int:
        """Return the CPU time of one call."""
        return self._batch_ns(1)

    def batch_size(self) -> int:
        """Return how many calls make a batch worth timing."""
        self._batch_ns(1)
        return max(1, min(2000, _BATCH_NS // max(1, self._batch_ns(1))))

    def mean_ns(self, size: int) -> float:
        """Return the mean CPU time of a call over one batch."""
        return self._batch_ns(size) / size

    def _batch_ns(self, size: int) -> int:
        arguments = [self.prepare() for _ in range(size)]
        call = self.call
        gc.collect()
        gc.disable()
        try:
            start = time.process_time_ns()
            for argument in arguments:
                call(argument)
            return time.process_time_ns() - start
        finally:
            gc.enable()


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """How many times faster the second side is, over the pairs.

    :ivar slow_us: median time of the first side in microseconds.
    :ivar fast_us: median time of the second side in microseconds.
    """

    median: float
    low: float
    high: float
    slow_us: float
    fast_us: float
    pairs: int


def compare(slow: Side, fast: Side) -> Ratio:
    """Time both sides pair by pair and return the ratios slow / fast.

    A first side that takes over 0.4 s a call is timed once or twice.
    """
    first = slow.once_ns()
    if first > _SLOW_NS:
        times = [float(first)]
        sizes = 1, fast.batch_size()
        pairs = 1 if first > 2 * _SLOW_NS else 2
    else:
        times = []
        sizes = slow.batch_size(), fast.batch_size()
        pairs = _PAIRS
    rows = []
    for index in range(pairs):
        known = times[index] if index < len(times) else None
        slow_ns = slow.mean_ns(sizes[0]) if known is None else known
        rows.append((slow_ns, fast.mean_ns(sizes[1])))
    ratios = [slow_ns / fast_ns for slow_ns, fast_ns in rows]
    return Ratio(
        median=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
        slow_us=statistics.median(row[0] for row in rows) / 1000,
        fast_us=statistics.median(row[1] for row in rows) / 1000,
        pairs=pairs,
    )

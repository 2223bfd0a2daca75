# SPDX-License-Identifier: Apache-2.0
"""The axis of latencies, and what falls between its marks."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rtvirt.latency.histogram import Histogram
from rtvirt.report.latency.summary import ThreadSummary

_SPREAD: Final = 25
"""So many times the bulk, and the tail needs a logarithmic axis."""
_FAR: Final = 4
"""So many times the largest bucket, and a budget is off the axis."""
_MANTISSAS: Final = (1, 2, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Samples that a chart shows as one bar.

    :ivar low: the least latency in it, in the result's unit.
    :ivar high: the largest.
    """

    low: int
    high: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Latencies from ``low`` to ``high``, in the result's unit.

    :ivar edges: where a bin begins, and the last one ends.
    """

    low: int
    high: int
    is_log: bool
    edges: tuple[int, ...]

    def at(self, value: float) -> float:
        """Return where a latency is, 0 at the left end and 1 at the right."""
        if not self.is_log:
            return (value - self.low) / (self.high - self.low)
        bottom = math.log(max(self.low, 0.5))
        top = math.log(self.high)
        return (math.log(max(value, self.low, 0.5)) - bottom) / (top - bottom)

    def ticks(self, most: int) -> tuple[int, ...]:
        """Return round latencies, as many as there is room for."""
        if self.is_log:
            return self._log_ticks(most)
        step = _round_up((self.high - self.low) / max(most, 1))
        first = -(-self.low // step) * step
        return tuple(range(first, self.high + 1, step))

    def _log_ticks(self, most: int) -> tuple[int, ...]:
        powers = [10**power for power in range(19)]
        for mantissas in (_MANTISSAS, (1,)):
            found = [
                mantissa * power
                for power in powers
                for mantissa in mantissas
                if max(self.low, 1) <= mantissa * power <= self.high
            ]
            if len(found) <= most:
                return tuple(found)
        return tuple(found[:: -(-len(found) // most)])

    def split(self, histogram: Histogram) -> list[Bin]:
        """Return the bins that hold samples; not those outside of all."""
        counts = histogram.counts
        places = [
            bisect.bisect_left(histogram.values, edge) for edge in self.edges
        ]
        return [
            Bin(low=low, high=high - 1, count=sum(counts[left:right]))
            for (low, high), (left, right) in zip(
                itertools.pairwise(self.edges),
                itertools.pairwise(places),
                strict=True,
            )
            if right > left
        ]


def choose_axis(
    threads: Iterable[ThreadSummary], marks: Iterable[int], bins: int
) -> Axis:
    """Return one axis for all these threads, so that they compare.

    :param marks: budgets; those far beyond all samples are not on it.
    :param bins: how many bins there may be.
    """
    least, bulk, most, width = math.inf, 1, 1, 1
    for one in threads:
        histogram = one.thread.histogram
        width = max(width, histogram.width)
        if histogram.values:
            least = min(least, histogram.values[0])
            most = max(most, histogram.values[-1] + histogram.width)
            bulk = max(bulk, _bulk(one))
    end = most
    for mark in marks:
        if mark <= _FAR * end:
            most = max(most, mark + mark // 8 + 1)
    low = 0 if not math.isfinite(least) or least < most / 4 else int(least)
    is_log = most - low > _SPREAD * max(bulk - low, 1)
    if is_log:
        low = min(int(least), bulk) if math.isfinite(least) else 0
    return _make(low, most, bins, width, is_log=is_log)


def _bulk(one: ThreadSummary) -> int:
    """Return a latency that hardly any sample passes."""
    for percent in ('99.9', '99', '90'):
        if percent in one.percentiles:
            return one.percentiles[percent].value.low
    return one.thread.histogram.values[-1]


def _make(low: int, high: int, bins: int, width: int, *, is_log: bool) -> Axis:
    high = max(high, low + 1)
    if is_log:
        start = max(low, 1)
        ratio = high / start
        edges = [start * ratio ** (step / bins) for step in range(1, bins + 1)]
        whole = sorted({low, start, *map(round, edges), high + 1})
        return Axis(low=low, high=high, is_log=True, edges=tuple(whole))
    step = -(-(high - low) // (bins * width)) * width
    number = -(-(high - low) // step)
    edge = [low + step * place for place in range(number + 1)]
    return Axis(low=low, high=edge[-1], is_log=False, edges=tuple(edge))


def _round_up(value: float) -> int:
    """Return the next round number: 1, 2 or 5 with noughts."""
    power = 10 ** math.floor(math.log10(value)) if value >= 1 else 1
    for mantissa in (*_MANTISSAS, 10):
        if mantissa * power >= value:
            return mantissa * power
    return 10 * power

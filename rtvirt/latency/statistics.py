# SPDX-License-Identifier: Apache-2.0
"""What a histogram supports, and no more: percentiles and exceedance.

The tail is what a real-time guest is about, and it is where samples are few
and buckets end. So a percentile is told only where at least one sample is
expected beyond it, always with the samples that stand behind it, and as
bounds where a sample's bucket is not known.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rtvirt.latency.result import ThreadLatency

PERCENTS: Final = ('50', '90', '99', '99.9', '99.99', '99.999', '99.9999')
"""The percentiles that a report shows, where the samples support them."""

CONFIDENCE: Final = 0.95
"""Of every interval and bound here."""

_NORMAL_TWO_SIDED: Final = 1.959964
_NORMAL_ONE_SIDED: Final = 1.644854
_NORMAL_VARIANCE: Final = 100
"""From here on the normal distribution stands in for the binomial one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """A latency that is known to lie between two whole units.

    :ivar low: it is at least that.
    :ivar high: it is at most that; None where nothing says so.
    """

    low: int
    high: int | None

    @property
    def is_exact(self) -> bool:
        """Whether only one value is left."""
        return self.low == self.high

    def __str__(self) -> str:
        if self.is_exact:
            return str(self.low)
        if self.high is None:
            return f'>= {self.low}'
        return f'{self.low}-{self.high}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentile:
    """A latency that so many percent of the samples do not pass.

    :ivar percent: as in :data:`PERCENTS`.
    :ivar value: of the sample at this rank.
    :ivar beyond: how many samples are above that rank: what supports it.
    :ivar interval: where the percentile of an endless run lies with 95 %
        confidence, by order statistics; its ``high`` is None where the
        samples are too few to bound it.
    """

    percent: str
    value: Bounds
    beyond: int
    interval: Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceedance:
    """How many samples pass a budget, and what that says of the rest.

    :ivar samples: how many there are.
    :ivar at_least: so many are known to be above the budget.
    :ivar at_most: so many may be; more than ``at_least`` where samples in
        the overflow or in a wide bucket lie on either side of it.
    :ivar probability: the probability that a sample is above the budget is
        at most this, with 95 % confidence: 3 / samples where none was
        (the rule of three), 1 where there are no samples.
    """

    samples: int
    at_least: int
    at_most: int
    probability: float


class Distribution:
    """A thread's samples in order, added up once.

    :param thread: its histogram, and the extremes that the tool kept
        beside it, which bound what the histogram does not hold.
    """

    def __init__(self, thread: ThreadLatency) -> None:
        histogram = thread.histogram
        self._histogram = histogram
        self._minimum = thread.minimum
        self._maximum = thread.maximum
        self._sums = [*itertools.accumulate(histogram.counts)]
        self.counted = self._sums[-1] if self._sums else 0
        self.samples = histogram.underflow + self.counted + histogram.overflow

    def at(self, rank: int) -> Bounds:
        """Return the latency of a sample, the least of which is number 1."""
        histogram = self._histogram
        if rank >= self.samples and self._maximum is not None:
            return Bounds(low=self._maximum, high=self._maximum)
        place = rank - histogram.underflow
        if place <= 0:
            low = min(self._minimum or 0, histogram.floor)
            return Bounds(low=low, high=max(histogram.floor - 1, low))
        if place > self.counted:
            return Bounds(low=histogram.limit or 0, high=self._maximum)
        value = histogram.values[bisect.bisect_left(self._sums, place)]
        high = value + histogram.width - 1
        if self._maximum is not None:
            high = max(min(high, self._maximum), value)
        return Bounds(low=value, high=high)

    def percentile(self, percent: str) -> Percentile | None:
        """Return a percentile; None where the samples do not support it."""
        part = Fraction(percent) / 100
        beyond = self.samples * (1 - part)
        if beyond < 1:
            return None
        rank = max(math.ceil(self.samples * part), 1)
        low, high = _interval(self.samples, float(part))
        return Percentile(
            percent=percent,
            value=self.at(rank),
            beyond=self.samples - rank,
            interval=Bounds(
                low=self.at(low).low if low else 0,
                high=None if high is None else self.at(high).high,
            ),
        )

    def percentiles(
        self, percents: Iterable[str] = PERCENTS
    ) -> tuple[Percentile, ...]:
        """Return those percentiles that the samples support."""
        found = (self.percentile(percent) for percent in percents)
        return tuple(one for one in found if one is not None)

    def exceedance(self, budget: int) -> Exceedance:
        """Return how many samples pass a budget, in the result's unit."""
        histogram = self._histogram
        sure = self._count_from(budget + 1)
        maybe = self._count_from(budget - histogram.width + 2)
        low, high = self._overflow_above(budget)
        if histogram.floor > budget + 1:
            high += histogram.underflow
        if self._maximum is not None and self._maximum <= budget:
            sure, maybe, low, high = 0, 0, 0, 0
        at_least, at_most = sure + low, maybe + high
        if self._maximum is not None and self._maximum > budget:
            at_least, at_most = max(at_least, 1), max(at_most, 1)
        return Exceedance(
            samples=self.samples,
            at_least=at_least,
            at_most=at_most,
            probability=exceedance_bound(at_most, self.samples),
        )

    def _count_from(self, value: int) -> int:
        """Return how many samples are in this bucket and those above."""
        index = bisect.bisect_left(self._histogram.values, value)
        return self.counted - (self._sums[index - 1] if index else 0)

    def _overflow_above(self, budget: int) -> tuple[int, int]:
        """Return how many of the overflow are above at least, at most."""
        histogram = self._histogram
        number = histogram.overflow
        if not number or (histogram.limit or 0) > budget:
            return number, number
        return 0, number


def exceedance_bound(exceeding: int, samples: int) -> float:
    """Return what the probability of a bad sample is at most.

    With 95 % confidence, from so many bad ones among so many. The number of
    bad samples is taken for Poisson distributed, which errs on the safe
    side; with none this is the rule of three.
    """
    if samples <= 0:
        return 1.0
    return min(_poisson_upper(exceeding) / samples, 1.0)


def samples_needed(probability: float) -> int:
    """Return how many samples without a bad one show a probability."""
    return math.ceil(_poisson_upper(0) / probability)


def _poisson_upper(count: int) -> float:
    """Return the upper 95 % limit of a mean of which ``count`` was seen."""
    if count == 0:
        return -math.log(1 - CONFIDENCE)
    # Wilson and Hilferty's approximation of the chi-square quantile; it is
    # within 0.3 % from 1 on.
    n = count + 1
    root = 1 - 1 / (9 * n) + _NORMAL_ONE_SIDED / (3 * math.sqrt(n))
    return n * root**3


def _interval(samples: int, part: float) -> tuple[int, int | None]:
    """Return the ranks between which a quantile lies with 95 % confidence.

    0 where no sample bounds it from below, None where none does from above.
    """
    variance = samples * part * (1 - part)
    if variance >= _NORMAL_VARIANCE:
        half = _NORMAL_TWO_SIDED * math.sqrt(variance) + 1
        middle = samples * part
        low = max(math.floor(middle - half), 0)
        high = math.ceil(middle + half)
        return low, high if high <= samples else None
    few, many = _poisson_range(samples * (1 - part), (1 - CONFIDENCE) / 2)
    low = max(samples - many, 0)
    return low, None if few < 0 else samples - few


def _poisson_range(mean: float, tail: float) -> tuple[int, int]:
    """Return the counts that leave at most ``tail`` on either side.

    The first is the largest with P(X <= it) <= tail, -1 where there is
    none; the second the least with P(X > it) <= tail.
    """
    term = total = math.exp(-mean)
    few = -1
    count = 0
    while 1 - total > tail:
        if total <= tail:
            few = count
        count += 1
        term *= mean / count
        total += term
    return few, count

# SPDX-License-Identifier: Apache-2.0
"""Two measurements: how far each percentile moved, and whether it did.

The uncertainty of a shift comes from those of its two percentiles, which
are order statistics' (:mod:`rtvirt.latency.statistics`): each side of the
interval is the root of the sum of squares of the two distances that add up
there (MOVER; Zou and Donner, Statistics in Medicine 27, 2008). It is widened
by one unit of the coarser tool, for a latency of 6 us may be anything below
7. So the true shift lies in it with 95 % confidence, as far as samples
follow on each other independently.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rtvirt.latency.difference import Difference
from rtvirt.latency.difference import find_differences
from rtvirt.latency.evidence import Evidence
from rtvirt.latency.merging import pool
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.statistics import CONFIDENCE
from rtvirt.latency.statistics import PERCENTS
from rtvirt.latency.statistics import Bounds
from rtvirt.latency.statistics import Distribution
from rtvirt.latency.statistics import Percentile
from rtvirt.latency.verdict import Role
from rtvirt.latency.verdict import role_of


class Direction(enum.StrEnum):
    """What became of a percentile."""

    SLOWER = 'slower'
    FASTER = 'faster'
    UNCLEAR = 'unclear'
    """Nothing that chance or rounding would not do as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Microseconds from ``low`` to ``high``; None is unbounded."""

    low: float | None
    high: float | None

    @property
    def direction(self) -> Direction:
        """On which side of nought all of it lies."""
        if self.low is not None and self.low > 0:
            return Direction.SLOWER
        if self.high is not None and self.high < 0:
            return Direction.FASTER
        return Direction.UNCLEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far a percentile moved, in microseconds.

    :ivar before: the percentile of the first measurement, in microseconds.
    :ivar after: that of the second.
    :ivar moved: what it moved by; two numbers where one of the samples is
        only known by its bounds.
    :ivar interval: where the true shift lies with 95 % confidence.
    """

    percent: str
    before: Range
    after: Range
    moved: Range
    interval: Range

    @property
    def direction(self) -> Direction:
        """Whether it is slower or faster, beyond chance and rounding."""
        return self.interval.direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Threads that are compared with each other.

    :ivar name: the role and context of all that are added up, or one
        thread's name.
    :ivar samples: of the first measurement, and of the second.
    :ivar maxima: likewise, in microseconds. A maximum grows with the number
        of samples, and has no uncertainty that could be told.
    :ivar shifts: of the percentiles that both support.
    """

    name: str
    samples: tuple[int, int]
    maxima: tuple[float | None, float | None]
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs between two measurements.

    :ivar roles: all threads of a role and context added up.
    :ivar threads: those that both measurements have, one by one.
    :ivar differences: in tool, host, guest and plan.
    :ivar is_meaningless: whether chance, or what was measured, explains
        every shift.
    :ivar conclusion: the same in a sentence.
    """

    roles: tuple[Group, ...]
    threads: tuple[Group, ...]
    differences: tuple[Difference, ...]
    is_meaningless: bool
    conclusion: str


Named = tuple[str, ThreadLatency]


def compare(first: Evidence, second: Evidence) -> Comparison:
    """Return how the second measurement differs from the first."""
    roles = _groups(first, second, _by_role)
    reason = _why_nothing(first, second, roles)
    return Comparison(
        roles=roles,
        threads=_groups(first, second, _by_thread),
        differences=find_differences(first, second),
        is_meaningless=bool(reason),
        conclusion=f'The difference means nothing: {reason}.'
        if reason
        else _sum_up(roles),
    )


def _by_role(evidence: Evidence) -> Iterator[Named]:
    groups: dict[str, list[ThreadLatency]] = {}
    for thread in evidence.result.threads:
        role = role_of(thread, evidence.target.realtime)
        name = f'{role} {thread.context}'.rstrip()
        groups.setdefault(name, []).append(thread)
    # In the order of roles, not of CPUs.
    for name in sorted(groups, key=_rank):
        yield name, pool(groups[name])


def _rank(name: str) -> tuple[int, str]:
    roles = [*Role]
    return next(n for n, r in enumerate(roles) if name.startswith(r)), name


def _by_thread(evidence: Evidence) -> Iterator[Named]:
    for thread in evidence.result.threads:
        yield thread.name, thread


def _groups(
    first: Evidence,
    second: Evidence,
    split: Callable[[Evidence], Iterator[Named]],
) -> tuple[Group, ...]:
    others = dict(split(second))
    return tuple(
        _group(name, (thread, others[name]), (first, second))
        for name, thread in split(first)
        if name in others
    )


def _group(
    name: str,
    threads: tuple[ThreadLatency, ThreadLatency],
    evidences: tuple[Evidence, Evidence],
) -> Group:
    units = [evidence.result.unit.per_us for evidence in evidences]
    found = [
        {one.percent: one for one in Distribution(thread).percentiles()}
        for thread in threads
    ]
    maxima = [
        None if thread.maximum is None else thread.maximum / unit
        for thread, unit in zip(threads, units, strict=True)
    ]
    return Group(
        name=name,
        samples=(threads[0].cycles, threads[1].cycles),
        maxima=(maxima[0], maxima[1]),
        shifts=tuple(
            _shift(found[0][percent], found[1][percent], units)
            for percent in PERCENTS
            if percent in found[0] and percent in found[1]
        ),
    )


def _shift(
    first: Percentile, second: Percentile, units: Sequence[int]
) -> Shift:
    before, after = (
        _scale(one.value, unit)
        for one, unit in zip((first, second), units, strict=True)
    )
    sure, certain = (
        _scale(one.interval, unit)
        for one, unit in zip((first, second), units, strict=True)
    )
    moved = Range(
        low=_minus(after.low, before.high),
        high=_minus(after.high, before.low),
    )
    rounding = 1 / min(units)
    down = _root(
        _minus(after.low, certain.low), _minus(sure.high, before.high)
    )
    up = _root(_minus(certain.high, after.high), _minus(before.low, sure.low))
    return Shift(
        percent=first.percent,
        before=before,
        after=after,
        moved=moved,
        interval=Range(
            low=_minus(_minus(moved.low, down), rounding),
            high=_plus(_plus(moved.high, up), rounding),
        ),
    )


def _scale(bounds: Bounds, unit: int) -> Range:
    high = bounds.high
    return Range(
        low=bounds.low / unit, high=None if high is None else high / unit
    )


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _plus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _root(one: float | None, other: float | None) -> float | None:
    """Return the root of the sum of squares; None is without bound."""
    if one is None or other is None:
        return None
    return math.hypot(one, other)


_CHANCE: Final = 1 - CONFIDENCE


def _sum_up(groups: Sequence[Group]) -> str:
    """Return what the shifts that mean something come to."""
    parts = []
    for direction in (Direction.SLOWER, Direction.FASTER):
        named = [
            f'{group.name} p{shift.percent}'
            for group in groups
            for shift in group.shifts
            if shift.direction is direction
        ]
        if named:
            parts.append(f'{direction} at {", ".join(named)}')
    return f'The second is {"; ".join(parts)}.'


def _why_nothing(
    first: Evidence, second: Evidence, groups: Sequence[Group]
) -> str:
    """Return why no shift means anything; an empty text where one does."""
    tools = first.result.tool, second.result.tool
    if tools[0] != tools[1]:
        return f'{tools[0]} and {tools[1]} do not measure the same'
    if first.target.is_emulated or second.target.is_emulated:
        return 'the processor of a guest was emulated'
    if not groups:
        return 'the two have no role or context in common'
    if not any(group.shifts for group in groups):
        return 'there are too few samples for any percentile'
    return _why_chance([s for group in groups for s in group.shifts])


def _why_chance(shifts: Sequence[Shift]) -> str:
    shown = sum(s.direction is not Direction.UNCLEAR for s in shifts)
    if not shown:
        return 'the uncertainty of each shift includes 0'
    chance = _chance(shown, len(shifts))
    if chance <= _CHANCE:
        return ''
    return (
        f'{shown} of {len(shifts)} shifts are beyond their uncertainty, and '
        f'in {chance:.0%} of comparisons chance alone does as much'
    )


def _chance(number: int, of: int) -> float:
    """Return how likely so many or more of so many are by chance alone."""
    return sum(
        math.comb(of, k) * _CHANCE**k * CONFIDENCE ** (of - k)
        for k in range(number, of + 1)
    )

# SPDX-License-Identifier: Apache-2.0
"""Histograms for a terminal: latencies downwards, on a log scale how often."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

from rich.text import Text

from rtvirt.latency.merging import pool
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.result import Unit
from rtvirt.latency.verdict import Role
from rtvirt.report.latency.axis import Bin
from rtvirt.report.latency.axis import choose_axis
from rtvirt.report.latency.summary import Run
from rtvirt.report.latency.summary import say_count
from rtvirt.report.latency.summary import say_us

_ROWS: Final = 24
_FOOT: Final = 0.35
"""The part of a decade that a single sample is long."""

_BUDGET: Final = 'budget'
_WITHIN: Final = 'blue'
_BEYOND: Final = 'bold red'
_OVERFLOW: Final = 'bold magenta'

Row = tuple[str, int, str]
"""A label, a count, and a style; of the budget its latency."""


def draw_histograms(runs: Iterable[Run], width: int) -> Iterator[Text]:
    """Yield a histogram of each run and role, its threads added up.

    :param width: no line is longer.
    """
    for run in runs:
        for role in Role:
            threads = [one for one in run.threads if one.role is role]
            if threads:
                yield from _draw(run, role, width)
                yield Text()


def _draw(run: Run, role: Role, width: int) -> Iterator[Text]:
    members = [one for one in run.threads if one.role is role]
    unit = run.unit
    budget = members[0].budget
    limit = budget.limit_us * unit.per_us if budget else None
    whole = pool([one.thread for one in members])
    name = run.evidence.target.name or run.name
    head = Text(f'{name}, {role}: ', 'bold')
    head.append(f'{say_count(whole.cycles)} samples', 'not bold')
    head.append(f', {len(members)} threads' if len(members) > 1 else '')
    head.truncate(width)
    yield head
    axis = choose_axis(members, () if limit is None else (limit,), _ROWS)
    rows = [*_rows(whole, axis.split(whole.histogram), limit, unit)]
    yield from _lines(rows, unit, width)


def _rows(
    whole: ThreadLatency, bars: Sequence[Bin], limit: int | None, unit: Unit
) -> Iterator[Row]:
    """Yield a row for each bar, the budget between them."""
    histogram = whole.histogram
    is_told = limit is None
    if histogram.underflow:
        floor = say_us(histogram.floor, unit)
        yield f'< {floor}', histogram.underflow, _WITHIN
    for bar in bars:
        if limit is not None and bar.low > limit and not is_told:
            is_told = True
            yield _BUDGET, limit, ''
        low, high = say_us(bar.low, unit), say_us(bar.high, unit)
        style = _WITHIN if limit is None or bar.low <= limit else _BEYOND
        yield low if low == high else f'{low}-{high}', bar.count, style
    is_beyond = limit is not None and limit >= (histogram.limit or 0)
    if limit is not None and not is_told and not is_beyond:
        yield _BUDGET, limit, ''
    if histogram.overflow:
        end = say_us(histogram.limit, unit)
        yield f'>= {end}', histogram.overflow, _OVERFLOW
    if limit is not None and not is_told and is_beyond:
        yield _BUDGET, limit, ''


def _lines(rows: Sequence[Row], unit: Unit, width: int) -> Iterator[Text]:
    bars = [row for row in rows if row[0] != _BUDGET]
    labels = max((len(label) for label, _, _ in bars), default=0)
    counts = max((len(say_count(count)) for _, count, _ in bars), default=0)
    most = max((count for _, count, _ in bars), default=1)
    room = max(width - labels - counts - 8, 4)
    for label, count, style in rows:
        if label == _BUDGET:
            text = f'--- budget {say_us(count, unit)} us '
            line = Text(f'  {text:-<{labels + room + counts + 6}}', 'red')
            line.truncate(width)
            yield line
            continue
        part = (math.log10(count) + _FOOT) / (
            math.log10(max(most, 10)) + _FOOT
        )
        sign = 'X' if style == _OVERFLOW else '#'
        line = Text(f'  {label:>{labels}} us ')
        line.append(sign * max(1, round(part * room)), style)
        line.append(f' {say_count(count)}')
        line.truncate(width)
        yield line

# SPDX-License-Identifier: Apache-2.0
"""The histogram of one thread: latencies, and on a log axis how often."""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from rtvirt.latency.verdict import Role
from rtvirt.report.latency.axis import Axis
from rtvirt.report.latency.axis import Bin
from rtvirt.report.latency.axis import choose_axis
from rtvirt.report.latency.summary import Run
from rtvirt.report.latency.summary import ThreadSummary
from rtvirt.report.latency.summary import say_count
from rtvirt.report.latency.summary import say_us
from rtvirt.report.lettering import shorten
from rtvirt.report.lettering import text_width
from rtvirt.report.markup import svg

WIDTH: Final = 560
HEIGHT: Final = 244
BINS: Final = 170

_LEFT: Final = 50
_TOP: Final = 52
_BOTTOM: Final = 38
_RIGHT: Final = 14
_OVERFLOW: Final = 58
"""The width of the place for samples that were too large to tell apart."""
_FOOT: Final = 0.35
"""The part of a decade that a single sample is high."""
_PREFIXES: Final = ('', 'k', 'M', 'G', 'T', 'P')


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all charts of a measurement share, so that they compare.

    :ivar most: the largest count of any bar.
    :ivar has_overflow: whether one of them has samples beyond the axis.
    :ivar bars: of each thread, by its number and context.
    """

    axis: Axis
    most: int
    has_overflow: bool
    bars: Mapping[tuple[int, str], list[Bin]]

    @property
    def right(self) -> float:
        """Where the axis ends."""
        return WIDTH - _RIGHT - (_OVERFLOW if self.has_overflow else 0)

    @property
    def floor(self) -> float:
        """Where bars stand."""
        return HEIGHT - _BOTTOM

    def x(self, value: float) -> float:
        """Return where a latency is."""
        return _LEFT + self.axis.at(value) * (self.right - _LEFT)

    def y(self, count: float) -> float:
        """Return how high up a count is."""
        top = math.log10(max(self.most, 10)) + _FOOT
        part = (math.log10(count) + _FOOT) / top
        return self.floor - part * (self.floor - _TOP)


def frame_of(run: Run) -> Frame:
    """Return the frame of all charts of a measurement."""
    per_us = run.unit.per_us
    marks = [one.budget.limit_us * per_us for one in run.threads if one.budget]
    axis = choose_axis(run.threads, marks, BINS)
    most = 1
    has_overflow = False
    bars = {}
    for one in run.threads:
        histogram = one.thread.histogram
        has_overflow = has_overflow or histogram.overflow > 0
        found = axis.split(histogram)
        most = max(most, histogram.overflow, histogram.underflow)
        most = max([most, *(bar.count for bar in found)])
        bars[_key(one)] = found
    return Frame(axis=axis, most=most, has_overflow=has_overflow, bars=bars)


def _key(one: ThreadSummary) -> tuple[int, str]:
    return one.thread.number, one.thread.context


def draw_chart(
    one: ThreadSummary, frame: Frame, prefix: str
) -> etree._Element:
    """Return the chart of one thread.

    Its attribute ``data-bins`` has for each bar where it begins and ends on
    the axis, its latencies and its count, for a script to show.

    :param prefix: what ids begin with; unique in a page.
    """
    bars = frame.bars[_key(one)]
    title = describe(one)
    return svg(
        'svg',
        svg('title', title, id=f'{prefix}title'),
        *_grid(frame),
        *_bars(one, frame, bars),
        *_overflow(one, frame),
        *_budget(one, frame),
        *_maximum(one, frame, bars),
        *_head(one),
        class_='chart',
        viewBox=f'0 0 {WIDTH} {HEIGHT}',
        role='img',
        aria_labelledby=f'{prefix}title',
        tabindex=0,
        data_bins=';'.join(_data(one, frame, bars)),
    )


def describe(one: ThreadSummary) -> str:
    """Return a chart in a sentence."""
    thread = one.thread
    parts = [f'{thread.name}, {one.role}: {say_count(thread.cycles)} samples']
    parts.append(f'maximum {say_us(thread.maximum, one.unit)} us')
    if thread.histogram.overflow:
        limit = say_us(thread.histogram.limit, one.unit)
        parts.append(f'{thread.histogram.overflow} of at least {limit} us')
    if one.budget and one.exceedance:
        parts.append(
            f'{one.exceedance.at_least} above the budget of '
            f'{one.budget.limit_us} us'
        )
    return ', '.join(parts)


def _head(one: ThreadSummary) -> Iterator[etree._Element]:
    name = shorten(one.thread.name, 15, WIDTH / 2)
    yield svg('text', name, x=_LEFT, y=20, class_='name strong', font_size=14)
    role = '' if one.role is Role.HOUSEKEEPING else 'rt-role'
    yield svg(
        'text',
        str(one.role),
        x=_LEFT + text_width(name, 15.5) + 8,
        y=20,
        class_=f'muted {role}'.rstrip(),
        font_size=12,
    )
    yield svg(
        'text',
        f'{say_count(one.thread.cycles)} samples',
        x=WIDTH - _RIGHT,
        y=20,
        class_='muted end',
        font_size=12,
    )


def _grid(frame: Frame) -> Iterator[etree._Element]:
    for power in range(math.ceil(math.log10(max(frame.most, 10))) + 1):
        if 10**power > max(frame.most, 10):
            break
        y = frame.y(10**power)
        yield svg(
            'path', class_='grid', d=f'M{_LEFT} {y:.1f}H{frame.right:.1f}'
        )
        yield svg(
            'text',
            _say_power(power),
            x=_LEFT - 6,
            y=y + 3.5,
            class_='muted end',
            font_size=10.5,
        )
    floor = frame.floor
    yield svg('path', class_='base', d=f'M{_LEFT} {floor}H{frame.right:.1f}')
    # The unit stands at the end of the axis.
    last = frame.right - 16
    for tick in frame.axis.ticks(9):
        x = frame.x(tick)
        yield svg('path', class_='base', d=f'M{x:.1f} {floor}v4')
        if x < last:
            yield svg(
                'text',
                _short(tick),
                x=x,
                y=floor + 16,
                class_='muted mid',
                font_size=10.5,
            )


def _bars(
    one: ThreadSummary, frame: Frame, bars: Sequence[Bin]
) -> Iterator[etree._Element]:
    limit = _limit(one)
    within = [bar for bar in bars if limit is None or bar.low <= limit]
    beyond = [bar for bar in bars if limit is not None and bar.low > limit]
    for kind, some in (('bars', within), ('bars over', beyond)):
        if some:
            path = ''.join(_outline(frame, bar) for bar in some)
            yield svg('path', class_=kind, d=path)
    unit = 'ns' if one.unit.per_us > 1 else 'us'
    yield svg(
        'text',
        unit,
        x=frame.right,
        y=frame.floor + 16,
        class_='muted end',
        font_size=10.5,
    )


def _outline(frame: Frame, bar: Bin) -> str:
    left, right = _span(frame, bar)
    top = frame.y(bar.count)
    return f'M{left:.1f} {frame.floor}V{top:.1f}H{right:.1f}V{frame.floor}z'


def _span(frame: Frame, bar: Bin) -> tuple[float, float]:
    """Return the ends of a bar, at least a pixel apart."""
    left = frame.x(bar.low)
    right = frame.x(bar.high + 1)
    gap = 0.6 if right - left > 2.5 else 0
    return left, max(right - gap, left + 1)


def _overflow(one: ThreadSummary, frame: Frame) -> Iterator[etree._Element]:
    """Yield the bar of samples that were too large to be told apart."""
    if not frame.has_overflow:
        return
    left = frame.right + 12
    width = _OVERFLOW - 12
    middle = left + width / 2
    floor = frame.floor
    yield svg('path', class_='base', d=f'M{left:.1f} {floor}h{width}')
    limit = say_us(one.thread.histogram.limit, one.unit)
    yield svg(
        'text',
        f'\u2265 {limit}' if one.unit.per_us == 1 else f'\u2265 {limit} us',
        x=middle,
        y=floor + 16,
        class_='muted mid',
        font_size=10.5,
    )
    number = one.thread.histogram.overflow
    if not number:
        return
    y = frame.y(number)
    yield svg(
        'rect',
        class_='overflow',
        x=left + 6,
        y=y,
        width=width - 12,
        height=floor - y,
    )
    yield svg(
        'text',
        _say_large(number),
        x=middle,
        y=y - 5,
        class_='alarm strong mid',
        font_size=11,
    )


def _budget(one: ThreadSummary, frame: Frame) -> Iterator[etree._Element]:
    limit = _limit(one)
    if limit is None or one.budget is None:
        return
    # Samples of just the budget are within it.
    x = min(frame.x(limit + 1), frame.right)
    text = f'budget {one.budget.limit_us} us'
    if limit > frame.axis.high:
        yield svg(
            'text',
            f'{text} \u2192',
            x=x,
            y=_TOP - 4,
            class_='muted end',
            font_size=11,
        )
        return
    is_right = x + 6 + text_width(text, 11) < frame.right
    yield svg('path', class_='budget', d=f'M{x:.1f} {frame.floor}V{_TOP - 12}')
    yield svg(
        'text',
        text,
        x=x + 5 if is_right else x - 5,
        y=_TOP - 4,
        class_='budget-text strong' + ('' if is_right else ' end'),
        font_size=11,
    )


def _maximum(
    one: ThreadSummary, frame: Frame, bars: Sequence[Bin]
) -> Iterator[etree._Element]:
    """Yield a mark over the largest sample."""
    maximum = one.thread.maximum
    if maximum is None:
        return
    text = f'max {say_us(maximum, one.unit)} us'
    histogram = one.thread.histogram
    if histogram.overflow:
        x = frame.right + 6 + _OVERFLOW / 2
        y = frame.y(histogram.overflow) - 19
        yield svg(
            'text',
            text,
            x=min(x, WIDTH - text_width(text, 11) / 2 - 2),
            y=y,
            class_='mid',
            font_size=11,
        )
        return
    if not bars:
        return
    x = frame.x(min(maximum, bars[-1].high))
    y = frame.y(bars[-1].count) - 4
    yield svg(
        'path',
        class_='mark',
        d=f'M{x:.1f} {y:.1f}l-3.5 -6h7z',
    )
    half = text_width(text, 11) / 2
    middle = x
    limit = _limit(one)
    if limit is not None and abs(frame.x(limit + 1) - x) < half + 4:
        # Beside the line of the budget, on the side of the sample.
        line = frame.x(limit + 1)
        middle = line + (half + 5) * (1 if maximum > limit else -1)
    middle = min(max(middle, _LEFT + half), WIDTH - half - 2)
    yield svg(
        'text', text, x=middle, y=y - 10, class_='mid halo', font_size=11
    )


def _data(
    one: ThreadSummary, frame: Frame, bars: Sequence[Bin]
) -> Iterator[str]:
    histogram = one.thread.histogram
    per_us = one.unit.per_us
    if histogram.underflow:
        text = f'less than {histogram.floor / per_us:g} us'
        yield f'{_LEFT},{_LEFT + 2},{text},{histogram.underflow}'
    for bar in bars:
        left, right = _span(frame, bar)
        low, high = bar.low / per_us, bar.high / per_us
        text = f'{low:g}' if low == high else f'{low:g} to {high:g}'
        yield f'{left:.0f},{right:.0f},{text} us,{bar.count}'
    if histogram.overflow:
        limit = (histogram.limit or 0) / per_us
        left = frame.right + 12
        right = left + _OVERFLOW - 12
        text = f'{limit:g} us or more,{histogram.overflow}'
        yield f'{left:.0f},{right:.0f},{text}'


def _limit(one: ThreadSummary) -> int | None:
    """Return the budget in the result's unit."""
    if one.budget is None:
        return None
    return one.budget.limit_us * one.unit.per_us


def _say_power(power: int) -> str:
    prefix, digits = divmod(power, 3)
    return f'{10**digits}{_PREFIXES[min(prefix, len(_PREFIXES) - 1)]}'


def _say_large(number: int) -> str:
    return say_count(number) if number < 100_000 else f'{number:.2g}'


def _short(tick: int) -> str:
    return say_count(tick) if tick < 100_000 else f'{tick:g}'

# SPDX-License-Identifier: Apache-2.0
"""The histograms of measurements as one picture."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

from lxml import etree

from rtvirt.latency.verdict import Outcome
from rtvirt.report.latency.chart import HEIGHT
from rtvirt.report.latency.chart import WIDTH
from rtvirt.report.latency.chart import draw_chart
from rtvirt.report.latency.chart import frame_of
from rtvirt.report.latency.style import chart_style
from rtvirt.report.latency.summary import OUTCOMES
from rtvirt.report.latency.summary import Run
from rtvirt.report.latency.summary import ThreadSummary
from rtvirt.report.latency.summary import worst_of
from rtvirt.report.lettering import wrap
from rtvirt.report.markup import clean
from rtvirt.report.markup import svg
from rtvirt.report.markup import to_text
from rtvirt.report.palette import Theme

MAX_CHARTS: Final = 32
"""More than that nobody looks at: the worst come first, and are shown."""

_MARGIN: Final = 24
_GAP: Final = 16


def choose_charts(run: Run, most: int = MAX_CHARTS) -> list[ThreadSummary]:
    """Return the threads to draw: all, or the worst of too many."""
    if len(run.threads) <= most:
        return [*run.threads]
    return sorted(run.threads, key=_badness, reverse=True)[:most]


def charts_svg(runs: Sequence[Run], theme: Theme = Theme.COLOUR) -> str:
    """Return a picture of all histograms, with what the budgets say."""
    charts = sum(len(choose_charts(run)) for run in runs)
    columns = 1 if charts == 1 else 2
    width = columns * WIDTH + (columns - 1) * _GAP + 2 * _MARGIN
    parts: list[etree._Element] = []
    y = float(_MARGIN)
    for number, run in enumerate(runs):
        for line, size, kind in _lines(run, width - 2 * _MARGIN):
            y += size + 6
            parts.append(
                svg('text', line, x=_MARGIN, y=y, font_size=size, class_=kind)
            )
        y += 14
        frame = frame_of(run)
        shown = choose_charts(run)
        for place, one in enumerate(shown):
            down, across = divmod(place, columns)
            chart = draw_chart(one, frame, f'c{number}-{place}-')
            chart.set('x', str(_MARGIN + across * (WIDTH + _GAP)))
            chart.set('y', f'{y + down * (HEIGHT + _GAP):.0f}')
            chart.set('width', str(WIDTH))
            chart.set('height', str(HEIGHT))
            del chart.attrib['data-bins'], chart.attrib['tabindex']
            parts.append(chart)
        y += -(-len(shown) // columns) * (HEIGHT + _GAP)
    height = y + _MARGIN - _GAP
    outcome = OUTCOMES[worst_of(runs)]
    root = svg(
        'svg',
        svg('title', f'Latency, {len(runs)} measurements: {outcome}'),
        svg('style', chart_style(theme)),
        svg('rect', class_='paper', width=width, height=height, rx=6),
        *parts,
        class_='rt',
        viewBox=f'0 0 {width} {height:.0f}',
        width=width,
        height=f'{height:.0f}',
        role='graphics-document document',
    )
    return to_text(root)


def _lines(run: Run, width: float) -> Iterator[tuple[str, float, str]]:
    result = run.evidence.result
    name = run.evidence.target.name or run.name
    for line in wrap(clean(f'{name}: {result.tool}'), 20, width):
        yield line, 18, 'strong'
    for verdict in run.evidence.verdicts:
        text = f'{OUTCOMES[verdict.outcome]}, {verdict.role}: {verdict.reason}'
        kind = 'alarm' if verdict.outcome is Outcome.FAIL else 'muted'
        for line in wrap(clean(text), 13, width):
            yield line, 13, kind
    left = len(run.threads) - len(choose_charts(run))
    if left:
        yield f'the worst of {len(run.threads)} threads', 13, 'muted'


def _badness(one: ThreadSummary) -> tuple[int, int]:
    over = one.exceedance.at_least if one.exceedance else 0
    return over, one.thread.maximum or 0

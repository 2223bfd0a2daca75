# SPDX-License-Identifier: Apache-2.0
"""Charts show every sample, the budget, and what overflowed."""

from __future__ import annotations

import itertools

import pytest

from rtvirt.latency.histogram import Histogram
from rtvirt.report.latency.chart import HEIGHT
from rtvirt.report.latency.chart import WIDTH
from rtvirt.report.latency.chart import frame_of
from rtvirt.report.latency.sheet import charts_svg
from rtvirt.report.lettering import text_width
from rtvirt.report.palette import Theme
from rtvirt.tests.unit.report.drawing import Picture
from rtvirt.tests.unit.report.latency.runs import run_of
from rtvirt.tests.unit.report.latency.runs import sample_run
from rtvirt.tests.unit.report.latency.runs import thread


def test_the_picture_of_the_sample() -> None:
    picture = Picture(charts_svg([sample_run()]))
    texts = picture.texts()
    assert 'plc-1: cyclictest' in texts
    assert 'FAIL, real-time: 3 of 800000 samples are above 40 us' in texts
    assert texts.count('budget 40 us') == 2
    assert 'budget 1000 us \u2192' in texts
    assert {'max 212 us', 'max 31 us', 'max 161 us'} <= set(texts)
    assert texts.count('\u2265 100') == 3
    assert len(picture.boxes('overflow')) == 2


def test_bars_grow_with_the_logarithm() -> None:
    run = run_of(
        thread(0, Histogram.from_counts({5: 1, 6: 10, 7: 100, 8: 1000}))
    )
    frame = frame_of(run)
    heights = [frame.floor - frame.y(10**power) for power in range(4)]
    assert heights[0] > 3
    steps = [b - a for a, b in itertools.pairwise(heights)]
    assert steps == pytest.approx([steps[0]] * 3)


@pytest.mark.parametrize(
    'histogram',
    [
        Histogram.from_counts({5: 10**15, 39: 1}),
        Histogram.from_counts({38: 5, 41: 5}),
        Histogram.from_counts({1: 10**6, 10**7: 1}),
        Histogram.from_counts({}, limit=10, overflow=7),
        Histogram.from_counts({}),
        Histogram.from_counts({5: 1}, floor=5, underflow=9, limit=6),
    ],
)
@pytest.mark.parametrize('budget_us', [None, 40, 10**6])
def test_no_text_sticks_out(
    histogram: Histogram, budget_us: int | None
) -> None:
    maximum = 12345 if histogram.overflow else None
    one = thread(0, histogram)
    if maximum:
        one = thread(0, histogram, maximum=maximum)
    picture = Picture(charts_svg([run_of(one, budget_us=budget_us)]))
    (chart,) = [s for s in picture.all('svg') if s.get('class') == 'chart']
    for text in chart.iter('{*}text'):
        x = float(text.get('x', '0'))
        y = float(text.get('y', '0'))
        wide = text_width(text.text or '', float(text.get('font-size', '0')))
        kind = (text.get('class') or '').split()
        left = x - (
            wide if 'end' in kind else wide / 2 if 'mid' in kind else 0
        )
        assert left >= 0, text.text
        assert left + wide <= WIDTH, text.text
        assert 8 < y <= HEIGHT, text.text


def test_the_same_picture_is_drawn_again_and_grey_has_no_dark_side() -> None:
    assert charts_svg([sample_run()]) == charts_svg([sample_run()])
    grey = charts_svg([sample_run()], Theme.GREY)
    assert 'prefers-color-scheme' not in grey

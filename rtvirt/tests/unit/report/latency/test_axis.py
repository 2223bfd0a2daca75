# SPDX-License-Identifier: Apache-2.0
"""No sample is lost between the marks of an axis."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from rtvirt.latency.histogram import Histogram
from rtvirt.report.latency.axis import choose_axis
from rtvirt.tests.unit.report.latency.runs import run_of
from rtvirt.tests.unit.report.latency.runs import thread

COUNTS = st.dictionaries(
    st.integers(0, 50) | st.integers(0, 10**7),
    st.integers(1, 10**9),
    min_size=1,
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(
    counts=COUNTS,
    mark=st.integers(1, 10**6),
    bins=st.integers(1, 200),
)
def test_all_samples_are_in_bins(
    counts: dict[int, int], mark: int, bins: int
) -> None:
    histogram = Histogram.from_counts(counts)
    axis = choose_axis(run_of(thread(0, histogram)).threads, (mark,), bins)
    found = axis.split(histogram)
    assert sum(bar.count for bar in found) == histogram.total
    assert len(axis.edges) <= bins + 3
    assert all(bar.low <= bar.high for bar in found)
    places = [axis.at(edge) for edge in axis.edges if edge <= axis.high]
    assert places == sorted(places)
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks(9))
    assert len(axis.ticks(9)) <= 11


def test_a_long_tail_gets_a_log_axis_and_a_short_one_does_not() -> None:
    short = Histogram.from_counts({5: 10**6, 30: 1})
    long = Histogram.from_counts({5: 10**6, 3000: 1})
    for histogram, is_log in ((short, False), (long, True)):
        run = run_of(thread(0, histogram))
        assert choose_axis(run.threads, (40,), 100).is_log is is_log


def test_a_far_budget_does_not_squeeze_the_samples() -> None:
    run = run_of(thread(0, Histogram.from_counts({5: 10**6, 30: 1})))
    assert choose_axis(run.threads, (1000,), 100).high < 100
    assert choose_axis(run.threads, (60,), 100).high > 60

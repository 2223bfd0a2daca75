# SPDX-License-Identifier: Apache-2.0
"""Statistics against the samples themselves, sorted."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from rtvirt.exception import ModelError
from rtvirt.latency.histogram import Histogram
from rtvirt.latency.merging import merge_histograms
from rtvirt.latency.merging import merge_results
from rtvirt.latency.merging import pool
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.statistics import PERCENTS
from rtvirt.latency.statistics import Distribution
from rtvirt.latency.statistics import exceedance_bound
from rtvirt.latency.statistics import samples_needed

SAMPLES = st.lists(st.integers(0, 60), min_size=1, max_size=120)


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, int, int]:
    """Draw a width, a floor and a limit."""
    width = draw(st.integers(1, 5))
    floor = width * draw(st.integers(0, 4))
    return width, floor, floor + width * draw(st.integers(1, 14))


def thread_of(
    samples: list[int], shape: tuple[int, int, int] = (1, 0, 100)
) -> ThreadLatency:
    """Put samples into a histogram of this shape."""
    width, floor, limit = shape
    inside = [v for v in samples if floor <= v < limit]
    return ThreadLatency(
        number=0,
        histogram=Histogram.from_counts(
            Counter(value // width * width for value in inside),
            width=width,
            floor=floor,
            underflow=sum(v < floor for v in samples),
            limit=limit,
            overflow=sum(v >= limit for v in samples),
        ),
        minimum=min(samples, default=None),
        average=sum(samples) / len(samples) if samples else None,
        maximum=max(samples, default=None),
    )


@given(samples=SAMPLES, shape=shapes())
def test_bounds_hold_every_sample(
    samples: list[int], shape: tuple[int, int, int]
) -> None:
    distribution = Distribution(thread_of(samples, shape))
    assert distribution.samples == len(samples)
    for rank, value in enumerate(sorted(samples), 1):
        bounds = distribution.at(rank)
        assert bounds.high is not None
        assert bounds.low <= value <= bounds.high
    assert distribution.at(len(samples)).is_exact


@given(samples=SAMPLES, shape=shapes(), budget=st.integers(0, 70))
def test_exceedance_brackets_the_truth(
    samples: list[int], shape: tuple[int, int, int], budget: int
) -> None:
    found = Distribution(thread_of(samples, shape)).exceedance(budget)
    truth = sum(value > budget for value in samples)
    assert found.at_least <= truth <= found.at_most
    assert bool(found.at_least) == bool(truth)
    assert found.probability >= truth / len(samples)


@given(samples=SAMPLES)
def test_a_percentile_is_the_sample_at_its_rank(samples: list[int]) -> None:
    ordered = sorted(samples)
    for one in Distribution(thread_of(samples)).percentiles():
        rank = math.ceil(Fraction(one.percent) / 100 * len(samples))
        assert one.value.low == one.value.high == ordered[rank - 1]
        assert one.beyond == len(samples) - rank >= 0
        assert one.interval.low <= one.value.low
        high = one.interval.high
        assert high is None or high >= one.value.low


@pytest.mark.parametrize(
    ('number', 'last'),
    [(1, None), (2, '50'), (99, '90'), (100, '99'), (99_999, '99.99'),
     (100_000, '99.999'), (1_000_000, '99.9999')],
)  # fmt: skip
def test_percentiles_go_as_far_as_the_samples(
    number: int, last: str | None
) -> None:
    thread = ThreadLatency(
        number=0, histogram=Histogram.from_counts({7: number})
    )
    percents = [one.percent for one in Distribution(thread).percentiles()]
    assert percents == [*PERCENTS[: len(percents)]]
    assert (percents[-1] if percents else None) == last


def test_the_overflow_gives_a_bound() -> None:
    thread = ThreadLatency(
        number=0,
        histogram=Histogram.from_counts({9: 990}, limit=100, overflow=10),
    )
    *_, tail = Distribution(thread).percentiles()
    assert (tail.percent, str(tail.value)) == ('99.9', '>= 100')
    assert tail.interval.high is None


@pytest.mark.parametrize('percent', ['50', '99', '99.9'])
def test_the_interval_covers_the_percentile(percent: str) -> None:
    """Of many runs at least 95 % bracket the true percentile.

    A sample's true value is its rank in the unit interval: so ranks that
    bracket are counted by the binomial distribution itself.
    """
    number, part = 4000, float(Fraction(percent) / 100)
    thread = ThreadLatency(
        number=0,
        histogram=Histogram.from_counts(dict.fromkeys(range(1, 4001), 1)),
    )
    one = Distribution(thread).percentile(percent)
    assert one is not None
    low, high = one.interval.low, one.interval.high
    assert high is not None

    def at_most(k: int) -> float:
        """P(so many of the samples or fewer are below the percentile)."""
        return sum(
            math.exp(
                math.lgamma(number + 1)
                - math.lgamma(i + 1)
                - math.lgamma(number - i + 1)
                + i * math.log(part)
                + (number - i) * math.log1p(-part)
            )
            for i in range(k + 1)
        )

    # The sample of rank r is below it if r samples or more are.
    covered = at_most(high - 1) - at_most(low - 1)
    assert 0.95 <= covered < 0.98


def test_the_rule_of_three() -> None:
    assert exceedance_bound(0, 1000) == pytest.approx(3e-3, rel=2e-3)
    assert exceedance_bound(0, 0) == 1.0
    assert exceedance_bound(5, 5) == 1.0
    assert samples_needed(1e-5) == 299_574
    assert exceedance_bound(0, samples_needed(1e-5)) <= 1e-5


@pytest.mark.parametrize('count', [1, 2, 5, 20, 200])
def test_the_bound_is_poissons(count: int) -> None:
    mean = exceedance_bound(count, 10**9) * 10**9
    below = sum(
        math.exp(i * math.log(mean) - mean - math.lgamma(i + 1))
        for i in range(count + 1)
    )
    assert below == pytest.approx(0.05, rel=0.02)


@given(runs=st.lists(st.tuples(SAMPLES, shapes()), min_size=2, max_size=4))
def test_merging_loses_no_sample(
    runs: list[tuple[list[int], tuple[int, int, int]]],
) -> None:
    # One width for all; floors and limits differ.
    threads = [thread_of(s, (1, f, max(i, f + 1))) for s, (_, f, i) in runs]
    samples = sorted(value for run, _ in runs for value in run)
    merged = pool(threads)
    assert merged.cycles == len(samples)
    assert (merged.minimum, merged.maximum) == (samples[0], samples[-1])
    assert merged.average == pytest.approx(sum(samples) / len(samples))
    distribution = Distribution(merged)
    for rank, value in enumerate(samples, 1):
        bounds = distribution.at(rank)
        assert bounds.low <= value
        assert bounds.high is None or value <= bounds.high


@given(samples=SAMPLES, shape=shapes(), times=st.integers(2, 4))
def test_merging_the_same_only_multiplies(
    samples: list[int], shape: tuple[int, int, int], times: int
) -> None:
    histogram = thread_of(samples, shape).histogram
    merged = merge_histograms([histogram] * times)
    assert merged.values == histogram.values
    assert [*merged.counts] == [count * times for count in histogram.counts]
    assert merged.overflow == histogram.overflow * times
    assert merged.underflow == histogram.underflow * times
    assert merged.limit == histogram.limit


def test_a_wide_bucket_that_joins_the_underflow_lifts_the_floor() -> None:
    low = Histogram.from_counts(width=4, floor=5, underflow=1)
    wide = Histogram.from_counts({4: 1, 8: 1}, width=4)
    merged = merge_histograms([low, wide])
    # The bucket from 4 to 7 lies on both sides of the floor.
    assert (merged.floor, merged.underflow) == (8, 2)
    assert dict(merged.items()) == {8: 1}


def result_of(*threads: ThreadLatency, tool: str = 'any') -> LatencyResult:
    return LatencyResult(tool=tool, threads=threads, duration_s=2.0)


def test_runs_are_matched_by_cpu() -> None:
    def on(number: int, cpu: int, value: int) -> ThreadLatency:
        return ThreadLatency(
            number=number,
            cpu=cpu,
            histogram=Histogram.from_counts({value: 1}),
            maximum=value,
        )

    merged = merge_results(
        [result_of(on(0, 2, 5), on(1, 3, 6)), result_of(on(0, 3, 9))]
    )
    assert [(t.cpu, t.cycles, t.maximum) for t in merged.threads] == [
        (2, 1, 5),
        (3, 2, 9),
    ]
    assert merged.duration_s == 4.0


def test_what_cannot_be_merged_is_said() -> None:
    thread = thread_of([1])
    wide = thread_of([1], (2, 0, 4))
    with pytest.raises(ModelError, match='different tools'):
        merge_results([result_of(thread), result_of(thread, tool='other')])
    with pytest.raises(ModelError, match='widths cannot be merged: 1, 2'):
        merge_results([result_of(thread), result_of(wide)])
    with pytest.raises(ModelError, match='no results'):
        merge_results([])


@settings(max_examples=40)
@given(
    values=st.lists(st.integers(-3, 20), max_size=5),
    counts=st.lists(st.integers(-1, 3), max_size=5),
    width=st.integers(0, 3),
    limit=st.one_of(st.none(), st.integers(0, 20)),
    overflow=st.integers(0, 2),
)
def test_a_histogram_that_contradicts_itself_cannot_be(
    values: list[int],
    counts: list[int],
    width: int,
    limit: int | None,
    overflow: int,
) -> None:
    from array import array  # noqa: PLC0415

    is_sound = (
        len(values) == len(counts)
        and width >= 1
        and all(count > 0 for count in counts)
        and all(value >= 0 for value in values)
        and all(b - a >= width for a, b in zip(values, values[1:]))  # noqa: B905, RUF007
        and (
            not overflow
            or (limit is not None and all(v < limit for v in values))
        )
    )
    try:
        Histogram(
            values=array('q', values),
            counts=array('q', counts),
            width=width,
            limit=limit,
            overflow=overflow,
        )
    except ModelError:
        assert not is_sound
    else:
        assert is_sound

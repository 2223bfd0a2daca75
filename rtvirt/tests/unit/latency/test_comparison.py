# SPDX-License-Identifier: Apache-2.0
"""A difference is told where it is one, and not where chance makes it."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter

import pytest

from rtvirt.latency.comparison import Direction
from rtvirt.latency.comparison import compare
from rtvirt.latency.evidence import Evidence
from rtvirt.latency.evidence import Target
from rtvirt.latency.evidence import Where
from rtvirt.latency.histogram import Histogram
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.result import Unit
from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.evidence import sample_evidence


def measured(
    counts: dict[int, int],
    *,
    overflow: int = 0,
    unit: Unit = Unit.US,
    tool: str = 'cyclictest',
    emulated: bool = False,
) -> Evidence:
    """Return a measurement of one CPU with these samples."""
    histogram = Histogram.from_counts(
        counts, limit=max(counts) + 1, overflow=overflow
    )
    thread = ThreadLatency(
        number=0,
        cpu=2,
        histogram=histogram,
        minimum=min(counts),
        maximum=None if overflow else max(counts),
    )
    return Evidence(
        result=LatencyResult(tool=tool, unit=unit, threads=(thread,)),
        target=Target(
            where=Where.FILE,
            name='made',
            cpus=CPUSet([2]),
            is_emulated=emulated,
        ),
    )


def drawn(seed: int, shift: float = 0.0, samples: int = 4_000) -> Evidence:
    """Return samples of a distribution with a tail, from a seed."""
    source = random.Random(seed)
    return measured(
        Counter(
            int(5 + shift + source.expovariate(0.35)) for _ in range(samples)
        )
    )


def test_a_measurement_does_not_differ_from_itself() -> None:
    evidence = sample_evidence()
    found = compare(evidence, evidence)
    assert found.is_meaningless
    assert found.conclusion == (
        'The difference means nothing: the uncertainty of each shift '
        'includes 0.'
    )
    assert found.differences == ()
    assert [group.name for group in found.roles] == [
        *('real-time', 'housekeeping')
    ]
    assert [group.name for group in found.threads] == [
        *('CPU 0', 'CPU 1', 'CPU 2')
    ]
    for group in (*found.roles, *found.threads):
        for shift in group.shifts:
            assert shift.direction is Direction.UNCLEAR
            low, high = shift.moved.low, shift.moved.high
            assert low is not None
            assert high is not None
            assert low <= 0 <= high


def test_chance_alone_means_nothing() -> None:
    false_alarms = sum(
        not compare(drawn(seed), drawn(seed + 1000)).is_meaningless
        for seed in range(30)
    )
    assert false_alarms <= 2


def test_a_true_shift_lies_in_its_interval() -> None:
    for seed in range(10):
        found = compare(drawn(seed), drawn(seed + 50, shift=4))
        assert not found.is_meaningless
        (group,) = found.roles
        inside = [
            shift.interval.low is not None
            and shift.interval.low <= 4
            and (shift.interval.high is None or shift.interval.high >= 4)
            for shift in group.shifts
        ]
        assert sum(inside) >= len(inside) - 1
        assert 'slower at real-time p50' in found.conclusion


def test_faster_is_the_other_way_round() -> None:
    slow, fast = drawn(1, shift=6), drawn(2)
    there, back = compare(slow, fast), compare(fast, slow)
    for one, other in zip(
        there.roles[0].shifts, back.roles[0].shifts, strict=True
    ):
        if one.percent in ('50', '90', '99'):
            assert one.direction is Direction.FASTER
            assert other.direction is Direction.SLOWER
        assert one.interval.low == pytest.approx(
            None if other.interval.high is None else -other.interval.high
        )


def test_one_bucket_is_no_shift() -> None:
    one, other = measured({6: 10**6}), measured({7: 10**6})
    found = compare(one, other)
    assert found.is_meaningless
    assert found.roles[0].shifts[0].moved.low == 1
    found = compare(one, measured({9: 10**6}))
    assert not found.is_meaningless


def test_what_is_in_the_overflow_is_unbounded() -> None:
    found = compare(measured({5: 1000}), measured({5: 500}, overflow=500))
    shift = {s.percent: s for s in found.roles[0].shifts}['99']
    assert shift.after.high is None
    assert shift.moved.low == 1
    assert shift.moved.high is None
    assert shift.interval.high is None


def test_nanoseconds_and_microseconds_compare() -> None:
    found = compare(
        measured({5: 10**5}), measured({9200: 10**5}, unit=Unit.NS)
    )
    shift = found.roles[0].shifts[0]
    assert shift.moved.low == pytest.approx(4.2)
    assert shift.direction is Direction.SLOWER


@pytest.mark.parametrize(
    ('other', 'why'),
    [
        (
            measured({50: 10**5}, tool='oslat'),
            'cyclictest and oslat do not measure the same',
        ),
        (
            measured({50: 10**5}, emulated=True),
            'the processor of a guest was emulated',
        ),
        (measured({50: 1}), 'there are too few samples for any percentile'),
    ],
)
def test_why_a_difference_means_nothing(other: Evidence, why: str) -> None:
    found = compare(measured({5: 10**5}), other)
    assert found.is_meaningless
    assert found.conclusion == f'The difference means nothing: {why}.'


def test_what_differed_is_told() -> None:
    first = sample_evidence()
    assert first.host
    assert first.plan
    second = dataclasses.replace(
        first,
        load=(),
        host=dataclasses.replace(
            first.host,
            digest='f' * 64,
            summary={**first.host.summary, 'kernel': '6.12.0-rt'},
        ),
        plan=dataclasses.replace(first.plan, emulator=CPUSet([5])),
        findings=(),
    )
    found = {
        (one.where, one.name): (one.first, one.second)
        for one in compare(first, second).differences
    }
    assert found == {
        ('run', 'load'): ('stress-ng --cpu 1 --taskset 0-1', ''),
        ('host', 'kernel'): ('6.1.0-56-rt-amd64', '6.12.0-rt'),
        ('host', 'facts (SHA-256)'): (first.host.digest[:16], 'f' * 16),
        ('plan', 'emulator'): ('[2]', '[5]'),
        ('findings', 'verification'): ('RV-S1 vCPU 2', 'none'),
    }
    third = dataclasses.replace(first, plan=None)
    (only,) = compare(first, third).differences
    assert (only.where, only.first, only.second) == ('plan', 'known', '')

# SPDX-License-Identifier: Apache-2.0
"""Pass, fail, or not enough samples to say."""

from __future__ import annotations

import pytest

from rtvirt.exception import ModelError
from rtvirt.latency.histogram import Histogram
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.result import Unit
from rtvirt.latency.verdict import Budget
from rtvirt.latency.verdict import Outcome
from rtvirt.latency.verdict import Role
from rtvirt.latency.verdict import Verdict
from rtvirt.latency.verdict import judge
from rtvirt.latency.verdict import profile_budget
from rtvirt.latency.verdict import worst
from rtvirt.latency_reader import parse_latency
from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.latency_text import hwlatdetect_text

MANY = 1_000_000


def result_of(
    *histograms: Histogram,
    unit: Unit = Unit.US,
    maxima: tuple[int | None, ...] = (),
) -> LatencyResult:
    maxima = maxima or (None,) * len(histograms)
    return LatencyResult(
        tool='cyclictest',
        unit=unit,
        threads=tuple(
            ThreadLatency(
                number=n, cpu=n, histogram=histogram, maximum=maxima[n]
            )
            for n, histogram in enumerate(histograms)
        ),
    )


def judged(result: LatencyResult, **budget: float) -> Verdict:
    (verdict,) = judge(result, [Budget(**{'limit_us': 40, **budget})])  # type: ignore[arg-type]
    return verdict


def test_within_the_budget_and_often_enough() -> None:
    verdict = judged(result_of(Histogram.from_counts({40: MANY})))
    assert verdict.outcome is Outcome.PASS
    assert verdict.probability == pytest.approx(3e-6, rel=2e-3)
    assert 'none of 1000000 samples' in verdict.reason


def test_one_above_is_a_failure_however_few() -> None:
    verdict = judged(result_of(Histogram.from_counts({5: 10, 41: 1})))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reason == '1 of 11 samples are above 40 us'


def test_too_few_samples_say_nothing() -> None:
    few = result_of(Histogram.from_counts({5: 1000}))
    verdict = judged(few)
    assert verdict.outcome is Outcome.UNDECIDED
    assert 'not enough samples to say' in verdict.reason
    assert '299574 per thread, and there are 1000' in verdict.reason
    assert judged(few, probability=0.01).outcome is Outcome.PASS


def test_exactly_enough_samples_pass() -> None:
    def outcome(number: int) -> Outcome:
        return judged(result_of(Histogram.from_counts({5: number}))).outcome

    assert outcome(299_574) is Outcome.PASS
    assert outcome(299_573) is Outcome.UNDECIDED


def test_the_thread_with_the_fewest_samples_counts() -> None:
    verdict = judged(
        result_of(
            Histogram.from_counts({5: MANY}), Histogram.from_counts({5: 9})
        )
    )
    assert (verdict.outcome, verdict.samples) == (Outcome.UNDECIDED, 9)


def test_an_overflow_below_the_budget_may_be_anything() -> None:
    blind = Histogram.from_counts({5: MANY}, limit=30, overflow=2)
    verdict = judged(result_of(blind))
    assert verdict.outcome is Outcome.UNDECIDED
    assert '2 samples may be above 40 us' in verdict.reason
    within = judged(result_of(blind, maxima=(39,)))
    assert within.outcome is Outcome.PASS
    beyond = judged(result_of(blind, maxima=(41,)))
    assert (beyond.outcome, beyond.exceeding) == (Outcome.FAIL, 1)
    above = Histogram.from_counts({5: MANY}, limit=60, overflow=2)
    assert judged(result_of(above)).exceeding == 2


def test_nanoseconds_are_compared_as_such() -> None:
    just = Histogram.from_counts({40_000: MANY})
    assert judged(result_of(just, unit=Unit.NS)).outcome is Outcome.PASS
    over = Histogram.from_counts({40_001: MANY})
    assert judged(result_of(over, unit=Unit.NS)).outcome is Outcome.FAIL


def test_each_role_has_its_budget() -> None:
    result = result_of(
        Histogram.from_counts({900: MANY}), Histogram.from_counts({9: MANY})
    )
    budgets = [
        Budget(limit_us=40),
        Budget(role=Role.HOUSEKEEPING, limit_us=1000),
    ]
    realtime = CPUSet.parse('1')
    verdicts = judge(result, budgets, realtime=realtime)
    assert [(v.role, v.threads, v.outcome) for v in verdicts] == [
        (Role.REALTIME, (1,), Outcome.PASS),
        (Role.HOUSEKEEPING, (0,), Outcome.PASS),
    ]
    # Where nobody says which are real-time, all are.
    (verdict,) = judge(result, budgets)
    assert (verdict.outcome, verdict.threads) == (Outcome.FAIL, (0, 1))


def test_the_worst_counts() -> None:
    assert worst([]) is Outcome.UNDECIDED
    passed = judged(result_of(Histogram.from_counts({4: MANY})))
    failed = judged(result_of(Histogram.from_counts({41: 1})))
    few = judged(result_of(Histogram.from_counts({4: 1})))
    assert worst([passed]) is Outcome.PASS
    assert worst([passed, few]) is Outcome.UNDECIDED
    assert worst([passed, few, failed]) is Outcome.FAIL


@pytest.mark.parametrize(
    ('tool', 'limit_us'),
    [('cyclictest', 40), ('oslat', 20), ('hwlatdetect', 1)],
)
def test_the_profile_of_red_hat(tool: str, limit_us: int) -> None:
    assert profile_budget('rhel-kvm-rt', tool).limit_us == limit_us


def test_what_no_profile_has_is_said() -> None:
    with pytest.raises(ModelError, match="no profile 'x'"):
        profile_budget('x', 'oslat')
    with pytest.raises(ModelError, match="no budget for 'timerlat'"):
        profile_budget('rhel-kvm-rt', 'timerlat')


def test_a_threshold_above_the_budget_hides_what_counts() -> None:
    budget = profile_budget('rhel-kvm-rt', 'hwlatdetect')

    def outcome(threshold: int) -> Outcome:
        text = hwlatdetect_text({0: 1}, duration=3600, threshold=threshold)
        (verdict,) = judge(parse_latency(text), [budget])
        return verdict.outcome

    assert outcome(1) is Outcome.PASS
    assert outcome(10) is Outcome.UNDECIDED

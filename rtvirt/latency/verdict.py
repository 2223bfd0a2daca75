# SPDX-License-Identifier: Apache-2.0
"""Is it good enough? Yes, no, or not enough samples to say."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rtvirt.exception import ModelError
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.result import Tool
from rtvirt.latency.statistics import Distribution
from rtvirt.latency.statistics import exceedance_bound
from rtvirt.latency.statistics import samples_needed
from rtvirt.model.check import require
from rtvirt.model.check import require_int
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict

DEFAULT_PROBABILITY: Final = 1e-5
"""How rarely a sample may pass the budget, unless somebody says otherwise:
300 000 samples without one show it, a minute of cyclictest at 200 us."""


class Role(enum.StrEnum):
    """What a measured CPU is there for."""

    REALTIME = 'real-time'
    HOUSEKEEPING = 'housekeeping'


class Outcome(enum.StrEnum):
    """What a verdict says."""

    PASS = 'pass'  # noqa: S105 - no secret
    FAIL = 'fail'
    UNDECIDED = 'undecided'
    """Not enough samples to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What CPUs of one role may take.

    :ivar limit_us: no sample may be above it.
    :ivar probability: the samples have to show, with 95 % confidence, that
        a sample is above it no more often than that.
    :ivar source: who set it: an option, the flavor, a profile.
    """

    role: Role = Role.REALTIME
    limit_us: int
    probability: float = DEFAULT_PROBABILITY
    source: str = ''

    def __post_init__(self) -> None:
        require_int('limit_us', self.limit_us, 1)
        require(
            0 < self.probability < 1,
            f'probability is {self.probability}: expected a number between '
            '0 and 1',
        )


PROFILES: Final[Mapping[str, Mapping[str, Budget]]] = FrozenDict(
    {
        # Red Hat's acceptance run for real-time KVM hosts. hwlatdetect has
        # one sample a second: an hour of them has to do.
        'rhel-kvm-rt': FrozenDict(
            {
                Tool.CYCLICTEST: Budget(limit_us=40, source='rhel-kvm-rt'),
                Tool.OSLAT: Budget(limit_us=20, source='rhel-kvm-rt'),
                Tool.HWLATDETECT: Budget(
                    limit_us=1, probability=1e-3, source='rhel-kvm-rt'
                ),
            }
        )
    }
)
"""Budgets of real-time CPUs by profile and tool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the samples of the CPUs of one role say to a budget.

    :ivar threads: the numbers of the threads it is about.
    :ivar samples: of the thread that has the fewest.
    :ivar needed: how many each thread needs, all of them within the budget.
    :ivar exceeding: how many samples of all these threads are known to be
        above the budget.
    :ivar probability: how often a sample is above it at most, with 95 %
        confidence; of the thread that is worst.
    :ivar maximum: the largest latency, in the result's unit.
    :ivar reason: the same in a sentence.
    """

    role: Role
    outcome: Outcome
    budget: Budget
    threads: tuple[int, ...]
    samples: int
    needed: int
    exceeding: int
    probability: float
    maximum: int | None
    reason: str


def profile_budget(profile: str, tool: str) -> Budget:
    """Return what a profile allows a real-time CPU under a tool.

    :raises ModelError: if there is no such profile, or it has no budget for
        the tool.
    """
    if profile not in PROFILES:
        raise ModelError(
            f'there is no profile {profile!r:.60}',
            hint=f'choose one of {", ".join(PROFILES)}',
        )
    budget = PROFILES[profile].get(tool)
    if budget is None:
        raise ModelError(
            f'profile {profile} has no budget for {str(tool)!r:.60}',
            hint='measure with one of '
            f'{", ".join(PROFILES[profile])}, or give a budget of your own',
        )
    return budget


def judge(
    result: LatencyResult,
    budgets: Iterable[Budget],
    *,
    realtime: CPUSet | None = None,
) -> tuple[Verdict, ...]:
    """Judge the CPUs of each role for which there is a budget.

    :param budgets: one per role at most.
    :param realtime: the CPUs that are real-time; None where all are.
    """
    verdicts = []
    for budget in budgets:
        threads = [
            thread
            for thread in result.threads
            if role_of(thread, realtime) is budget.role
        ]
        if threads:
            verdicts.append(_judge(result, threads, budget))
    return tuple(verdicts)


def role_of(thread: ThreadLatency, realtime: CPUSet | None) -> Role:
    """Return what the CPU of a thread is there for.

    A thread of which the tool does not tell the CPU is real-time.
    """
    if realtime is None or thread.cpu is None or thread.cpu in realtime:
        return Role.REALTIME
    return Role.HOUSEKEEPING


def worst(verdicts: Iterable[Verdict]) -> Outcome:
    """Return the worst of several; nothing judged is undecided."""
    order = [Outcome.FAIL, Outcome.UNDECIDED, Outcome.PASS]
    found = [order.index(verdict.outcome) for verdict in verdicts]
    return order[min(found)] if found else Outcome.UNDECIDED


def _judge(
    result: LatencyResult, threads: list[ThreadLatency], budget: Budget
) -> Verdict:
    limit = budget.limit_us * result.unit.per_us
    found = [Distribution(thread).exceedance(limit) for thread in threads]
    needed = samples_needed(budget.probability)
    samples = min(one.samples for one in found)
    exceeding = sum(one.at_least for one in found)
    unknown = sum(one.at_most for one in found) - exceeding
    maxima = [t.maximum for t in threads if t.maximum is not None]
    if exceeding:
        outcome = Outcome.FAIL
        reason = (
            f'{exceeding} of {sum(one.samples for one in found)} samples are '
            f'above {budget.limit_us} us'
        )
    elif unknown:
        outcome = Outcome.UNDECIDED
        reason = (
            f'{unknown} samples may be above {budget.limit_us} us: the '
            'tool did not tell them apart'
        )
    elif samples < needed:
        outcome = Outcome.UNDECIDED
        reason = (
            f'not enough samples to say: none is above {budget.limit_us} us, '
            f'but it takes {needed} per thread, and there are {samples}'
        )
    else:
        outcome = Outcome.PASS
        bound = exceedance_bound(0, samples)
        reason = (
            f'none of {samples} samples or more per thread is above '
            f'{budget.limit_us} us: fewer than {bound:.2g} are, with 95 % '
            'confidence'
        )
    return Verdict(
        role=budget.role,
        outcome=outcome,
        budget=budget,
        threads=tuple(thread.number for thread in threads),
        samples=samples,
        needed=needed,
        exceeding=exceeding,
        probability=max(one.probability for one in found),
        maximum=max(maxima, default=None),
        reason=reason,
    )

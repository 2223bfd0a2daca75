# SPDX-License-Identifier: Apache-2.0
"""What a report says of each measuring thread, in figures and in words."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import Final

from rtvirt.latency.evidence import Evidence
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.result import Unit
from rtvirt.latency.statistics import Bounds
from rtvirt.latency.statistics import Distribution
from rtvirt.latency.statistics import Exceedance
from rtvirt.latency.statistics import Percentile
from rtvirt.latency.verdict import Budget
from rtvirt.latency.verdict import Outcome
from rtvirt.latency.verdict import Role
from rtvirt.latency.verdict import role_of
from rtvirt.latency.verdict import worst
from rtvirt.model.plain import dump

OUTCOMES: Final = {
    Outcome.PASS: 'pass',
    Outcome.FAIL: 'FAIL',
    Outcome.UNDECIDED: 'undecided',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadSummary:
    """One measuring thread.

    :ivar percentiles: those that its samples support, by percent.
    :ivar budget: of its role; None where there is none.
    :ivar exceedance: of that budget.
    """

    thread: ThreadLatency
    unit: Unit
    role: Role
    percentiles: Mapping[str, Percentile]
    budget: Budget | None
    exceedance: Exceedance | None

    @property
    def outcome(self) -> Outcome | None:
        """What its samples alone say; None without a budget."""
        found, budget = self.exceedance, self.budget
        if found is None or budget is None:
            return None
        if found.at_least:
            return Outcome.FAIL
        is_shown = not found.at_most and found.probability <= (
            budget.probability
        )
        return Outcome.PASS if is_shown else Outcome.UNDECIDED

    def to_plain(self) -> dict[str, Any]:
        """Return plain data."""
        thread = self.thread
        return {
            'name': thread.name,
            'number': thread.number,
            'cpu': thread.cpu,
            'context': thread.context,
            'role': str(self.role),
            'unit': str(self.unit),
            'samples': thread.cycles,
            'minimum': thread.minimum,
            'average': thread.average,
            'maximum': thread.maximum,
            'overflow': thread.histogram.overflow,
            'limit': thread.histogram.limit,
            'percentiles': [dump(one) for one in self.percentiles.values()],
            'budget': dump(self.budget) if self.budget else None,
            'exceedance': dump(self.exceedance) if self.exceedance else None,
            'outcome': str(self.outcome) if self.outcome else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One measurement that is reported.

    :ivar name: of the file it came from.
    :ivar digest: of the evidence; to work it out takes a while.
    """

    name: str
    evidence: Evidence
    digest: str
    threads: tuple[ThreadSummary, ...]

    @property
    def unit(self) -> Unit:
        """Of all its latencies."""
        return self.evidence.result.unit

    @property
    def outcome(self) -> Outcome:
        """What the budgets say to it; undecided without one."""
        return worst(self.evidence.verdicts)

    def to_plain(self) -> dict[str, Any]:
        """Return plain data: everything but the histograms."""
        evidence = self.evidence
        result = evidence.result
        return {
            'name': self.name,
            'digest': self.digest,
            'outcome': str(self.outcome),
            'verdicts': [dump(one) for one in evidence.verdicts],
            'tool': result.tool,
            'version': result.version,
            'command': result.command,
            'kernel': result.kernel,
            'duration_s': result.duration_s,
            'started': evidence.started or result.started,
            'is_complete': evidence.is_complete,
            'target': dump(evidence.target),
            'threads': [thread.to_plain() for thread in self.threads],
            'findings': _plain_findings(evidence.findings),
            'checks': _plain_findings(evidence.checks),
        }


def summarize(name: str, evidence: Evidence) -> Run:
    """Return what a report says of a measurement.

    :param evidence: with its verdicts.
    """
    budgets = {budget.role: budget for budget in evidence.budgets}
    unit = evidence.result.unit
    return Run(
        name=name,
        evidence=evidence,
        digest=evidence.digest,
        threads=tuple(
            _summarize(thread, unit, evidence, budgets)
            for thread in evidence.result.threads
        ),
    )


def worst_of(runs: Sequence[Run]) -> Outcome:
    """Return the worst outcome of several measurements."""
    return worst([one for run in runs for one in run.evidence.verdicts])


def _summarize(
    thread: ThreadLatency,
    unit: Unit,
    evidence: Evidence,
    budgets: Mapping[Role, Budget],
) -> ThreadSummary:
    role = role_of(thread, evidence.target.realtime)
    distribution = Distribution(thread)
    budget = budgets.get(role)
    return ThreadSummary(
        thread=thread,
        unit=unit,
        role=role,
        percentiles={one.percent: one for one in distribution.percentiles()},
        budget=budget,
        exceedance=None
        if budget is None
        else distribution.exceedance(budget.limit_us * unit.per_us),
    )


def _plain_findings(findings: Sequence[Any] | None) -> Any:
    return None if findings is None else [dump(one) for one in findings]


def say_us(value: float | None, unit: Unit) -> str:
    """Return a latency in microseconds, without its unit: ``31.5``."""
    if value is None:
        return '-'
    if unit is Unit.US and isinstance(value, int):
        return str(value)
    text = f'{value / unit.per_us:.3f}'
    return text.rstrip('0').rstrip('.') if '.' in text else text


def say_bounds(bounds: Bounds, unit: Unit) -> str:
    """Return what is known of a latency in microseconds: ``>= 100``."""
    say = functools.partial(say_us, unit=unit)
    if bounds.is_exact:
        return say(bounds.low)
    if bounds.high is None:
        return f'>= {say(bounds.low)}'
    return f'{say(bounds.low)}-{say(bounds.high)}'


def say_count(number: int) -> str:
    """Return a number in groups of three digits: ``400 000``."""
    return f'{number:,}'.replace(',', ' ')


def say_probability(value: float) -> str:
    """Return a probability: ``7.5e-06``."""
    return f'{value:.2g}'

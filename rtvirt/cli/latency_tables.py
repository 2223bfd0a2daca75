# SPDX-License-Identifier: Apache-2.0
"""Measurements as tables, in microseconds."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Final

from rtvirt.cli.report import Table
from rtvirt.latency.statistics import PERCENTS
from rtvirt.report.latency.summary import OUTCOMES
from rtvirt.report.latency.summary import Run
from rtvirt.report.latency.summary import ThreadSummary
from rtvirt.report.latency.summary import say_bounds
from rtvirt.report.latency.summary import say_us

_SHOWN: Final = PERCENTS[0], *PERCENTS[2:]
_THREADS: Final = {
    'file': 'File',
    'thread': 'Thread',
    'role': 'Role',
    'samples': 'Samples',
    'minimum_us': 'Min',
    'average_us': 'Avg',
    **{f'p{percent}_us': f'p{percent}' for percent in _SHOWN},
    'maximum_us': 'Max',
    'overflow': 'Overflow',
    'above_budget': 'Above',
    'outcome': 'Verdict',
}
_VERDICTS: Final = {
    'file': 'File',
    'role': 'Role',
    'budget_us': 'Budget',
    'outcome': 'Verdict',
    'reason': 'Why',
}


def threads_table(runs: Sequence[Run]) -> Table:
    """Return the percentiles of every measuring thread."""
    optional = {f'p{percent}_us' for percent in _SHOWN}
    optional |= {'overflow', 'above_budget', 'outcome'}
    if len(runs) == 1:
        optional.add('file')
    return Table(
        title='Percentiles in microseconds',
        columns=_THREADS,
        optional=optional,
        rows=[
            # An optional column is shown where it says something.
            [run.name if len(runs) > 1 else '', *_thread_row(one)]
            for run in runs
            for one in run.threads
        ],
    )


def _thread_row(one: ThreadSummary) -> Iterator[Any]:
    thread, unit = one.thread, one.unit
    yield thread.name
    yield str(one.role)
    yield thread.cycles
    yield say_us(thread.minimum, unit)
    average = thread.average
    yield None if average is None else f'{average / unit.per_us:.1f}'
    for percent in _SHOWN:
        found = one.percentiles.get(percent)
        yield say_bounds(found.value, unit) if found else None
    yield say_us(thread.maximum, unit)
    yield thread.histogram.overflow
    yield one.exceedance.at_least if one.exceedance else None
    yield OUTCOMES[one.outcome] if one.outcome else None


def verdicts_table(runs: Sequence[Run]) -> Table:
    """Return what the budgets say, role by role."""
    return Table(
        title='Verdicts',
        columns=_VERDICTS,
        optional={'file'} if len(runs) == 1 else (),
        rows=[
            [
                run.name if len(runs) > 1 else '',
                str(verdict.role),
                f'{verdict.budget.limit_us} us',
                OUTCOMES[verdict.outcome],
                verdict.reason,
            ]
            for run in runs
            for verdict in run.evidence.verdicts
        ],
    )

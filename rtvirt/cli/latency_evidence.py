# SPDX-License-Identifier: Apache-2.0
"""Evidence as tables."""

from __future__ import annotations

from typing import Any
from typing import Final

from rtvirt.cli.column import CPUs
from rtvirt.cli.exitcode import ExitCode
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.latency.correlation import correlate
from rtvirt.latency.evidence import Evidence
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.statistics import Distribution
from rtvirt.latency.verdict import Outcome
from rtvirt.latency.verdict import role_of
from rtvirt.latency.verdict import worst
from rtvirt.model.plain import dump

_TAIL: Final = ('50', '99', '99.9', '99.99', '99.999', '99.9999')
_THREADS: Final = {
    'thread': 'Thread',
    'role': 'Role',
    'samples': 'Samples',
    'minimum': 'Min',
    'average': 'Avg',
    **{f'p{percent}': f'{percent} %' for percent in _TAIL},
    'maximum': 'Max',
    'overflow': 'Overflow',
}
_VERDICTS: Final = {
    'role': 'Role',
    'budget_us': 'Budget (us)',
    'verdict': 'Verdict',
    'reason': 'Why',
}
_SPIKES: Final = {
    'time_s': 'Second',
    'thread': 'Thread',
    'cpu': 'pCPU',
    'latency': 'New maximum',
    'overflow': 'Overflow',
    'causes': 'On the host meanwhile',
}
_MOST_CAUSES: Final = 3


def report_evidence(evidence: Evidence, *, with_spikes: bool) -> Report:
    """Return what was measured, for a person and for a program."""
    spikes = correlate(evidence) if with_spikes else ()
    document = evidence.to_dict()
    if with_spikes:
        document['spikes'] = [dump(spike) for spike in spikes]
    unit = evidence.result.unit.value
    failed = worst(evidence.verdicts) is Outcome.FAIL
    return Report(
        document=document,
        headline=_headline(evidence),
        tables=(
            Table(
                title=f'Latency in {unit}',
                columns=_THREADS,
                rows=[
                    _thread_row(thread, evidence)
                    for thread in evidence.result.threads
                ],
                optional={'overflow', *(f'p{p}' for p in _TAIL)},
            ),
            Table(
                title='Verdict',
                columns=_VERDICTS,
                rows=[
                    [
                        v.role.value,
                        v.budget.limit_us,
                        v.outcome.value,
                        v.reason,
                    ]
                    for v in evidence.verdicts
                ],
            ),
            Table(
                title='Spikes',
                columns=_SPIKES,
                optional={'overflow'},
                rows=[
                    [
                        round(spike.time_s),
                        spike.thread,
                        spike.pcpu,
                        spike.latency,
                        spike.samples,
                        '; '.join(map(str, spike.causes[:_MOST_CAUSES]))
                        or 'nothing unusual',
                    ]
                    for spike in spikes
                ],
            ),
        ),
        code=ExitCode.FINDINGS if failed else ExitCode.DONE,
    )


def _headline(evidence: Evidence) -> str:
    verdict = (
        worst(evidence.verdicts).value if evidence.verdicts else 'not judged'
    )
    result, target = evidence.result, evidence.target
    return (
        f'{verdict}: {result.tool} on CPUs {CPUs(target.cpus).text} of '
        f'{target.name}, {result.cycles} samples, maximum '
        f'{_known(result.maximum)} {result.unit}'
    )


def _known(value: int | None) -> str:
    return 'unknown' if value is None else str(value)


def _thread_row(thread: ThreadLatency, evidence: Evidence) -> list[Any]:
    found = {
        one.percent: str(one.value)
        for one in Distribution(thread).percentiles(_TAIL)
    }
    average = thread.average
    return [
        thread.name,
        role_of(thread, evidence.target.realtime).value,
        thread.cycles,
        thread.minimum,
        None if average is None else round(average, 1),
        *(found.get(percent) for percent in _TAIL),
        thread.maximum,
        thread.histogram.overflow,
    ]

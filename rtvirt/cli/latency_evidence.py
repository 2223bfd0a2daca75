# SPDX-License-Identifier: Apache-2.0
"""Evidence as tables."""

from __future__ import annotations

from typing import Final

from rtvirt.cli.column import CPUs
from rtvirt.cli.exitcode import ExitCode
from rtvirt.cli.latency_tables import threads_table
from rtvirt.cli.latency_tables import verdicts_table
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.latency.correlation import correlate
from rtvirt.latency.evidence import Evidence
from rtvirt.latency.verdict import Outcome
from rtvirt.latency.verdict import worst
from rtvirt.model.plain import dump
from rtvirt.report.latency.summary import OUTCOMES
from rtvirt.report.latency.summary import say_us
from rtvirt.report.latency.summary import summarize

_SPIKES: Final = {
    'time_s': 'Second',
    'thread': 'Thread',
    'cpu': 'pCPU',
    'latency_us': 'New maximum',
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
    runs = [summarize('', evidence)]
    failed = worst(evidence.verdicts) is Outcome.FAIL
    return Report(
        document=document,
        headline=_headline(evidence),
        tables=(
            threads_table(runs),
            verdicts_table(runs),
            Table(
                title='Spikes',
                columns=_SPIKES,
                optional={'overflow'},
                rows=[
                    [
                        round(spike.time_s),
                        spike.thread,
                        spike.pcpu,
                        say_us(spike.latency, evidence.result.unit),
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
        OUTCOMES[worst(evidence.verdicts)]
        if evidence.verdicts
        else 'not judged'
    )
    result, target = evidence.result, evidence.target
    return (
        f'{verdict}: {result.tool} on CPUs {CPUs(target.cpus).text} of '
        f'{target.name}, {result.cycles} samples, maximum '
        f'{say_us(result.maximum, result.unit)} us'
    )

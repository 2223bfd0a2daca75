# SPDX-License-Identifier: Apache-2.0
"""The parts of a page that tell of one measurement."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from typing import Final

from lxml import etree

from rtvirt.latency.correlation import correlate
from rtvirt.latency.evidence import Evidence
from rtvirt.latency.evidence import FactsDigest
from rtvirt.latency.statistics import PERCENTS
from rtvirt.latency.verdict import Outcome
from rtvirt.latency.verdict import Verdict
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Finding
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.plan import Plan
from rtvirt.report.latency.chart import draw_chart
from rtvirt.report.latency.chart import frame_of
from rtvirt.report.latency.sheet import choose_charts
from rtvirt.report.latency.summary import Run
from rtvirt.report.latency.summary import ThreadSummary
from rtvirt.report.latency.summary import say_bounds
from rtvirt.report.latency.summary import say_count
from rtvirt.report.latency.summary import say_probability
from rtvirt.report.latency.summary import say_us
from rtvirt.report.latency.table import Cell
from rtvirt.report.latency.table import draw_pairs
from rtvirt.report.latency.table import draw_table
from rtvirt.report.markup import html
from rtvirt.report.occupancy import occupy
from rtvirt.report.occupant import Occupant
from rtvirt.report.topology import draw_topology
from rtvirt.verifiers.proof import prove_memory
from rtvirt.verifiers.proof import prove_threads
from rtvirt.verifiers.wanted import memory_of_plan
from rtvirt.verifiers.wanted import threads_of_plan
from rtvirt.verifiers.words import say_pages
from rtvirt.verifiers.words import say_scheduling

_WORDS: Final = {
    Outcome.PASS: '\u2713 Pass',
    Outcome.FAIL: '\u2717 Fail',
    Outcome.UNDECIDED: '? Not enough to say',
}
_MOST_SPIKES: Final = 20
_IDLE: Final = 'Point at a bar, or use the arrow keys, to see its samples.'
_FINDINGS: Final = (
    *(('Code', ''), ('Severity', ''), ('Subject', ''), ('Expected', '')),
    *(('Actual', ''), ('Mend', '')),
)

Part = Iterator[etree._Element]


def draw_verdicts(run: Run) -> Part:
    """Yield what the budgets say, and what makes it void."""
    evidence = run.evidence
    if evidence.target.is_emulated:
        yield html(
            'p',
            'The processor of this guest is emulated: these latencies say '
            'nothing about a guest on real hardware.',
            class_='warning',
        )
    if not evidence.is_complete:
        yield html(
            'p',
            'The measurement was stopped before its time.',
            class_='warning',
        )
    cards = html('div', class_='verdicts')
    for verdict in evidence.verdicts:
        cards.append(_draw_verdict(run, verdict))
    if not evidence.verdicts:
        cards.append(
            html(
                'div',
                html('div', 'No budget was given', class_='word'),
                html('p', 'Without one there is nothing to judge by.'),
                class_='verdict undecided',
            )
        )
    yield cards


def _draw_verdict(run: Run, verdict: Verdict) -> etree._Element:
    budget = verdict.budget
    source = f' ({budget.source})' if budget.source else ''
    reason = verdict.reason[:1].upper() + verdict.reason[1:]
    figures = html('dl')
    for name, text in (
        ('Budget', f'{budget.limit_us} us{source}'),
        ('Maximum', f'{say_us(verdict.maximum, run.unit)} us'),
        ('Fewest samples', say_count(verdict.samples)),
        ('P(above), 95 %', f'< {say_probability(verdict.probability)}'),
    ):
        figures.append(html('div', html('dt', name), html('dd', text)))
    return html(
        'div',
        html('div', _WORDS[verdict.outcome], class_='word'),
        html('div', f'{verdict.role} CPUs', class_='role'),
        html('p', f'{reason}.'),
        figures,
        class_=f'verdict {verdict.outcome}',
    )


def draw_charts(run: Run, most: int, prefix: str) -> Part:
    """Yield the histograms, the worst threads first if there are many."""
    shown = choose_charts(run, most)
    frame = frame_of(run)
    charts = html('div', class_='charts')
    for place, one in enumerate(shown):
        chart = draw_chart(one, frame, f'{prefix}c{place}-')
        caption = html('figcaption', _IDLE, aria_live='polite')
        charts.append(html('figure', chart, caption))
    yield html('h2', 'How late, and how often')
    if len(shown) < len(run.threads):
        yield html(
            'p',
            f'The worst {len(shown)} of {len(run.threads)} threads; the table '
            'has all.',
            class_='muted',
        )
    yield charts


def draw_percentiles(run: Run) -> Part:
    """Yield the table of percentiles and what supports them."""
    percents = [
        percent
        for percent in PERCENTS
        if any(percent in one.percentiles for one in run.threads)
    ]
    heads = [
        *(('CPU', ''), ('Role', ''), ('Samples', 'number')),
        *(('Min', 'number'), ('Avg', 'number')),
        *((f'p{percent}', 'number') for percent in percents),
        *(('Max', 'number'), ('Over budget', 'number')),
    ]
    yield html('h2', 'Percentiles, in microseconds')
    yield html(
        'p',
        'Below each: where the percentile of an endless run lies with 95 % '
        'confidence, and how many samples support it, which are those '
        'beyond it. Where fewer than one would be, none is told.',
        class_='muted',
    )
    yield draw_table(
        heads,
        [_percentile_row(one, percents) for one in run.threads],
        caption='Percentiles by thread',
        is_sortable=True,
    )


def _percentile_row(one: ThreadSummary, percents: Iterable[str]) -> list[Cell]:
    thread, unit = one.thread, one.unit
    row = [
        Cell(
            thread.name,
            is_head=True,
            sort=thread.number if thread.cpu is None else thread.cpu,
        ),
        Cell(str(one.role)),
        Cell(say_count(thread.cycles), 'number', sort=thread.cycles),
        _us(thread.minimum, one),
        _us(thread.average, one),
    ]
    for percent in percents:
        found = one.percentiles.get(percent)
        if found is None:
            row.append(Cell('-', 'number', sort=-1))
            continue
        interval = say_bounds(found.interval, unit)
        row.append(
            Cell(
                say_bounds(found.value, unit),
                'number',
                notes=(interval, f'{say_count(found.beyond)} beyond'),
                sort=found.value.low,
            )
        )
    row.append(_us(thread.maximum, one))
    exceedance = one.exceedance
    if exceedance is None:
        row.append(Cell('-', 'number', sort=-1))
    else:
        row.append(
            Cell(
                say_count(exceedance.at_least),
                'number bad' if exceedance.at_least else 'number',
                notes=(f'P < {say_probability(exceedance.probability)}',),
                sort=exceedance.at_least,
            )
        )
    return row


def _us(value: float | None, one: ThreadSummary) -> Cell:
    return Cell(
        say_us(value, one.unit), 'number', sort=-1 if value is None else value
    )


def draw_place(run: Run, prefix: str) -> Part:
    """Yield where the vCPUs were on the host, as far as it is known."""
    evidence = run.evidence
    if evidence.topology is None:
        return
    yield html('h2', 'Where the threads were')
    guests = []
    if evidence.plan:
        guests.append(Occupant.of_plan(evidence.plan, evidence.target.name))
    occupancy = occupy(evidence.topology, guests)
    name = evidence.topology.name or 'The host'
    picture = draw_topology(occupancy, title=name, prefix=prefix)
    yield html('div', picture, class_='picture')


def draw_verification(run: Run) -> Part:
    """Yield thread by thread what was planned, and what was."""
    evidence = run.evidence
    if evidence.plan and evidence.observed:
        yield html('h2', 'Planned and actual')
        yield _draw_proof(evidence.plan, evidence.observed)
    if evidence.findings is not None:
        yield html('h2', 'Findings of the verification')
        yield _draw_findings(
            evidence.findings, 'Every thread was as it was to be.'
        )


def _draw_proof(plan: Plan, observed: ObservedDomain) -> etree._Element:
    rows = []
    for proof in prove_threads(threads_of_plan(plan), observed):
        thread = proof.thread
        rows.append(
            [
                Cell(proof.subject, is_head=True),
                Cell(str(thread.tid) if thread else '-', 'number'),
                Cell(say_scheduling(proof.planned) if proof.planned else '-'),
                Cell(say_scheduling(thread.scheduling) if thread else '-'),
                _ok(proof.ok),
            ]
        )
    memory = prove_memory(memory_of_plan(plan), observed.memory)
    actual = memory.actual
    rows.append(
        [
            Cell('memory', is_head=True),
            Cell('', 'number'),
            Cell(say_pages(memory.planned.huge or ())),
            Cell(
                str(actual)
                if isinstance(actual, Missing)
                else say_pages(actual)
            ),
            Cell('unknown')
            if isinstance(actual, Missing)
            else _ok(memory.pages_ok),
        ]
    )
    heads = [
        *(('Thread', ''), ('TID', 'number'), ('Planned', '')),
        *(('Actual', ''), ('Verdict', '')),
    ]
    return draw_table(heads, rows, caption='Planned and actual')


def _ok(ok: bool) -> Cell:
    return Cell('ok', 'good') if ok else Cell('WRONG', 'bad')


def draw_checks(run: Run) -> Part:
    """Yield what checks found on the host."""
    if run.evidence.checks is not None:
        yield html('h2', 'Findings on the host')
        yield _draw_findings(
            run.evidence.checks, 'The checks found nothing on the host.'
        )


def _draw_findings(findings: Iterable[Finding], praise: str) -> etree._Element:
    rows = [
        [
            Cell(finding.code, is_head=True),
            Cell(
                'undecided' if finding.is_undecided else str(finding.severity)
            ),
            Cell(finding.subject),
            Cell(finding.expected),
            Cell(finding.actual),
            Cell(finding.hint, 'code'),
        ]
        for finding in findings
    ]
    if not rows:
        return html('p', praise)
    return draw_table(_FINDINGS, rows, caption='Findings')


def draw_spikes(run: Run) -> Part:
    """Yield the high latencies and what the host did in that second."""
    spikes = correlate(run.evidence)
    if not spikes:
        return
    yield html('h2', 'Spikes, and what the host did meanwhile')
    shown = sorted(spikes, key=lambda s: (s.latency or 0, s.samples))
    shown = shown[: -_MOST_SPIKES - 1 : -1]
    if len(shown) < len(spikes):
        yield html(
            'p',
            f'The {len(shown)} highest of {len(spikes)}.',
            class_='muted',
        )
    rows = [
        [
            Cell(f'{spike.time_s:.0f}', 'number', sort=spike.time_s),
            Cell(str(spike.thread), 'number', sort=spike.thread),
            Cell('-' if spike.pcpu is None else str(spike.pcpu), 'number'),
            Cell(say_us(spike.latency, run.unit), 'number'),
            Cell(str(spike.samples), 'number'),
            Cell('; '.join(map(str, spike.causes)) or 'nothing unusual'),
        ]
        for spike in shown
    ]
    heads = [
        *((name, 'number') for name in ('Second', 'Thread', 'pCPU')),
        *((name, 'number') for name in ('New maximum, us', 'In overflow')),
        ('On the host', ''),
    ]
    yield draw_table(heads, rows, caption='Spikes', is_sortable=True)


def draw_setup(run: Run) -> Part:
    """Yield what was run, and on what."""
    evidence = run.evidence
    yield html('h2', 'How it was measured')
    columns = html('div', class_='facts')
    columns.append(
        html('div', html('h3', 'The run'), draw_pairs(_run_pairs(evidence)))
    )
    for name, facts in (('Host', evidence.host), ('Guest', evidence.guest)):
        if facts is not None:
            columns.append(
                html('div', html('h3', name), draw_pairs(_facts_pairs(facts)))
            )
    yield columns


def _run_pairs(evidence: Evidence) -> Iterator[tuple[str, str]]:
    result, target = evidence.result, evidence.target
    yield 'tool', f'{result.tool} {result.version}'.rstrip()
    command = ' '.join(evidence.arguments) or result.command
    if command:
        yield 'command', command
    yield 'load', ' '.join(evidence.load) or 'none that is known'
    where = f'{target.name} ({target.where})' if target.name else target.where
    yield 'target', str(where)
    if target.pins:
        pins = ', '.join(f'{c} on {p}' for c, p in target.pins.items())
        yield 'CPU on pCPU', pins
    if started := evidence.started or result.started:
        yield 'started', started
    duration = evidence.measured_s or result.duration_s
    if duration is not None:
        yield 'duration', f'{duration:g} s'
    if result.interval_us is not None:
        yield 'interval', f'{result.interval_us} us'
    if result.kernel:
        yield 'kernel', result.kernel


def _facts_pairs(facts: FactsDigest) -> Iterator[tuple[str, str]]:
    yield from facts.summary.items()
    yield 'facts (SHA-256)', facts.digest

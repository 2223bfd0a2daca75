# SPDX-License-Identifier: Apache-2.0
"""Words for a terminal and for CI systems."""

from __future__ import annotations

from lxml import etree

from rtvirt.latency.histogram import Histogram
from rtvirt.latency.result import Unit
from rtvirt.latency.statistics import Bounds
from rtvirt.latency.verdict import Outcome
from rtvirt.report.latency.junit import junit_xml
from rtvirt.report.latency.summary import Run
from rtvirt.report.latency.summary import say_bounds
from rtvirt.report.latency.summary import say_us
from rtvirt.report.latency.terminal import draw_histograms
from rtvirt.tests.unit.report.latency.runs import run_of
from rtvirt.tests.unit.report.latency.runs import sample_run
from rtvirt.tests.unit.report.latency.runs import thread


def lines(*runs: Run, width: int = 80) -> list[str]:
    drawn = [*draw_histograms(runs, width)]
    assert max(map(len, drawn)) <= width
    return [str(line) for line in drawn]


def test_the_histogram_of_the_sample() -> None:
    for width in (40, 80, 200):
        text = '\n'.join(lines(sample_run(), width=width))
        first, second = text.strip().split('\n\n')
        assert first.startswith('plc-1, real-time: 800 000 samples')
        assert first.splitlines()[-1].split() == [
            *('>=', '100', 'us'),
            first.splitlines()[-1].split()[3],
            '3',
        ]
        assert '--- budget 40 us ---' in first
        # A budget beyond the histogram stands below what overflowed.
        assert second.splitlines()[-1].startswith('  --- budget 1000 us ---')


def test_bars_are_longer_for_more_samples() -> None:
    run = run_of(
        thread(0, Histogram.from_counts({5: 1, 15: 100, 25: 10_000, 50: 3}))
    )
    rows = lines(run)[1:-1]
    lengths = [row.count('#') for row in rows if '#' in row]
    assert lengths == [*sorted(lengths[:3]), lengths[3]]
    assert 1 <= lengths[0] < lengths[3] < lengths[1]
    (budget,) = [n for n, row in enumerate(rows) if 'budget 40' in row]
    assert budget == len(rows) - 2


def test_ci_reads_a_failure_a_skip_and_a_pass() -> None:
    few = run_of(thread(0, Histogram.from_counts({5: 10})), name='few')
    none = run_of(
        thread(0, Histogram.from_counts({5: 10})),
        name='none\x00<&',
        budget_us=None,
    )
    root = etree.fromstring(junit_xml([sample_run(), few, none]).encode())
    suites = [*root]
    counted = [
        tuple(suite.get(name) for name in ('tests', 'failures', 'skipped'))
        for suite in suites
    ]
    assert counted == [('2', '1', '0'), ('1', '0', '1'), ('1', '0', '1')]
    failure = root.find('.//failure')
    assert failure is not None
    assert failure.get('message') == '3 of 800000 samples are above 40 us'
    skips = [one.get('message') for one in root.iter('skipped')]
    assert skips[0] is not None
    assert skips[0].startswith('not enough samples to say')
    assert skips[1] == 'no budget was given'
    assert 'maximum 161 us' in (root.findtext('.//system-out') or '')


def test_each_thread_has_an_outcome() -> None:
    outcomes = [one.outcome for one in sample_run().threads]
    assert outcomes == [Outcome.PASS, Outcome.PASS, Outcome.FAIL]
    few = run_of(thread(0, Histogram.from_counts({5: 10})))
    assert few.threads[0].outcome is Outcome.UNDECIDED


def test_numbers_are_said_shortly() -> None:
    assert say_us(31, Unit.US) == '31'
    assert say_us(31_000, Unit.NS) == '31'
    assert say_us(31_250, Unit.NS) == '31.25'
    assert say_us(6.1, Unit.US) == '6.1'
    assert say_us(100, Unit.US) == '100'
    assert say_us(None, Unit.US) == '-'
    assert say_bounds(Bounds(low=100, high=None), Unit.US) == '>= 100'
    assert say_bounds(Bounds(low=1000, high=2500), Unit.NS) == '1-2.5'

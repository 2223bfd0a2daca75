# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator

import pytest

from rtvirt.checks.run import Verdict
from rtvirt.checks.run import is_grave
from rtvirt.checks.run import run_checks
from rtvirt.checks.run import summarize
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity
from rtvirt.tests.tuned_host import tuned_host
from rtvirt.tests.unit.checks.plugins import PLUGINS

FATAL, ERROR, WARNING, INFO = Severity


def _finding(
    severity: Severity, code: str = 'X-1', *, is_undecided: bool = False
) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        subject='this',
        expected='that',
        actual='other',
        is_undecided=is_undecided,
    )


@pytest.mark.parametrize(
    ('findings', 'verdict'),
    [
        ([], Verdict.READY),
        ([_finding(WARNING), _finding(INFO)], Verdict.READY),
        ([_finding(ERROR)], Verdict.NOT_READY),
        ([_finding(FATAL), _finding(WARNING)], Verdict.NOT_READY),
        ([_finding(ERROR, is_undecided=True)], Verdict.UNDECIDED),
        ([_finding(WARNING, is_undecided=True)], Verdict.READY),
        (
            [_finding(ERROR), _finding(FATAL, is_undecided=True)],
            Verdict.NOT_READY,
        ),
    ],
)
def test_verdict(findings: list[Finding], verdict: Verdict) -> None:
    assert summarize(findings).verdict is verdict


def test_the_first_mends_are_one_a_check() -> None:
    findings = [
        _finding(FATAL, 'B'),
        _finding(FATAL, 'B'),
        _finding(ERROR, 'C', is_undecided=True),
        _finding(ERROR, 'A'),
        _finding(ERROR, 'D'),
        _finding(ERROR, 'E'),
        _finding(WARNING, 'F'),
    ]
    summary = summarize(findings)
    assert [f.code for f in summary.first] == ['B', 'A', 'D']
    assert summary.counts == {FATAL: 2, ERROR: 3, WARNING: 1, INFO: 0}
    assert summary.undecided == 1


def test_grave() -> None:
    assert is_grave(_finding(FATAL))
    assert is_grave(_finding(ERROR))
    assert not is_grave(_finding(WARNING))
    assert is_grave(_finding(WARNING), WARNING)
    assert not is_grave(_finding(FATAL, is_undecided=True), INFO)


def test_checks_of_others_may_be_plain_functions() -> None:
    def check(facts: HostFacts) -> Iterator[Finding]:
        assert isinstance(facts.kernel.hostname, str)
        yield _finding(INFO, 'SITE-2')
        yield _finding(ERROR, 'SITE-1')

    facts = tuned_host().facts()
    found = run_checks(facts, [*PLUGINS, check])
    assert [f.code for f in found] == ['SITE-1', 'SITE-2']
    found = run_checks(facts, [*PLUGINS, check], only=['SITE-2'])
    assert [f.code for f in found] == ['SITE-2']
    assert run_checks(facts, [check], skip=['SITE']) == ()


def test_the_worst_comes_first_and_the_undecided_last() -> None:
    def check(_facts: HostFacts) -> list[Finding]:
        return [
            _finding(FATAL, 'Z', is_undecided=True),
            _finding(INFO, 'A'),
            _finding(ERROR, 'C'),
            _finding(ERROR, 'B'),
        ]

    found = run_checks(HostFacts(), [check])
    assert [f.code for f in found] == ['B', 'C', 'A', 'Z']


def test_lists_of_cpus_are_compared_as_sets() -> None:
    host = tuned_host()
    told = '/etc/tuned/bootcmdline'
    host.replace(told, 'domain,1-4,6-9', 'domain,1,2-4,6,7-9')
    assert not list(run_checks(host.facts(), PLUGINS, only=['RT-H01']))
    host.replace(told, 'domain,1,2-4,6,7-9', 'domain,1-4,6-8')
    (finding,) = run_checks(host.facts(), PLUGINS, only=['RT-H01'])
    assert finding.actual == 'without isolcpus=managed_irq,domain,1-4,6-8'

# SPDX-License-Identifier: Apache-2.0
"""``rtvirt latency run``: what it asks for, and what it answers.

The machine is one that answers from a file; the tools themselves run in
the integration tests.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from rtvirt.cli.app import main
from rtvirt.cli.latency_run import parse_duration
from rtvirt.exception import ModelError
from rtvirt.latency.evidence import Evidence
from rtvirt.latency.evidence import Where
from rtvirt.measure.machine import Output
from rtvirt.tests.latency_text import cyclictest_table

LOCAL = ('latency', 'run', '--local', '--cpus', '0')


class Recorded:
    """A machine on which cyclictest has just ended."""

    where = Where.LOCAL
    name = 'recorded'
    text = cyclictest_table([{5: 400_000, 39: 1}], 60)

    def __init__(self) -> None:
        self.started: list[tuple[str, ...]] = []

    def start(self, arguments: Sequence[str]) -> Recorded:
        self.started.append(tuple(arguments))
        return self

    def ended(self) -> bool:
        return True

    def end(self) -> None:
        pass

    def process_id(self) -> None:
        return None

    def output(self) -> Output:
        return Output(code=0, stdout=self.text)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    recorded = Recorded()
    monkeypatch.setattr(
        'rtvirt.measure.subject.LocalMachine', lambda: recorded
    )
    return recorded


def test_it_passes_and_keeps_the_evidence(
    machine: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'e.json'
    words = ('--profile', 'rhel-kvm-rt', '-o', str(path))
    assert main([*LOCAL, *words]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        'pass: cyclictest on CPUs 0 of recorded, 400001 samples, '
        'maximum 39 us\n'
    )
    assert '| CPU 0  | real-time |  400001 |' in out
    evidence = Evidence.from_dict(json.loads(path.read_text()))
    assert evidence.arguments == machine.started[0]
    assert evidence.result.command.startswith('cyclictest -m -q -p95')
    assert evidence.verdicts[0].budget.source == 'rhel-kvm-rt'
    assert [file.name for file in tmp_path.iterdir()] == ['e.json']


def test_it_fails_with_3(
    machine: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*LOCAL, '--budget-us', '20', '-f', 'json']) == 3
    (verdict,) = json.loads(capsys.readouterr().out)['verdicts']
    assert (verdict['outcome'], verdict['exceeding']) == ('fail', 1)


def test_without_a_budget_nothing_is_judged(
    machine: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*LOCAL]) == 0
    assert capsys.readouterr().out.startswith('not judged: cyclictest')


def test_housekeeping_has_a_budget_of_its_own(
    machine: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ('--realtime', '1', '--budget-us', '20')
    code = main([*LOCAL, *words, '--housekeeping-budget-us', '50'])
    out = capsys.readouterr().out
    assert code == 0
    assert 'pass: ' in out
    assert '| CPU 0  | housekeeping |' in out


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        ((), 'expected one of --local, --ssh and --domain'),
        (('--local',), 'which CPUs to measure is not given'),
        (('--local', '--domain', 'x'), 'where to measure is not clear'),
        ((*LOCAL[2:], '--duration', '5y'), 'is no duration'),
        ((*LOCAL[2:], '--duration', '0'), 'is no duration'),
        ((*LOCAL[2:], '--interval', '1'), '--interval is 1: expected'),
        ((*LOCAL[2:], '--load'), '--main-cpus, which is not given'),
        ((*LOCAL[2:], '--load', "it's"), 'No closing quotation'),
        ((*LOCAL[2:], '--budget-us', '0'), 'the budget is 0: expected'),
        (
            (*LOCAL[2:], '--budget-us', '5', '--profile', 'rhel-kvm-rt'),
            '--budget-us and --profile are both given',
        ),
        (
            (*LOCAL[2:], '--tool', 'timerlat', '--profile', 'rhel-kvm-rt'),
            "no budget for 'timerlat'",
        ),
        ((*LOCAL[2:], '--probability', '2', '--budget-us', '5'), 'probabilit'),
        (('--ssh', '-oProxyCommand=x', '--cpus', '0'), 'required|argument|no'),
    ],
)
def test_what_cannot_be_is_said(
    words: tuple[str, ...],
    said: str,
    machine: Recorded,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['latency', 'run', *words]) == 2
    error = capsys.readouterr().err
    assert any(word in error for word in said.split('|'))
    assert not machine.started


# cyclictest tells how it is used on standard output.
@pytest.mark.parametrize('told', ['', 'cyclictest V 2.40\nUsage:\n'])
def test_a_tool_that_fails_is_quoted(
    machine: Recorded,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    told: str,
) -> None:
    failed = Output(code=1, stdout=told, stderr='x\nno permission\n')
    monkeypatch.setattr(machine, 'output', lambda: failed)
    assert main([*LOCAL]) == 1
    error = capsys.readouterr().err
    assert 'cyclictest ended with 1 and said: no permission' in error
    assert 'run it as root' in error


@pytest.mark.parametrize(
    ('text', 'seconds'),
    [('90', 90), ('90s', 90), ('10m', 600), ('12h', 43200), ('1d', 86400)],
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds
    with pytest.raises(ModelError, match='no duration'):
        parse_duration(f'-{text}')

# SPDX-License-Identifier: Apache-2.0
"""``rtvirt latency report`` and ``compare`` as their users meet them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from rtvirt.tests.evidence import FILE
from rtvirt.tests.unit.cli.conftest import RTVirt

EVIDENCE = str(FILE)
TEXT = """\
# /dev/cpu_dma_latency set to 0us
# Histogram
000005 000900\t000800
000006 000099\t000198
000041 000001\t000000
# Total: 000001000 000000998
# Min Latencies: 00005 00005
# Avg Latencies: 00005 00005
# Max Latencies: 00041 00500
# Histogram Overflows: 00000 00002
# Histogram Overflow at cycle number:
# Thread 0:
# Thread 1: 00011 00012
"""
"""What ``cyclictest -q -h60 -t2`` prints."""


@pytest.fixture
def text(tmp_path: Path) -> str:
    file = tmp_path / 'run.txt'
    file.write_text(TEXT)
    return str(file)


def test_evidence_is_judged(rtvirt: RTVirt) -> None:
    ended = rtvirt('latency', 'report', EVIDENCE)
    assert (ended.code, ended.err) == (3, '')
    assert ended.out.startswith('FAIL: 3 threads, 1200000 samples\n')
    heading, *rows = ended.rows
    assert heading[:4] == ['Thread', 'Role', 'Samples', 'Min']
    assert rows[2][:3] == ['CPU 2', 'real-time', '400000']
    assert heading[-4:] == ['Max', 'Overflow', 'Above', 'Verdict']
    assert rows[2][-4:] == ['161', '3', '3', 'FAIL']
    assert '--- budget 40 us ---' in ended.out
    assert '>= 100 us XX' in ended.out


def test_a_budget_of_the_command_line_wins(rtvirt: RTVirt) -> None:
    argv = ('latency', 'report', EVIDENCE, '--budget-us', '200')
    ended = rtvirt(*argv, '-f', 'json')
    assert ended.code == 0
    assert ended.json['outcome'] == 'pass'
    assert ended.json['runs'][0]['digest']
    budgets = {
        one['role']: one['budget']['limit_us']
        for one in ended.json['runs'][0]['verdicts']
    }
    assert budgets == {'real-time': 200, 'housekeeping': 1000}


def test_what_a_tool_printed_is_reported(rtvirt: RTVirt, text: str) -> None:
    ended = rtvirt('latency', 'report', text)
    assert ended.code == 0
    assert ended.out.startswith('no budget was given: 2 threads, 2000 samples')
    ended = rtvirt('latency', 'report', text, '--budget-us', '40')
    assert ended.code == 3
    assert rtvirt('latency', 'report', '-', stdin=TEXT).code == 0


def test_too_few_samples_fail_where_asked(rtvirt: RTVirt, text: str) -> None:
    argv = ('latency', 'report', text, '--budget-us', '500')
    ended = rtvirt(*argv)
    assert ended.code == 0
    assert 'not enough samples to say' in ended.out
    assert rtvirt(*argv, '--fail-on', 'undecided').code == 3


@pytest.mark.parametrize(
    ('name', 'head'),
    [
        ('out.html', '<!DOCTYPE html>'),
        ('out.SVG', '<?xml version="1.0"'),
        ('out.json', '{'),
    ],
)
def test_the_name_says_what_is_written(
    rtvirt: RTVirt, tmp_path: Path, name: str, head: str
) -> None:
    file = tmp_path / name
    ended = rtvirt('latency', 'report', EVIDENCE, '-o', file)
    assert (ended.code, ended.err) == (3, '')
    assert file.read_text().startswith(head)
    if name.endswith('.json'):
        same = rtvirt('latency', 'report', EVIDENCE, '-f', 'json').json
        assert json.loads(file.read_text()) == same


def test_a_name_that_says_nothing(rtvirt: RTVirt, tmp_path: Path) -> None:
    ended = rtvirt('latency', 'report', EVIDENCE, '-o', tmp_path / 'out.pdf')
    assert (ended.code, ended.out) == (2, '')
    assert 'hint: let it end in .html, .svg, .json' in ended.err


def test_verdicts_for_ci(rtvirt: RTVirt, tmp_path: Path) -> None:
    file = tmp_path / 'junit.xml'
    rtvirt('latency', 'report', EVIDENCE, '--junit', file)
    (suite,) = etree.fromstring(file.read_bytes())
    assert (suite.get('tests'), suite.get('failures')) == ('2', '1')


def test_runs_are_added_up(rtvirt: RTVirt, text: str) -> None:
    argv = ('latency', 'report', '--merge', text, text)
    ended = rtvirt(*argv, '-f', 'json')
    (run,) = ended.json['runs']
    assert [one['samples'] for one in run['threads']] == [2000, 2000]
    assert run['name'] == 'run.txt + run.txt'
    both = rtvirt('latency', 'report', text, EVIDENCE)
    assert both.rows[0][0] == 'File'
    assert {row[0] for row in both.rows[1:]} == {'run.txt', 'evidence.json'}


def test_what_cannot_be_added_up(
    rtvirt: RTVirt, text: str, tmp_path: Path
) -> None:
    file = tmp_path / 'hwlat.json'
    file.write_text(FILE.read_text().replace('"cyclictest"', '"oslat"'))
    ended = rtvirt('latency', 'report', '--merge', text, file)
    assert (ended.code, ended.out) == (2, '')
    assert 'different tools cannot be merged' in ended.err


def test_what_is_neither(rtvirt: RTVirt, tmp_path: Path) -> None:
    file = tmp_path / 'x.txt'
    file.write_text('hello\n')
    ended = rtvirt('latency', 'report', file)
    assert (ended.code, ended.out) == (1, '')
    assert f'{file}: line 1: this is not what a latency tool' in ended.err
    file.write_text('{"schema_version": 1, "result": {}}')
    ended = rtvirt('latency', 'report', file)
    assert ended.code == 1
    assert ended.err.startswith(f'rtvirt: {file}: ')
    file.write_text('{"schema_version": 1,')
    ended = rtvirt('latency', 'report', file)
    assert ended.code == 1
    assert 'unexpected' not in ended.err


def test_the_same_twice_does_not_differ(rtvirt: RTVirt) -> None:
    ended = rtvirt('latency', 'compare', EVIDENCE, EVIDENCE)
    assert (ended.code, ended.err) == (0, '')
    assert ended.out.startswith('The difference means nothing: ')
    assert ended.rows[1][:6] == [
        'real-time',
        'p50',
        '7',
        '7',
        '+0',
        '-1 to +1',
    ]
    assert 'What else differed' not in ended.out
    assert 'CPU 1' not in ended.out
    by_thread = rtvirt('latency', 'compare', EVIDENCE, EVIDENCE, '--by-thread')
    assert 'CPU 1' in by_thread.out


def test_a_slower_one_fails_where_asked(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    data = json.loads(FILE.read_text())
    for thread in data['result']['threads']:
        values = thread['histogram']['values']
        thread['histogram']['values'] = [value + 20 for value in values]
    data['load'] = []
    file = tmp_path / 'slow.json'
    file.write_text(json.dumps(data))
    argv = ('latency', 'compare', EVIDENCE, file)
    ended = rtvirt(*argv)
    assert ended.code == 0
    assert ended.out.startswith('The second is slower at real-time p50, ')
    assert 'Besides, run differed: see below.' in ended.out
    assert rtvirt(*argv, '--fail-if-slower').code == 3
    back = ('latency', 'compare', file, EVIDENCE, '--fail-if-slower')
    assert rtvirt(*back).code == 0
    document = rtvirt(*argv, '-f', 'json').json
    assert document['schema_version'] == 1
    assert document['is_meaningless'] is False
    assert document['roles'][0]['shifts'][0]['moved'] == {
        'low': 20.0,
        'high': 20.0,
    }

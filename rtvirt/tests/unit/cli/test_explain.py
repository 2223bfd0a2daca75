# SPDX-License-Identifier: Apache-2.0
"""``rtvirt explain`` says what is missing, and what would mend it."""

from __future__ import annotations

from pathlib import Path

from rtvirt.model.plan import Plan
from rtvirt.tests.unit.cli.conftest import EDGE
from rtvirt.tests.unit.cli.conftest import SAMPLES
from rtvirt.tests.unit.cli.conftest import SMALL
from rtvirt.tests.unit.cli.conftest import RTVirt
from rtvirt.tests.unit.report.drawing import Picture

TALK = ('explain', '--flavor', SMALL, '--host', EDGE)
TWO_CELLS = str(SAMPLES / 'hosts' / 'dual-socket-smt-48.xml')


def test_what_is_missing_and_what_would_mend_it(rtvirt: RTVirt) -> None:
    ended = rtvirt(*TALK, '--dedicated', '2-3')
    assert ended.code == 4
    assert 'no host cell has room for guest cell 0' in ended.out
    assert '2 of 4 pCPUs' in ended.out
    assert 'dedicate pCPUs 0-1 as well on host cell 0' in ended.out
    assert 'cpu_dedicated_set: add 0-1' in ended.out


def test_json_has_all_of_it_as_data(rtvirt: RTVirt) -> None:
    ended = rtvirt(*TALK, '--dedicated', '2-3', '-f', 'json')
    assert ended.code == 4
    data = ended.json
    assert data['schema_version'] == 1
    assert (data['fits'], data['plan']) == (False, None)
    (reason,) = data['reasons']
    assert (reason['code'], reason['wanted'], reason['available']) == (
        'dedicated-cpus',
        4,
        2,
    )
    step = data['relaxations'][0]['steps'][0]
    assert (step['kind'], step['cpus']) == ('dedicate-cpus', [0, 1])


def test_a_choice_and_the_next_best(rtvirt: RTVirt) -> None:
    ended = rtvirt(
        'explain', '--flavor', SMALL, '--host', TWO_CELLS, '-f', 'json'
    )
    assert ended.code == 0
    data = ended.json
    plan = Plan.from_dict(data['plan'])
    (choice,) = data['choices']
    assert choice['cpus'] == list(plan.claimed)
    assert choice['exposed'] == 0
    (other,) = data['next_best']
    assert other['host_cell'] != choice['host_cell']


def test_a_choice_for_a_person(rtvirt: RTVirt) -> None:
    ended = rtvirt('explain', '--flavor', SMALL, '--host', TWO_CELLS)
    assert ended.code == 0
    assert 'rt1.small fits dual-socket-smt-48' in ended.out
    assert 'The next best' in ended.out


def test_the_picture_says_what_is_missing_where(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    file = tmp_path / 'why.svg'
    argv = ('explain', '--flavor', SMALL, '--host', EDGE, '--svg', file)
    assert rtvirt(*argv, '--dedicated', '2-4').code == 4
    texts = ' '.join(Picture(file.read_text()).texts())
    assert 'does not fit edge-8' in texts
    assert 'guest cell 0: 3 of 4 pCPUs' in texts
    assert 'What would make it fit, the least change first 1. ' in texts
    ended = rtvirt(*argv, '--dedicated', '2-5')
    assert ended.code == 0
    assert 'v2*  | v3*' in ended.out
    picture = Picture(file.read_text())
    assert picture.use_of(4) == 'realtime'

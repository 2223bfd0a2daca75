# SPDX-License-Identifier: Apache-2.0
"""``rtvirt plan`` says where everything goes, or why nothing does."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
import yaml

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.plan import Plan
from rtvirt.tests.unit.cli.conftest import EDGE
from rtvirt.tests.unit.cli.conftest import SAMPLES
from rtvirt.tests.unit.cli.conftest import SMALL
from rtvirt.tests.unit.cli.conftest import Ended
from rtvirt.tests.unit.cli.conftest import RTVirt
from rtvirt.tests.unit.report.drawing import Picture

TALK = ('plan', '--flavor', SMALL, '--host', EDGE, '--dedicated', '2-5')
SMT = str(SAMPLES / 'hosts' / 'dual-socket-smt-48.xml')
NPS4 = str(SAMPLES / 'hosts' / 'nps4-128.xml')


@pytest.fixture
def flavor(tmp_path: Path) -> Any:
    """Write a flavor with these extra specs; return the file's name."""

    def write(*, vcpus: int = 2, ram: int = 1024, **specs: str) -> str:
        file = tmp_path / 'flavor.yaml'
        file.write_text(
            yaml.safe_dump(
                {
                    'name': 'trial',
                    'vcpus': vcpus,
                    'ram': ram,
                    'properties': {
                        key.replace('__', ':'): value
                        for key, value in specs.items()
                    },
                }
            )
        )
        return str(file)

    return write


def threads(ended: Ended) -> dict[str, dict[str, str]]:
    """Return the rows of csv by thread."""
    rows = csv.DictReader(io.StringIO(ended.out))
    return {row['thread']: row for row in rows}


def test_the_plan_that_the_talk_shows(rtvirt: RTVirt) -> None:
    ended = rtvirt(*TALK)
    assert (ended.code, ended.err) == (0, '')
    assert ended.out.startswith(
        'rt1.small on edge-8: 4 vCPUs, real-time are 2-3\n'
    )
    assert ended.rows == [
        [
            *('Thread', 'Cell', 'Host cell', 'pCPUs', 'Shares with'),
            *('Policy', 'Priority'),
        ],
        ['vCPU 0', '0', '0', '2', '-', '-', '-'],
        ['vCPU 1', '0', '0', '3', '-', '-', '-'],
        ['vCPU 2', '0', '0', '4', '-', 'fifo', '1'],
        ['vCPU 3', '0', '0', '5', '-', 'fifo', '1'],
        ['emulator', '-', '-', '2-3', 'vCPU 0-1', '-', '-'],
        ['I/O 1', '-', '-', '2-3', 'vCPU 0-1', '-', '-'],
    ]
    assert '4 GiB  | 1 GiB     |     4 |' in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_json_is_what_the_library_reads(rtvirt: RTVirt) -> None:
    ended = rtvirt(*TALK, '-f', 'json')
    assert (ended.code, ended.err) == (0, '')
    plan = Plan.from_dict(ended.json)
    assert plan.to_dict() == ended.json
    assert ended.json['schema_version'] == 1
    assert dict(plan.pins) == {v: CPUSet([v + 2]) for v in range(4)}
    assert plan.emulator == CPUSet([2, 3])
    assert plan.realtime == CPUSet([2, 3])
    assert dict(plan.priorities) == {2: 1, 3: 1}
    assert plan.cells[0].page_size_kib == 1048576


def test_yaml_is_the_same_as_json(rtvirt: RTVirt) -> None:
    as_yaml = yaml.safe_load(rtvirt(*TALK, '-f', 'yaml').out)
    assert as_yaml == rtvirt(*TALK, '-f', 'json').json


def test_csv_and_value_are_for_a_shell(rtvirt: RTVirt) -> None:
    rows = threads(rtvirt(*TALK, '-f', 'csv'))
    assert rows['emulator']['cpus'] == '2-3'
    assert rows['vCPU 3'] == {
        'thread': 'vCPU 3',
        'guest_cell': '0',
        'host_cell': '0',
        'cpus': '5',
        'siblings': '',
        'scheduler': 'fifo',
        'priority': '1',
    }
    ended = rtvirt(*TALK, '-f', 'value', '-c', 'pCPUs')
    assert ended.out.split() == ['2', '3', '4', '5', '2-3', '2-3']


def test_columns_are_chosen_by_name_or_heading(rtvirt: RTVirt) -> None:
    one = rtvirt(*TALK, '-c', 'Thread', '-c', 'Host cell')
    other = rtvirt(*TALK, '-c', 'thread', '-c', 'host_cell')
    assert one == other
    assert one.out.splitlines()[1] == '| Thread   | Host cell |'
    ended = rtvirt(*TALK, '-f', 'json', '-c', 'emulator')
    assert ended.json == {'emulator': [2, 3]}


def test_siblings_are_named_with_who_is_there(rtvirt: RTVirt) -> None:
    ended = rtvirt(
        *('plan', '--flavor', str(SAMPLES / 'flavors' / 'rt1.isolate.yaml')),
        *('--host', SMT, '--dedicated', '2-4,26-28', '--pinned', '4'),
    )
    assert ended.code == 0, ended.err
    heading, *rows = ended.rows
    assert heading[4] == 'Shares with'
    others = {row[3]: row[4] for row in rows}
    assert set(others) == {'2', '3', '26', '27', '28'}
    assert others['28'] == '4 (taken)'
    assert others['2'].startswith('26 (vCPU')


def test_a_large_plan_fits_80_columns(rtvirt: RTVirt) -> None:
    ended = rtvirt(
        *('plan', '--flavor', str(SAMPLES / 'flavors' / 'rt2.large.yaml')),
        *('--host', NPS4, '--dedicated', '2-63,66-127'),
    )
    assert max(map(len, ended.out.splitlines())) <= 80
    shared = {row[0]: row[4] for row in ended.rows}
    assert shared['emulator'] == shared['I/O 1'] == 'vCPU 0-1,4-5'
    assert shared['vCPU 2'].endswith('(vCPU 3)')


def test_idle_siblings_are_shown(rtvirt: RTVirt, flavor: Any) -> None:
    path = flavor(hw__cpu_policy='dedicated', hw__cpu_thread_policy='isolate')
    argv = (
        'plan',
        '--flavor',
        path,
        '--host',
        SMT,
        '--dedicated',
        '2-23,26-47',
    )
    ended = rtvirt(*argv, '--strategy', 'spread')
    assert '36 (idle)' in ended.out
    ended = rtvirt(*argv, '--shared', '0-1', '--smt-isolate', 'refuse')
    assert ended.code == 4


def test_a_shared_vcpu_floats_over_the_shared_set(rtvirt: RTVirt) -> None:
    ended = rtvirt(
        *('plan', '--flavor', str(SAMPLES / 'flavors' / 'rt1.mixed.yaml')),
        *('--host', EDGE, '--dedicated', '4-5', '--shared', '0-1'),
        *('-f', 'csv'),
    )
    rows = threads(ended)
    assert rows['vCPU 0']['cpus'] == '0-1'
    assert rows['vCPU 2']['cpus'] == '4'


def test_a_guest_without_cells_floats(rtvirt: RTVirt, flavor: Any) -> None:
    ended = rtvirt(
        'plan', '--flavor', flavor(), '--host', EDGE, '--shared', '0-3'
    )
    assert ended.code == 0
    assert ended.out.startswith('trial on edge-8: floats, nothing is pinned')
    assert ended.rows[1][:4] == ['vCPU 0-1', '-', '-', '0-3']


def test_caches_and_bandwidth_are_shown(rtvirt: RTVirt, flavor: Any) -> None:
    path = flavor(
        hw__cpu_policy='dedicated',
        hw__cpu_realtime='yes',
        hw__cpu_realtime_mask='^0',
        rtvirt__cache_mib='3',
        rtvirt__memory_bandwidth='20',
        rtvirt__emulator_priority='7',
    )
    ended = rtvirt(
        'plan', '--flavor', path, '--host', SMT, '--dedicated', '2-11'
    )
    assert ended.code == 0, ended.err
    assert 'For the real-time vCPUs alone' in ended.out
    assert '| L3 cache 0         | 4 MiB | both  |' in ended.out
    assert '| memory bandwidth 0 | 20 %  | -     |' in ended.out
    (emulator,) = [row for row in ended.rows if row[0] == 'emulator']
    assert emulator[-2:] == ['fifo', '7']


def test_what_does_not_fit_ends_with_4(rtvirt: RTVirt) -> None:
    ended = rtvirt(*TALK[:-1], '2-4')
    assert (ended.code, ended.out) == (4, '')
    first, *reasons = ended.err.splitlines()
    assert first.startswith('rtvirt: ')
    assert 'rt1.small' in first
    assert any('cell 0' in reason for reason in reasons)
    for form in ('csv', 'value'):
        assert rtvirt(*TALK[:-1], '2-4', '-f', form) == ended


def test_json_of_what_does_not_fit_has_the_reasons(rtvirt: RTVirt) -> None:
    ended = rtvirt(*TALK[:-1], '2-4', '-f', 'json')
    assert ended.code == 4
    assert ended.err
    assert ended.json['schema_version'] == 1
    (reason,) = ended.json['reasons']
    assert reason['code'] == 'dedicated-cpus'
    assert (reason['wanted'], reason['available']) == (4, 3)
    assert reason['sentence'] in ended.err


def test_pinned_and_reserved_are_not_given_away(rtvirt: RTVirt) -> None:
    argv = TALK[:-2]
    ended = rtvirt(*argv, '--dedicated', '2-7', '--pinned', '3-4')
    assert [row[3] for row in ended.rows[1:5]] == ['2', '5', '6', '7']
    pages = ('--reserved-pages', 'node:0,size:1GB,count:13')
    ended = rtvirt(*argv, '--dedicated', '2-7', *pages)
    assert ended.code == 4
    assert 'pages' in ended.err


def test_strategy(rtvirt: RTVirt) -> None:
    argv = (
        *('plan', '--flavor', SMALL, '--host', SMT, '-f', 'value'),
        *('-c', 'host_cell', '--dedicated', '2-23', '--pinned', '2-5'),
    )
    assert rtvirt(*argv).out.split()[0] == '0'
    assert rtvirt(*argv, '--strategy', 'spread').out.split()[0] == '1'


def test_allocation_ratios(rtvirt: RTVirt, flavor: Any) -> None:
    path = flavor(ram=8192, hw__numa_nodes='1')
    argv = ('plan', '--flavor', path, '--host', EDGE, '--shared', '0-3')
    assert rtvirt(*argv).code == 0
    assert rtvirt(*argv, '--ram-allocation-ratio', '1').code == 0
    assert rtvirt(*argv, '--ram-allocation-ratio', '0.2').code == 4
    assert rtvirt(*argv, '--cpu-allocation-ratio', '0.25').code == 4


def test_the_command_line_wins_over_the_file(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    file = tmp_path / 'rtvirt.conf'
    file.write_text(
        f'[rtvirt]\nconnection_uri = {EDGE}\ncpu_dedicated_set = 4-7\n'
        'reserved_huge_pages = node:0,size:1GiB,count:16\n'
    )
    argv: tuple[str, ...]
    argv = ('plan', '--flavor', SMALL, '--config-file', str(file))
    ended = rtvirt(*argv)
    assert ended.code == 4
    argv += ('--reserved-pages', 'node:0,size:1GiB,count:0')
    ended = rtvirt(*argv, '-f', 'value', '-c', 'cpus')
    assert ended.out.split()[:4] == ['4', '5', '6', '7']
    ended = rtvirt(*argv, '--dedicated', '0-3', '-f', 'value', '-c', 'cpus')
    assert ended.out.split()[:4] == ['0', '1', '2', '3']
    ended = rtvirt(*argv, '--host', NPS4, '--dedicated', '0-3,64-67')
    assert ' on nps4-128: ' in ended.out


def test_flavor_and_image_from_standard_input(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    text = Path(SMALL).read_text()
    argv = ('--host', EDGE, '--dedicated', '2-5')
    assert rtvirt('plan', '--flavor', '-', *argv, stdin=text).code == 0
    image = '{"properties": {"hw_cpu_realtime_mask": "^0"}, "tags": []}'
    ended = rtvirt(*TALK, '--image', '-', '-f', 'json', stdin=image)
    assert ended.json['guest']['realtime'] == [1, 2, 3]


def test_the_map_is_for_a_person_alone(rtvirt: RTVirt) -> None:
    ended = rtvirt(*TALK, '--shared', '0-1')
    *_, upper, lower, gib, _kib, _, legend = ended.out.splitlines()
    assert upper.split() == ['L3', '0', *'0|1|2|3|4|5|6|7']
    assert lower.split()[::2] == [
        *('~', '~', 'v0+', 'v1+', 'v2*', 'v3*', 'host', 'host')
    ]
    assert gib.endswith(']  4 planned, 12 of 16 free')
    assert legend.startswith('~ shared set   * real-time')
    for form in ('csv', 'value', 'yaml'):
        assert 'v2*' not in rtvirt(*TALK, '-f', form).out
    assert 'v2*' not in rtvirt(*TALK, '-c', 'thread').out


def test_the_picture_shows_the_plan(rtvirt: RTVirt, tmp_path: Path) -> None:
    file = tmp_path / 'plan.svg'
    ended = rtvirt(*TALK, '-f', 'json', '--svg', file)
    assert ended.code == 0
    assert Plan.from_dict(ended.json)
    picture = Picture(file.read_text())
    assert [picture.use_of(cpu) for cpu in range(2, 6)] == [
        *('vcpu', 'vcpu', 'realtime', 'realtime')
    ]
    assert 'rt1.small on edge-8: 4 vCPUs, real-time are 2-3' in picture.texts()

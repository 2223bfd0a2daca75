# SPDX-License-Identifier: Apache-2.0
"""``rtvirt flavor`` says what is asked for, and what may be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rtvirt.extraspecs.catalog import SPECS
from rtvirt.tests.unit.cli.conftest import SAMPLES
from rtvirt.tests.unit.cli.conftest import SMALL
from rtvirt.tests.unit.cli.conftest import RTVirt

FLAVOR = {
    'name': 'trial',
    'vcpus': 4,
    'ram': 1024,
    'properties': {
        'hw:cpu_policy': 'dedicated',
        'hw:cpu_realtime': 'yes',
        'hw:cpu_realtime_mask': '^0-1',
        'hw:mem_page_size': 'large',
        'hw:numa_nodes': '2',
        'rtvirt:priority': '2=50,3=10',
        'rtvirt:cache_mib': '4',
        'rtvirt:latency_budget_us': '40',
        'quota:cpu_shares': '512',
    },
}


def show(rtvirt: RTVirt, *argv: str, **changes: Any) -> Any:
    text = json.dumps({**FLAVOR, **changes})
    return rtvirt('flavor', 'show', '-', *argv, stdin=text)


def test_a_flavor_cell_by_cell(rtvirt: RTVirt) -> None:
    ended = show(rtvirt)
    assert (ended.code, ended.err) == (0, '')
    assert ended.out.startswith('trial: 4 vCPUs, 1 GiB\n')
    assert ended.rows == [
        [
            *('Cell', 'vCPUs', 'Dedicated', 'Shared', 'Real-time'),
            *('Memory', 'Page size'),
        ],
        ['0', '0-1', '0-1', '-', '-', '512 MiB', 'large'],
        ['1', '2-3', '2-3', '-', '2-3', '512 MiB', 'large'],
    ]
    for setting, value in [
        ('CPU policy', 'dedicated'),
        ('scheduler', 'fifo, priorities 2=50 3=10'),
        ('locked memory', 'yes'),
        ('CPU shares', '512'),
        ('L3 cache', '4 MiB'),
        ('latency budget', '40 us'),
    ]:
        assert f'| {setting:17} | {value} ' in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_json_has_numbers_and_lists(rtvirt: RTVirt) -> None:
    found = show(rtvirt, '-f', 'json').json
    assert found['schema_version'] == 1
    assert found['cells'][1] == {
        'id': 1,
        'shared': [],
        'dedicated': [2, 3],
        'memory_mib': 512,
        'page_size': 'large',
    }
    assert found['realtime'] == [2, 3]
    assert found['priorities'] == {'2': 50, '3': 10}
    assert found['cpu_policy'] == 'dedicated'


def test_csv_has_units_in_its_headings(rtvirt: RTVirt) -> None:
    lines = rtvirt('flavor', 'show', SMALL, '-f', 'csv').out.splitlines()
    heading, row = lines
    assert heading.endswith('"shared","realtime","memory_mib","page_size"')
    assert row == '0,"0-3","0-3","","2-3",4096,1048576'


def test_one_vcpu_and_no_cells(rtvirt: RTVirt) -> None:
    ended = show(rtvirt, vcpus=1, properties={})
    assert ended.out.startswith(
        'trial: 1 vCPU, 1 GiB; it floats, nothing is pinned\n\nSettings\n'
    )


@pytest.mark.parametrize(
    'text',
    [
        'hw_cpu_realtime_mask: ^0',
        '{"hw_cpu_realtime_mask": "^0"}',
        'properties: {hw_cpu_realtime_mask: ^0}\nstatus: active\n',
        "properties: hw_cpu_realtime_mask='^0', os_distro='debian'",
        '{"properties": {"hw_cpu_realtime_mask": "^0", "stores": ["a"]}}',
        '{"hw_cpu_realtime_mask": "^0", "tags": ["x"], "checksum": null}',
        '{"hw_cpu_realtime_mask": "^0", "min_ram": 0, "protected": false}',
    ],
)
def test_images_as_clients_print_them(
    rtvirt: RTVirt, tmp_path: Path, text: str
) -> None:
    image = tmp_path / 'image'
    image.write_text(text)
    ended = rtvirt(
        'flavor', 'show', SMALL, '--image', str(image), '-f', 'json'
    )
    assert ended.code == 0, ended.err
    assert ended.json['realtime'] == [1, 2, 3]


@pytest.mark.parametrize(
    ('text', 'error'),
    [
        ('[]', 'is no image: its top level is a list'),
        ('properties: [a]', 'image properties'),
        ('hw_cpu_policy: dedicated', 'hw:cpu_policy'),
    ],
)
def test_a_useless_image_ends_with_1(
    rtvirt: RTVirt, tmp_path: Path, text: str, error: str
) -> None:
    image = tmp_path / 'image'
    image.write_text(text)
    flavor = str(SAMPLES / 'flavors' / 'rt1.mixed.yaml')
    ended = rtvirt('flavor', 'show', flavor, '--image', str(image))
    assert (ended.code, ended.out) == (1, '')
    assert error in ended.err


def test_what_is_let_pass_is_a_warning(rtvirt: RTVirt) -> None:
    properties = {'hw:emulator_threads_policy': 'share'}
    ended = show(rtvirt, properties=properties)
    assert ended.code == 0
    assert ended.err.startswith('rtvirt: hw:emulator_threads_policy has no')
    assert ended.err.count('\n') == 1


def test_the_catalogue_is_listed(rtvirt: RTVirt) -> None:
    ended = rtvirt('flavor', 'list-specs', '-f', 'json')
    assert [spec['name'] for spec in ended.json['extra_specs']] == [
        spec.name for spec in SPECS
    ]
    assert ended.json['schema_version'] == 1
    lines = rtvirt('flavor', 'list-specs').out.splitlines()
    assert len(lines) == len(SPECS) + 4
    assert lines[1].count('|') == 4


def test_the_catalogue_can_be_narrowed(rtvirt: RTVirt) -> None:
    argv = ('flavor', 'list-specs', '--match', 'realtime')
    names = rtvirt(*argv, '-f', 'value', '-c', 'name').out.split()
    assert 'hw:cpu_realtime_mask' in names
    assert all('realtime' in name for name in names)
    long = rtvirt(*argv, '--long').out.splitlines()
    assert long[1].count('|') == 9
    ended = rtvirt('flavor', 'list-specs', '--match', 'nonsense')
    assert (ended.code, ended.out) == (0, '')

# SPDX-License-Identifier: Apache-2.0
"""The samples do what their first lines and their README say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.tests.unit.cli.conftest import SAMPLES
from rtvirt.tests.unit.cli.conftest import RTVirt

FLAVORS = sorted((SAMPLES / 'flavors').iterdir())
HOSTS = sorted((SAMPLES / 'hosts').iterdir())


def name_of(path: Path) -> str:
    return path.stem


def read_host(path: Path) -> HostTopology:
    return HostTopology.from_capabilities(path.read_bytes())


@pytest.mark.parametrize('path', FLAVORS, ids=name_of)
def test_a_flavor_is_named_as_its_file(rtvirt: RTVirt, path: Path) -> None:
    ended = rtvirt('flavor', 'show', str(path), '-f', 'json')
    assert ended.code == 0, ended.err
    assert ended.json['name'] == path.stem


def test_the_readme_names_every_sample() -> None:
    text = (SAMPLES / 'README.rst').read_text()
    named = set(re.findall(r'``((?:flavors|hosts)/[^`]*\.[a-z]+)``', text))
    assert named == {
        f'{path.parent.name}/{path.name}' for path in FLAVORS + HOSTS
    }


def test_the_small_host() -> None:
    (cell,) = read_host(SAMPLES / 'hosts' / 'edge-8.xml').cells
    assert cell.cpus == CPUSet(range(8))
    assert all(len(core) == 1 for core in cell.siblings)
    assert {pool.size_kib: pool.total for pool in cell.pages} == {
        4: 4194304,
        2048: 0,
        1048576: 16,
    }


def test_the_two_socket_host() -> None:
    host = read_host(SAMPLES / 'hosts' / 'dual-socket-smt-48.xml')
    assert [cell.socket for cell in host.cells] == [0, 1]
    for cell in host.cells:
        assert len(cell.cpus) == 24
        assert all(len(core) == 2 for core in cell.siblings)
    assert all(bank.granularity_kib for bank in host.caches)
    assert all(node.granularity for node in host.bandwidths)


def test_the_eight_cell_host() -> None:
    host = read_host(SAMPLES / 'hosts' / 'nps4-128.xml')
    assert len(host.cells) == 8
    for cell in host.cells:
        assert len(cell.l3) == 2
        assert len(cell.siblings) == 8
        assert all(len(core) == 2 for core in cell.siblings)
    assert len(host.caches) == 16
    assert all(bank.granularity_kib for bank in host.caches)


def test_page_pools_fill_the_memory() -> None:
    for path in HOSTS:
        for cell in read_host(path).cells:
            size = sum(pool.size_kib * pool.total for pool in cell.pages)
            assert size == cell.memory_mib * 1024


@pytest.mark.parametrize(
    ('flavor', 'host', 'sets'),
    [
        ('rt1.small', 'edge-8', ['--dedicated', '2-5']),
        ('rt1.isolate', 'edge-8', ['--dedicated', '2-6']),
        ('rt1.mixed', 'edge-8', ['--dedicated', '2-3', '--shared', '0-1']),
        ('rt1.tiny', 'dual-socket-smt-48', ['--dedicated', '2-5']),
        ('rt2.large', 'dual-socket-smt-48', ['--dedicated', '2-23,26-47']),
        ('rt2.large', 'nps4-128', ['--dedicated', '2-63,66-127']),
        ('rt1.isolate', 'nps4-128', ['--dedicated', '2-63,66-127']),
    ],
)
def test_each_flavor_fits_a_host(
    rtvirt: RTVirt, flavor: str, host: str, sets: list[str]
) -> None:
    ended = rtvirt(
        *('plan', '--flavor', str(SAMPLES / 'flavors' / f'{flavor}.yaml')),
        *('--host', str(SAMPLES / 'hosts' / f'{host}.xml'), *sets),
    )
    assert (ended.code, ended.err) == (0, '')

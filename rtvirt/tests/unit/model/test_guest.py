# SPDX-License-Identifier: Apache-2.0
"""A guest requirement that contradicts itself cannot exist."""

import dataclasses
import pickle
from typing import Any

import pytest

from rtvirt.exception import ModelError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.pages import PageSize


def cell(id: int = 0, cpus: str = '0-3', **rest: Any) -> GuestCell:
    fields = {'dedicated': CPUSet.parse(cpus), 'memory_mib': 2048, **rest}
    return GuestCell(id=id, **fields)


def guest(**changed: Any) -> GuestRequirement:
    fields: dict[str, Any] = {
        'name': 'f',
        'vcpus': 4,
        'memory_mib': 2048,
        'topology': CPUTopology(sockets=4),
        'cells': (cell(),),
        'cpu_policy': CPUPolicy.DEDICATED,
        'realtime': CPUSet([2, 3]),
        'priorities': {2: 1, 3: 99},
        **changed,
    }
    return GuestRequirement(**fields)


def test_guest() -> None:
    made = guest()
    assert made.dedicated == {0, 1, 2, 3}
    assert made.priorities == {2: 1, 3: 99}
    assert pickle.loads(pickle.dumps(made)) == made
    assert dataclasses.replace(made, pmu=False).pmu is False
    assert hash(made) == hash(guest(priorities={3: 99, 2: 1}))


def test_a_guest_that_floats() -> None:
    made = guest(cells=(), realtime=CPUSet(), priorities={})
    assert made.dedicated == CPUSet()


def test_cell() -> None:
    made = cell(shared=CPUSet([4]), page_size=PageSize.ANY)
    assert made.vcpus == {0, 1, 2, 3, 4}
    assert cell(page_size=4).page_size == 4
    assert cell(memory_mib=0).memory_mib == 0


@pytest.mark.parametrize(
    ('changed', 'about'),
    [
        ({'id': -1}, 'id'),
        ({'id': True}, 'id'),
        ({'memory_mib': -1}, 'memory_mib'),
        ({'memory_mib': 1.5}, 'memory_mib'),
        ({'page_size': 0}, 'page_size'),
        ({'page_size': 2048.0}, 'page_size'),
        ({'page_size': 'any'}, 'page_size'),
        ({'shared': CPUSet([3, 4])}, 'vCPUs 3 are both'),
    ],
)
def test_no_cell(changed: dict[str, Any], about: str) -> None:
    with pytest.raises(ModelError, match=about):
        cell(**changed)


@pytest.mark.parametrize(
    ('changed', 'about'),
    [
        ({'vcpus': 0}, 'vcpus'),
        ({'vcpus': 16385}, 'vcpus'),
        ({'vcpus': True, 'cells': (cell(cpus='0'),)}, 'vcpus'),
        ({'memory_mib': -1}, 'memory_mib'),
        ({'memory_mib': 4096}, 'hold 2048 MiB, not 4096'),
        ({'cells': (cell(1),)}, 'guest cell 1 stands at position 0'),
        ({'cells': (cell(cpus='0-2'),)}, 'hold vCPUs 0-2, not 0 to 3'),
        ({'cells': (cell(cpus='0-4'),)}, 'hold vCPUs 0-4, not 0 to 3'),
        ({'cells': (cell(), cell(1, '3'))}, 'vCPUs 3 are in two'),
        ({'cells': ()}, 'vCPUs 2-3 are not dedicated'),
        (
            {
                'cells': (
                    cell(cpus='0-2', shared=CPUSet([3])),
                )
            },
            'vCPUs 3 are not dedicated',
        ),
        ({'priorities': {2: 1}}, 'each real-time vCPU and no other'),
        ({'priorities': {}}, 'each real-time vCPU and no other'),
        ({'priorities': {1: 1, 2: 1, 3: 1}}, 'and no other'),
        ({'priorities': {2: 1, 3.0: 1}}, 'and no other'),
        ({'priorities': {2: 1, '3': 1}}, 'and no other'),
        ({'realtime': CPUSet()}, 'and no other'),
        ({'priorities': {2: 0, 3: 1}}, 'priority'),
        ({'priorities': {2: 1, 3: 100}}, 'priority'),
        ({'priorities': {2: 1, 3: True}}, 'priority of vCPU 3'),
        ({'priorities': {2: 1, 3: 1.0}}, 'priority of vCPU 3'),
        ({'emulator_priority': 100}, 'emulator_priority'),
        ({'emulator_priority': -1}, 'emulator_priority'),
        ({'iothreads': -1}, 'iothreads'),
        ({'cache_mib': 0}, 'cache_mib'),
        ({'memory_bandwidth': 101}, 'memory_bandwidth'),
        ({'latency_budget_us': 0}, 'latency_budget_us'),
    ],
)  # fmt: skip
def test_no_guest(changed: dict[str, Any], about: str) -> None:
    with pytest.raises(ModelError, match=about):
        guest(**changed)


def test_vcpu_named_true() -> None:
    """True equals 1, but is no vCPU."""
    cells = (cell(),)
    with pytest.raises(ModelError, match='each real-time vCPU'):
        guest(cells=cells, realtime=CPUSet([1]), priorities={True: 1})


@pytest.mark.parametrize('part', ['sockets', 'cores', 'threads'])
def test_no_topology(part: str) -> None:
    with pytest.raises(ModelError, match=part):
        CPUTopology(**{'sockets': 1, part: 0})

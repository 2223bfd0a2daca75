# SPDX-License-Identifier: Apache-2.0
import copy
import dataclasses
import pickle
from typing import Any

import pytest

from rtvirt.exception import ModelError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.plan import Plan
from rtvirt.model.plan import PlannedCell
from rtvirt.model.resctrl import CacheAllocation

P = CPUSet.parse

GUEST = GuestRequirement(
    name='guest',
    vcpus=5,
    memory_mib=3072,
    cells=(
        GuestCell(id=0, shared=P('0'), dedicated=P('1-2'), memory_mib=1024),
        GuestCell(id=1, dedicated=P('3-4'), memory_mib=2048),
    ),
    topology=CPUTopology(sockets=5),
    cpu_policy=CPUPolicy.MIXED,
    realtime=P('2-4'),
    priorities={2: 1, 3: 1, 4: 2},
)


def cell(number: int, **changes: Any) -> PlannedCell:
    fields: tuple[dict[str, Any], ...] = (
        {
            'guest_cell': 0,
            'host_cell': 0,
            'pins': {0: P('0-1'), 1: P('2'), 2: P('3')},
            'page_size_kib': 4,
            'memory_mib': 1024,
        },
        {
            'guest_cell': 1,
            'host_cell': 1,
            'pins': {3: P('8'), 4: P('9')},
            'emulator': P('10'),
            'idle': P('11-12'),
            'page_size_kib': 1048576,
            'memory_mib': 2048,
        },
    )
    return PlannedCell(**{**fields[number], **changes})


def plan(
    first: PlannedCell | None = None,
    second: PlannedCell | None = None,
    **changes: Any,
) -> Plan:
    return Plan(
        **{
            'guest': GUEST,
            'cells': (first or cell(0), second or cell(1)),
            'emulator': P('0-1,10'),
            'iothreads': {1: P('0-1')},
            **changes,
        }
    )


def test_a_sound_plan() -> None:
    made = plan(
        caches=(CacheAllocation(bank=0, size_kib=1024),),
        memory_bandwidth={1: 30},
        host='0123',
    )
    assert list(made.pins) == [0, 1, 2, 3, 4]
    assert made.claimed == P('2-3,8-12')
    assert made.claimed_masks == (P('2-3').mask, P('8-12').mask)
    assert made.cells[1].pages == 2
    assert made.is_controlled
    assert made.realtime == P('2-4')
    assert made.priorities[4] == 2
    assert Plan.from_dict(made.to_dict()) == made
    assert pickle.loads(pickle.dumps(made)) == made
    assert copy.deepcopy(made) == made
    assert dataclasses.replace(made, host='') != made
    assert hash(made) == hash(Plan.from_dict(made.to_dict()))
    assert type(made.cells[0].pins) is FrozenDict


def test_it_is_frozen() -> None:
    made = plan()
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.host = 'x'  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.cells[0].host_cell = 5  # type: ignore[misc]
    assert type(made) is Plan
    assert type(made.cells[0]) is PlannedCell


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'cells': (cell(0),)}, '1 cells are planned, 2 asked for'),
        ({'first': cell(0, guest_cell=1)}, 'cell 0 is not planned as asked'),
        ({'first': cell(0, memory_mib=512)}, 'cell 0 is not planned as asked'),
        ({'second': cell(1, host_cell=0)}, 'on one host cell'),
        ({'second': cell(1, pins={3: P('8')})}, 'cell 1 is not planned as'),
        (
            {'second': cell(1, pins={3: P('8'), 0: P('9')})},
            'cell 1 has no vCPU 0',
        ),
        (
            {'second': cell(1, pins={3: P('8'), 4: P('9,13')})},
            'vCPU 4 is dedicated: it needs one pCPU, not 9,13',
        ),
        (
            {'second': cell(1, pins={3: P('8'), 4: P('')})},
            'vCPU 4 is dedicated: it needs one pCPU, not none',
        ),
        (
            {'second': cell(1, pins={3: P('8'), 4: P('8')})},
            'pCPUs 8 are planned twice',
        ),
        (
            {'second': cell(1, pins={3: P('3'), 4: P('9')})},
            'pCPUs 3 are planned twice',
        ),
        ({'second': cell(1, idle=P('8'))}, 'pCPUs 8 are planned twice'),
        ({'second': cell(1, idle=P('10'))}, 'pCPUs 10 are planned twice'),
        (
            {'first': cell(0, pins={0: P(''), 1: P('2'), 2: P('3')})},
            'vCPU 0 has no pCPU to run on',
        ),
        ({'emulator': P('')}, 'emulator threads have no pCPU'),
        ({'emulator': P('3')}, 'on pCPU 3 of real-time vCPU 2'),
        ({'iothreads': {1: P('8')}}, 'on pCPU 8 of real-time vCPU 3'),
        ({'memory_bandwidth': {0: 0}}, 'the bandwidth of node 0 is 0'),
        (
            {'caches': (CacheAllocation(bank=0, size_kib=4),) * 2},
            'a cache bank is named twice',
        ),
    ],
)
def test_one_that_contradicts_itself_cannot_exist(
    changes: Any, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        plan(**changes)


def test_pins_that_add_up_by_chance() -> None:
    """The masks of 0-1, 3 and 1 add up to three bits, as sound pins do."""
    asked = GuestRequirement(
        name='three',
        vcpus=3,
        memory_mib=4,
        cells=(GuestCell(id=0, dedicated=P('0-2'), memory_mib=4),),
        topology=CPUTopology(sockets=3),
        cpu_policy=CPUPolicy.DEDICATED,
    )
    pins = {0: P('0-1'), 1: P('3'), 2: P('1')}
    wrong = PlannedCell(
        guest_cell=0, host_cell=0, pins=pins, page_size_kib=4, memory_mib=4
    )
    with pytest.raises(ModelError, match='one pCPU, not 0-1'):
        Plan(guest=asked, cells=(wrong,), emulator=P('3'))


def test_caches_are_for_real_time_vcpus() -> None:
    calm = dataclasses.replace(GUEST, realtime=P(''), priorities={})
    with pytest.raises(ModelError, match='there are none'):
        plan(guest=calm, memory_bandwidth={0: 10})


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'page_size_kib': 0}, 'page_size_kib is 0'),
        ({'page_size_kib': 2.0}, 'page_size_kib is 2.0'),
        ({'memory_mib': -1}, 'memory_mib is -1'),
        (
            {'page_size_kib': 1048576, 'memory_mib': 512},
            '512 MiB are no whole pages of 1048576 KiB',
        ),
    ],
)
def test_a_planned_cell_has_whole_pages(changes: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        cell(0, **changes)


def test_a_guest_that_floats() -> None:
    floating = GuestRequirement(
        name='f', vcpus=1, memory_mib=1, topology=CPUTopology(sockets=1)
    )
    made = Plan(guest=floating, cells=(), floating=P('0-3'), emulator=P(''))
    assert dict(made.pins) == {}
    assert not made.claimed

# SPDX-License-Identifier: Apache-2.0
"""Which pCPUs a guest cell gets: never worse than an exhaustive search."""

import random
from typing import Any

import pytest

from rtvirt.exception import FitError
from rtvirt.fitting.engine import fit
from rtvirt.fitting.score import score
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import L3Policy
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.tests.oracle.seating import choice_of
from rtvirt.tests.oracle.seating import choices
from rtvirt.tests.oracle.seating import rank
from rtvirt.tests.oracle.seeds import seeds

P = CPUSet.parse


def guest(vcpus: int, realtime: str = '', **fields: Any) -> GuestRequirement:
    return GuestRequirement(
        name='guest',
        vcpus=vcpus,
        memory_mib=64,
        cells=(
            GuestCell(id=0, dedicated=CPUSet(range(vcpus)), memory_mib=64),
        ),
        topology=CPUTopology(sockets=vcpus),
        cpu_policy=CPUPolicy.DEDICATED,
        realtime=P(realtime),
        priorities=dict.fromkeys(P(realtime), 1),
        **fields,
    )


def host(cores: str, **fields: Any) -> HostTopology:
    """A host of one cell, its cores written as in ``0,4 1,5``."""
    siblings = tuple(map(P, cores.split()))
    every = CPUSet(cpu for core in siblings for cpu in core)
    return HostTopology(
        cells=(
            HostCell(
                **{
                    'id': 0,
                    'dedicated': every,
                    'siblings': siblings,
                    'memory_mib': 1024,
                    **fields,
                }
            ),
        )
    )


def seats(guest: GuestRequirement, host: HostTopology) -> str:
    plan = fit(guest, host)
    text = ' '.join(str(plan.pins[vcpu]) for vcpu in range(guest.vcpus))
    cell = plan.cells[0]
    if cell.emulator:
        text += f' e{cell.emulator}'
    return text + (f' i{cell.idle}' if cell.idle else '')


def random_question(
    draw: random.Random,
) -> tuple[GuestRequirement, HostTopology]:
    size = draw.choice([1, 2, 2, 4])
    hybrid = draw.random() < 0.25
    cores = []
    first = 0
    while first < 8:
        threads = draw.choice([1, 2, 4]) if hybrid else size
        cores.append(CPUSet(range(first, first + threads)))
        first += threads
    cpus = range(first)
    dedicated = CPUSet(cpus)
    shared = draw.choice([CPUSet(), dedicated])
    if draw.random() < 0.4:
        dedicated = CPUSet(c for c in cpus if draw.random() < 0.85)
        left = [c for c in cpus if c not in dedicated]
        shared = CPUSet(c for c in left if draw.random() < 0.5)
    caches = [CPUSet() for _ in range(draw.choice([1, 2, 2, 3]))]
    for core in cores:
        caches[draw.randrange(len(caches))] |= core
    taken = draw.choice([0, 0.15, 0.3])
    cell = HostCell(
        id=0,
        dedicated=dedicated,
        shared=shared,
        siblings=tuple(cores),
        pinned=CPUSet(c for c in dedicated if draw.random() < taken),
        memory_mib=1024,
        l3=tuple(cache for cache in caches if cache),
    )
    vcpus = draw.randint(1, 4)
    share = draw.choice([0, 0.5, 0.8])
    realtime = CPUSet(v for v in range(vcpus) if draw.random() < share)
    emulator = draw.choice([None, EmulatorPolicy.ISOLATE])
    if len(realtime) == vcpus:
        emulator = EmulatorPolicy.ISOLATE
    return guest(
        vcpus,
        str(realtime),
        thread_policy=draw.choice([None, None, *ThreadPolicy]),
        emulator_policy=emulator,
        l3_policy=draw.choice([L3Policy.NONE, *L3Policy]),
    ), HostTopology(cells=(cell,))


def test_no_choice_is_better() -> None:
    fitting = 0
    for seed in seeds(250, 20_000):
        asked, there = random_question(random.Random(seed))
        cell = there.cells[0]
        try:
            plan = fit(asked, there)
        except FitError:
            continue
        best = max(rank(one, cell, asked) for one in choices(cell, asked))
        found = choice_of(plan.cells[0], asked)
        assert rank(found, cell, asked) == best, seed
        fitting += 1
    assert fitting > 150


def test_score_counts_what_the_search_counts() -> None:
    for seed in seeds(200, 5000):
        asked, there = random_question(random.Random(seed))
        cell = there.cells[0]
        try:
            planned = fit(asked, there).cells[0]
        except FitError:
            continue
        found = score(planned, asked, cell)
        counted = rank(choice_of(planned, asked), cell, asked)
        policy = asked.thread_policy
        if policy is ThreadPolicy.ISOLATE:
            assert found.exposed == -counted[1], seed
            assert found.whole_cores == counted[3], seed
        elif policy is None:
            assert (-found.exposed, found.whole_cores, found.pairs) == (
                counted[0],
                counted[2],
                counted[3],
            ), seed
        else:
            assert (found.pairs, -found.exposed, found.whole_cores) == (
                counted[0],
                counted[1],
                counted[3],
            ), seed
        if policy is not ThreadPolicy.ISOLATE:
            assert len(found.rank(policy)) == 4


@pytest.mark.parametrize(
    ('cores', 'asked', 'expected'),
    [
        pytest.param(
            '2 3 4 5', guest(4, '2-3'), '2 3 4 5', id='no siblings, in order'
        ),
        pytest.param(
            '0,4 1,5 2,6 3,7', guest(4, '2-3'), '0 4 1 5', id='pairs apart'
        ),
        pytest.param(
            '0,4 1,5 2,6 3,7',
            guest(4, '1-3'),
            '0 4 1 5',
            id='one is exposed, the others not',
        ),
        pytest.param(
            '0,4 1,5 2,6 3,7',
            guest(4, '0,2'),
            '0 1 4 5',
            id='real-time ones together',
        ),
        pytest.param(
            '0,4 1,5 2,6 3,7',
            guest(2, '1', emulator_policy=EmulatorPolicy.ISOLATE),
            '0 4 e1',
            id='the emulator not beside a real-time vCPU',
        ),
        pytest.param(
            '0-3 4-7',
            guest(4, '0-1', thread_policy=ThreadPolicy.REQUIRE),
            '0 1 2 3',
            id='four threads a core',
        ),
    ],
)
def test_seats_on_an_empty_cell(
    cores: str, asked: GuestRequirement, expected: Any
) -> None:
    assert seats(asked, host(cores)) == expected


def test_a_lone_vcpu_takes_a_lone_thread() -> None:
    there = host('0,4 1,5 2,6 3,7', pinned=P('6'))
    assert seats(guest(1), there) == '2'


def test_the_emulator_is_beside_the_guests_own_housekeeping() -> None:
    there = host('0-3 4-7', pinned=P('3,7'))
    asked = guest(4, '0-1', emulator_policy=EmulatorPolicy.ISOLATE)
    assert seats(asked, there) == '0 1 4 5 e6'


def test_prefer_takes_a_pair_where_no_policy_takes_lone_threads() -> None:
    there = host('0,4 1,5 2,6 3,7', pinned=P('6-7'))
    assert seats(guest(2), there) == '2 3'
    asked = guest(2, thread_policy=ThreadPolicy.PREFER)
    assert seats(asked, there) == '0 4'


def test_require_takes_an_odd_number() -> None:
    there = host('0,4 1,5 2,6')
    asked = guest(3, thread_policy=ThreadPolicy.REQUIRE)
    assert seats(asked, there) == '0 4 1'


def test_require_needs_siblings() -> None:
    asked = guest(2, thread_policy=ThreadPolicy.REQUIRE)
    with pytest.raises(FitError, match='does not fit'):
        fit(asked, host('0 1 2 3'))


def test_isolate_claims_the_siblings() -> None:
    there = host('0,4 1,5 2,6 3,7')
    asked = guest(
        2,
        '1',
        thread_policy=ThreadPolicy.ISOLATE,
        emulator_policy=EmulatorPolicy.ISOLATE,
    )
    assert seats(asked, there) == '0 1 e2 i4-6'
    assert there.claim(fit(asked, there)).cells[0].pinned == P('0-2,4-6')


def test_isolate_with_the_emulator_where_no_core_is_empty() -> None:
    there = host('0,4 1,5', pinned=P('1'))
    asked = guest(
        1,
        thread_policy=ThreadPolicy.ISOLATE,
        emulator_policy=EmulatorPolicy.ISOLATE,
    )
    assert seats(asked, there) == '0 e5 i4'


def test_isolate_on_cores_with_one_usable_thread_each() -> None:
    there = host('0,4 1,5', dedicated=P('0-1'))
    asked = guest(2, thread_policy=ThreadPolicy.ISOLATE)
    assert seats(asked, there) == '0 1'


def test_l3_policies() -> None:
    caches = {'l3': (P('0-1,4-5'), P('2-3,6-7')), 'pinned': P('0')}
    there = host('0,4 1,5 2,6 3,7', **caches)
    require = guest(4, l3_policy=L3Policy.REQUIRE)
    assert seats(require, there) == '2 6 3 7'
    prefer = guest(5, l3_policy=L3Policy.PREFER)
    assert len(fit(prefer, there).pins) == 5
    with pytest.raises(FitError) as caught:
        fit(guest(5, l3_policy=L3Policy.REQUIRE), there)
    assert [reason.code for reason in caught.value.reasons] == ['l3']
    assert caught.value.reasons[0].available == 4


def test_l3_require_where_caches_are_unknown() -> None:
    with pytest.raises(FitError) as caught:
        fit(guest(1, l3_policy=L3Policy.REQUIRE), host('0 1'))
    assert 'L3 caches are unknown' in caught.value.reasons[0].sentence


def test_the_tightest_l3_is_used() -> None:
    there = host('0 1 2 3 4 5', l3=(P('0-3'), P('4-5')), shared=CPUSet())
    assert seats(guest(2, l3_policy=L3Policy.PREFER), there) == '4 5'
    assert seats(guest(2), there) == '0 1'

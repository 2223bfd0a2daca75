# SPDX-License-Identifier: Apache-2.0
"""Claims on one host, step by step, against a ledger kept apart from it."""

import dataclasses
import random
from collections import Counter
from typing import Any

import pytest

from rtvirt.exception import FitError
from rtvirt.fitting.engine import fit
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostTopology
from rtvirt.model.plan import Plan
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank
from rtvirt.model.vacancy import Vacancy
from rtvirt.tests.oracle.case import random_guest
from rtvirt.tests.oracle.seeds import factor

P = CPUSet.parse


def guest(
    vcpus: int, realtime: str = '', page_size: int = 2048, **fields: Any
) -> GuestRequirement:
    return GuestRequirement(
        name='guest',
        vcpus=vcpus,
        memory_mib=64,
        cells=(
            GuestCell(
                id=0,
                dedicated=CPUSet(range(vcpus)),
                memory_mib=64,
                page_size=page_size,
            ),
        ),
        topology=CPUTopology(sockets=vcpus),
        cpu_policy=CPUPolicy.DEDICATED,
        realtime=P(realtime),
        priorities=dict.fromkeys(P(realtime), 1),
        **fields,
    )


def host() -> HostTopology:
    there = HostTopology.uniform(
        cells=3,
        cores=8,
        threads=2,
        l3_per_cell=2,
        memory_mib=16384,
        pages={2048: 2048, 1048576: 6},
        dedicated=CPUSet(range(3, 48)),
        shared=P('0-2'),
    )
    groups = [cache for cell in there.cells for cache in cell.l3]
    return dataclasses.replace(
        there,
        caches=tuple(
            CacheBank(
                id=id,
                cpus=cpus,
                size_kib=16384,
                granularity_kib=1024,
                max_groups=6,
            )
            for id, cpus in enumerate(groups)
        ),
        bandwidths=tuple(
            BandwidthNode(
                id=id, cpus=cpus, granularity=10, minimum=10, max_groups=8
            )
            for id, cpus in enumerate(groups)
        ),
    )


class Ledger:
    """Who holds what, counted apart from the host."""

    def __init__(self) -> None:
        self.cpus: set[int] = set()
        self.counts: Counter[object] = Counter()

    def book(self, plan: Plan, sign: int) -> None:
        for cell, want in zip(plan.cells, plan.guest.cells, strict=True):
            held = {c for v in want.dedicated for c in cell.pins[v]}
            held |= set(cell.emulator) | set(cell.idle)
            if sign > 0:
                assert not held & self.cpus, 'a pCPU is held twice'
                self.cpus |= held
            else:
                assert held <= self.cpus
                self.cpus -= held
            here = cell.host_cell
            pages = cell.memory_mib * 1024 // cell.page_size_kib
            self.counts[here, cell.page_size_kib] += sign * pages
            self.counts[here, 'mib'] += sign * cell.memory_mib
            self.counts[here, 'shared'] += sign * len(want.shared)
        for part in plan.caches:
            self.counts['cache', part.bank] += sign * part.size_kib
        for node, percent in plan.memory_bandwidth.items():
            self.counts['bandwidth', node] += sign * percent
        self.counts['groups'] += sign * bool(
            plan.caches or plan.memory_bandwidth
        )

    def check(self, host: HostTopology) -> None:
        pinned = {cpu for cell in host.cells for cpu in cell.pinned}
        assert pinned == self.cpus
        for cell in host.cells:
            assert cell.memory_used_mib == self.counts[cell.id, 'mib']
            assert cell.shared_usage == self.counts[cell.id, 'shared']
            for pool in cell.pages:
                assert pool.used == self.counts[cell.id, pool.size_kib]
                assert pool.used + pool.reserved <= pool.total or (
                    pool.size_kib == 4
                )
        for bank in host.caches:
            assert bank.used_kib == self.counts['cache', bank.id]
            assert bank.used_kib < bank.size_kib
        for node in host.bandwidths:
            assert node.used == self.counts['bandwidth', node.id]
            assert node.used < 100
        assert host.control_groups == self.counts['groups']


def check_derived(host: HostTopology) -> None:
    """What is derived step by step is what is derived at once."""
    for known, cell in zip(host.vacancies, host.cells, strict=True):
        fresh = Vacancy(cell)
        for name in Vacancy.__slots__:
            if name != 'layout':
                assert getattr(known, name) == getattr(fresh, name)


def test_nothing_is_booked_twice_or_lost() -> None:
    """A walk of claims and releases, ended by releasing all."""
    draw = random.Random(20)
    empty = there = host()
    ledger = Ledger()
    held: list[Plan] = []
    guests = [random_guest(draw) for _ in range(60)]
    fitted = 0
    for step in range(3000 * factor(1000)):
        if held and draw.random() < 0.48:
            plan = held.pop(draw.randrange(len(held)))
            there = there.release(plan)
            ledger.book(plan, -1)
        else:
            try:
                plan = fit(draw.choice(guests), there)
            except FitError:
                continue
            there = there.claim(plan)
            ledger.book(plan, 1)
            held.append(plan)
            fitted += 1
        if step % 25 == 0:
            ledger.check(there)
            check_derived(there)
    assert fitted > 500
    for plan in held:
        there = there.release(plan)
    assert there == empty
    check_derived(there)


def test_a_claim_of_what_is_taken_is_refused() -> None:
    there = host()
    plan = fit(guest(2), there)
    claimed = there.claim(plan)
    with pytest.raises(FitError, match='cannot be claimed') as caught:
        claimed.claim(plan)
    (reason,) = caught.value.reasons
    assert reason.code == 'dedicated-cpus'
    assert 'are not free' in str(reason)


def test_a_claim_of_what_is_not_there_is_refused() -> None:
    plan = fit(guest(2), host(), strategy='spread')
    assert plan.cells[0].host_cell == 1
    smaller = HostTopology.uniform(cells=1, cores=2)
    with pytest.raises(FitError) as caught:
        smaller.claim(plan)
    assert [reason.code for reason in caught.value.reasons] == ['host-cells']
    other = HostTopology.uniform(cells=2, cores=4, pages={})
    with pytest.raises(FitError) as caught:
        other.claim(plan)
    assert [reason.code.value for reason in caught.value.reasons] == [
        'dedicated-cpus',
        'pages',
    ]


def test_a_claim_of_more_pages_than_there_are_is_refused() -> None:
    plan = fit(guest(2), host())
    bare = dataclasses.replace(
        host(),
        cells=tuple(
            dataclasses.replace(
                cell,
                pages=tuple(
                    dataclasses.replace(pool, used=pool.total)
                    for pool in cell.pages
                ),
            )
            for cell in host().cells
        ),
    )
    with pytest.raises(FitError) as caught:
        bare.claim(plan)
    (reason,) = caught.value.reasons
    assert (reason.code, reason.wanted, reason.available) == ('pages', 32, 0)


def test_a_release_of_what_is_not_held_is_refused() -> None:
    there = host()
    plan = fit(guest(2), there)
    with pytest.raises(FitError, match='cannot be released') as caught:
        there.release(plan)
    assert {reason.code.value for reason in caught.value.reasons} == {
        'dedicated-cpus',
        'memory',
        'pages',
    }


def test_claims_by_name() -> None:
    there = host()
    first = fit(guest(2), there)
    one = there.claim(first, name='one')
    second = fit(guest(3), one)
    both = one.claim(second, name='two')
    assert [holder.name for holder in both.holders] == ['one', 'two']
    (holding,) = both.holders[1].holdings
    assert holding.cpus == second.claimed
    assert holding.pages == 32
    with pytest.raises(FitError, match="the name 'two' is taken"):
        both.claim(fit(guest(1), both), name='two')
    with pytest.raises(FitError, match="are held by 'one'"):
        both.release(first)
    with pytest.raises(FitError, match="are held by 'one'"):
        both.release(first, name='two')
    with pytest.raises(FitError, match='does not hold'):
        both.claim(fit(guest(1), both)).release(
            fit(guest(1), both), name='two'
        )
    assert both.release(second, name='two') == one
    assert both.release(first, name='one').release(second, name='two') == there
    assert HostTopology.from_dict(both.to_dict()) == both


def test_caches_are_exclusive() -> None:
    """Each L3 has 16 MiB, of which 1 stays the host's."""
    there = host()
    plans = []
    while True:
        asked = guest(2, '1', cache_mib=5, memory_bandwidth=20)
        try:
            plan = fit(asked, there)
        except FitError as error:
            reasons = error.reasons
            break
        (part,) = plan.caches
        assert part.size_kib == 5120
        assert list(plan.memory_bandwidth.values()) == [20]
        there = there.claim(plan)
        plans.append(plan)
    # One of six resctrl groups is the host's.
    assert len(plans) == 5
    assert {reason.code.value for reason in reasons} == {
        'cache',
        'memory-bandwidth',
    }
    assert 'all 5 resctrl groups are taken' in str(reasons[0])
    for plan in plans:
        there = there.release(plan)
    assert there == host()


def test_no_resctrl() -> None:
    there = HostTopology.uniform()
    with pytest.raises(FitError) as caught:
        fit(guest(2, '1', page_size=4, cache_mib=5), there)
    assert 'no resctrl' in str(caught.value.reasons[0])


def test_isolated_siblings_are_claimed() -> None:
    there = host()
    asked = guest(
        2,
        thread_policy=ThreadPolicy.ISOLATE,
        emulator_policy=EmulatorPolicy.ISOLATE,
    )
    plan = fit(asked, there, strategy='spread')
    assert len(plan.claimed) == 6
    claimed = there.claim(plan)
    assert {c for cell in claimed.cells for c in cell.pinned} == plan.claimed
    assert claimed.release(plan) == there

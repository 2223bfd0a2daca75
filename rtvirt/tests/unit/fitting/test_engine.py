# SPDX-License-Identifier: Apache-2.0
import pickle
from collections.abc import Sequence
from typing import Any

import pytest

from rtvirt.exception import FitError
from rtvirt.exception import ModelError
from rtvirt.fitting.demand import Demand
from rtvirt.fitting.demand import prepare
from rtvirt.fitting.engine import fit
from rtvirt.fitting.engine import fits
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.model.limits import Limits
from rtvirt.model.pages import PagePool
from rtvirt.model.pages import PageSize
from rtvirt.model.reason import ReasonCode
from rtvirt.model.vacancy import Vacancy

P = CPUSet.parse
GIB = 1048576


def guest(*sizes: int, realtime: str = '', **fields: Any) -> GuestRequirement:
    """A guest with a cell of ``size`` dedicated vCPUs and GiB for each."""
    cells = []
    first = 0
    page_size = fields.pop('page_size', GIB)
    memory = fields.pop('memory_mib', [size * 1024 for size in sizes])
    policy = fields.setdefault('cpu_policy', CPUPolicy.DEDICATED)
    shared = fields.pop('shared', CPUSet())
    for id, size in enumerate(sizes):
        vcpus = CPUSet(range(first, first + size))
        first += size
        if policy is CPUPolicy.SHARED:
            shared |= vcpus
        cells.append(
            GuestCell(
                id=id,
                dedicated=vcpus - shared,
                shared=vcpus & shared,
                memory_mib=memory[id],
                page_size=page_size,
            )
        )
    return GuestRequirement(
        name='guest',
        vcpus=first,
        memory_mib=sum(memory),
        cells=tuple(cells),
        topology=CPUTopology(sockets=first),
        realtime=P(realtime),
        priorities=dict.fromkeys(P(realtime), 1),
        **fields,
    )


def cell(id: int, cpus: str, gib: int = 8, **fields: Any) -> HostCell:
    return HostCell(
        **{
            'id': id,
            'dedicated': P(cpus),
            'memory_mib': 16384,
            'pages': (
                PagePool(size_kib=4, total=2 << 20),
                PagePool(size_kib=GIB, total=gib),
            ),
            **fields,
        }
    )


def host(*cells: HostCell) -> HostTopology:
    return HostTopology(cells=cells)


def codes(
    guest: GuestRequirement, host: HostTopology, **kwargs: Any
) -> list[str]:
    with pytest.raises(FitError) as caught:
        fit(guest, host, **kwargs)
    assert not fits(prepare(guest), host, **_but_strategy(kwargs))
    return [reason.code.value for reason in caught.value.reasons]


def _but_strategy(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in kwargs.items()
        if key not in {'strategy', 'accept'}
    }


def chosen(
    guest: GuestRequirement, host: HostTopology, **kwargs: Any
) -> list[int]:
    plan = fit(guest, host, **kwargs)
    return [cell.host_cell for cell in plan.cells]


def test_the_talk() -> None:
    """Four vCPUs, two of them real-time, on dedicated pCPUs 2 to 5."""
    there = HostTopology.uniform(
        cells=1, cores=8, dedicated=P('2-5'), shared=P('0-1')
    )
    plan = fit(guest(4, realtime='2-3'), there)
    assert {v: str(c) for v, c in plan.pins.items()} == {
        0: '2',
        1: '3',
        2: '4',
        3: '5',
    }
    assert plan.emulator == P('2-3')
    assert plan.iothreads == {1: P('2-3')}
    assert plan.cells[0].page_size_kib == GIB
    assert plan.host == there.digest


def test_a_guest_without_cells_floats() -> None:
    there = HostTopology.uniform(
        cells=2, cores=4, dedicated=P('2-7'), shared=P('0-1')
    )
    asked = GuestRequirement(
        name='g', vcpus=2, memory_mib=64, topology=CPUTopology(sockets=2)
    )
    plan = fit(asked, there)
    assert plan.cells == ()
    assert plan.floating == plan.emulator == P('0-1')
    assert fits(prepare(asked), there)
    nowhere = HostTopology.uniform(dedicated=P('0-7'))
    assert codes(asked, nowhere) == [ReasonCode.SHARED_CPUS]


class TestEmulator:
    shared = HostTopology.uniform(
        cells=2, cores=4, dedicated=P('2-7'), shared=P('0-1')
    )
    legacy = HostTopology.uniform(cells=2, cores=4)

    def test_share(self) -> None:
        asked = guest(2, realtime='0-1', emulator_policy=EmulatorPolicy.SHARE)
        plan = fit(asked, self.shared)
        assert plan.emulator == P('0-1')

    def test_share_without_a_shared_set(self) -> None:
        asked = guest(2, realtime='1', emulator_policy=EmulatorPolicy.SHARE)
        assert codes(asked, self.legacy) == [ReasonCode.EMULATOR]
        plain = guest(2, emulator_policy=EmulatorPolicy.SHARE)
        assert fit(plain, self.legacy).emulator == P('0-1')

    def test_isolate_is_on_the_first_guest_cells_host_cell(self) -> None:
        asked = guest(
            2, 2, realtime='0-3', emulator_policy=EmulatorPolicy.ISOLATE
        )
        plan = fit(asked, self.legacy)
        assert plan.emulator == plan.cells[0].emulator == P('2')
        assert not plan.cells[1].emulator

    def test_nowhere_to_run(self) -> None:
        with pytest.raises(FitError, match='all vCPUs are real-time'):
            fit(guest(2, realtime='0-1'), self.shared)

    def test_mixed_guests_run_it_on_the_shared_pcpus(self) -> None:
        asked = guest(
            3, realtime='1-2', cpu_policy=CPUPolicy.MIXED, shared=P('0')
        )
        plan = fit(asked, self.shared)
        assert plan.pins[0] == plan.emulator == P('0-1')

    def test_mixed_guests_need_pcpus_that_are_only_shared(self) -> None:
        asked = guest(2, cpu_policy=CPUPolicy.MIXED, shared=P('0'))
        assert ReasonCode.SHARED_CPUS in codes(asked, self.legacy)


class TestPages:
    there = host(
        cell(
            0,
            '0-3',
            pages=(
                PagePool(size_kib=4, total=1 << 20, used=1 << 19),
                PagePool(size_kib=2048, total=1024, used=100, reserved=412),
                PagePool(size_kib=GIB, total=2, reserved=1),
            ),
        )
    )

    @pytest.mark.parametrize(
        ('page_size', 'mib', 'expected'),
        [
            (None, 2048, 4),
            (PageSize.SMALL, 2048, 4),
            (PageSize.LARGE, 1024, GIB),
            (PageSize.LARGE, 512, 2048),
            (PageSize.ANY, 2048, 4),
            (PageSize.ANY, 1024, GIB),
            (2048, 1024, 2048),
            (GIB, 1024, GIB),
        ],
    )
    def test_choice(
        self, page_size: int | PageSize | None, mib: int, expected: Any
    ) -> None:
        asked = guest(1, page_size=page_size, memory_mib=[mib])
        assert fit(asked, self.there).cells[0].page_size_kib == expected

    @pytest.mark.parametrize(
        ('page_size', 'mib', 'expected'),
        [
            (None, 2052, ['pages']),
            (PageSize.SMALL, 2052, ['pages']),
            (PageSize.LARGE, 1026, ['page-size', 'pages']),
            (2048, 1026, ['pages']),
            (2048, 3, ['page-size']),
            (GIB, 2048, ['pages']),
            (16384, 1024, ['page-size']),
        ],
    )
    def test_refusal(
        self, page_size: int | PageSize | None, mib: int, expected: Any
    ) -> None:
        asked = guest(1, page_size=page_size, memory_mib=[mib])
        assert codes(asked, self.there) == expected

    def test_shared_guests_overcommit_but_not_against_themselves(self) -> None:
        asked = guest(1, cpu_policy=CPUPolicy.SHARED, page_size=None)
        there = host(
            cell(
                0,
                '0-3',
                shared=P('0-3'),
                pages=(PagePool(size_kib=4, total=1 << 18, used=1 << 18),),
            )
        )
        assert fit(asked, there)
        more = guest(
            1,
            cpu_policy=CPUPolicy.SHARED,
            page_size=None,
            memory_mib=[1025],
        )
        assert codes(more, there) == ['pages']

    def test_a_cell_whose_pages_are_unknown(self) -> None:
        there = host(cell(0, '0-3', pages=(), memory_used_mib=15360))
        asked = guest(1, page_size=None)
        assert fit(asked, there).cells[0].page_size_kib == 4
        assert codes(guest(2, page_size=None), there) == ['memory']
        assert codes(guest(1, page_size=4), there) == ['page-size']


def test_limits_bind_shared_guests() -> None:
    there = host(
        cell(0, '0-3', shared=P('0-3'), shared_usage=2, memory_used_mib=8192)
    )
    asked = guest(2, cpu_policy=CPUPolicy.SHARED, page_size=None)
    assert fit(asked, there, limits=Limits())
    more = Limits(cpu_allocation_ratio=0.9)
    assert codes(asked, there, limits=more) == ['shared-cpus']
    more = Limits(ram_allocation_ratio=0.5)
    assert codes(asked, there, limits=more) == ['memory']
    pinned = guest(2)
    assert fit(pinned, there, limits=Limits(ram_allocation_ratio=0))


class TestOrder:
    there = host(
        cell(0, '0-7', pinned=P('0-3')),
        cell(1, '8-15'),
        cell(2, '16-23', memory_used_mib=1024),
    )

    def test_spread(self) -> None:
        assert chosen(guest(2), self.there, strategy='spread') == [1]
        two = chosen(guest(2, 2), self.there, strategy='spread')
        assert two == [1, 2]

    def test_best_fit_is_the_default(self) -> None:
        assert chosen(guest(2), self.there) == [0]

    def test_pack(self) -> None:
        assert chosen(guest(2), self.there, strategy='pack') == [0]
        assert chosen(guest(2, 2), self.there, strategy='pack') == [0, 2]

    def test_the_hosts_own_order_where_all_are_needed(self) -> None:
        assert chosen(guest(1, 1, 1), self.there) == [0, 1, 2]

    def test_an_asymmetric_guest_finds_its_place(self) -> None:
        """nova 34 refuses this one."""
        there = host(
            cell(0, '0-1', gib=2),
            cell(1, '2-7', gib=4),
            cell(2, '8-11', gib=1),
        )
        asked = guest(2, 4, memory_mib=[1024, 2048])
        assert chosen(asked, there, strategy='spread') == [2, 1]

    def test_unknown_strategy(self) -> None:
        with pytest.raises(ModelError, match='expected one of spread'):
            fit(guest(1), self.there, strategy='best')

    def test_a_function(self) -> None:
        def backwards(
            demand: Demand, vacancies: Sequence[Vacancy]
        ) -> Sequence[Vacancy]:
            return vacancies[::-1]

        assert chosen(guest(1), self.there, strategy=backwards) == [2]


class TestAffinity:
    there = host(*(cell(id, f'{4 * id}-{4 * id + 3}') for id in range(4)))

    def test_one_of_a_set(self) -> None:
        assert chosen(guest(1), self.there, affinity=[{2, 3}]) == [2]
        assert chosen(guest(1, 1), self.there, affinity=[{3}]) == [0, 3]

    def test_several_sets(self) -> None:
        both = [{1, 2}, {2, 3}]
        assert chosen(guest(1), self.there, affinity=both) == [2]
        assert chosen(guest(1, 1), self.there, affinity=both) == [0, 2]

    def test_that_cannot_be_met(self) -> None:
        assert codes(guest(1), self.there, affinity=[{1}, {2}]) == ['affinity']
        assert codes(guest(1), self.there, affinity=[{7}]) == ['affinity']
        assert codes(guest(1), self.there, affinity=[set()]) == ['affinity']


class TestReasons:
    def test_more_cells_than_the_host(self) -> None:
        found = codes(guest(1, 1), host(cell(0, '0-3')))
        assert found == ['host-cells']

    def test_each_fits_but_not_all(self) -> None:
        there = host(cell(0, '0-3'), cell(1, '4-7', gib=0), cell(2, '8-9'))
        with pytest.raises(FitError) as caught:
            fit(guest(3, 3, 1), there)
        first, *rest = caught.value.reasons
        assert first.code is ReasonCode.ASSIGNMENT
        assert str(first) == (
            'guest cells 0 and 1 fit only host cell 0, and each needs a host '
            'cell of its own'
        )
        assert {(r.guest_cell, r.host_cell) for r in rest} == {
            (0, 1),
            (0, 2),
            (1, 1),
            (1, 2),
            (2, 1),
        }

    def test_data_and_sentence(self) -> None:
        there = host(cell(0, '0-7', pinned=P('0-5')))
        with pytest.raises(FitError) as caught:
            fit(guest(4), there)
        (reason,) = caught.value.reasons
        assert (reason.guest_cell, reason.host_cell) == (0, 0)
        assert reason.code is ReasonCode.DEDICATED_CPUS
        assert (reason.wanted, reason.available) == (4, 2)
        assert str(reason) == (
            'guest cell 0 on host cell 0: wants 4 dedicated pCPUs; 2 of 8 '
            'are free'
        )

    def test_a_cell_too_small_even_if_it_were_empty(self) -> None:
        asked = guest(4, emulator_policy=EmulatorPolicy.ISOLATE)
        with pytest.raises(FitError) as caught:
            fit(asked, host(cell(0, '0-3', pinned=P('0'))))
        (reason,) = caught.value.reasons
        assert (reason.wanted, reason.available) == (5, 4)
        assert 'the cell has 4' in str(reason)

    def test_accept(self) -> None:
        there = host(cell(0, '0-3'))
        with pytest.raises(FitError) as caught:
            fit(guest(1), there, accept=lambda plan: False)
        assert [r.code for r in caught.value.reasons] == ['accept']

    def test_the_error_can_be_pickled(self) -> None:
        with pytest.raises(FitError) as caught:
            fit(guest(9), host(cell(0, '0-7', gib=16)))
        copy = pickle.loads(pickle.dumps(caught.value))
        assert copy.reasons == caught.value.reasons
        assert str(copy) == str(caught.value)


def test_smt_isolate_refuse_is_novas_new_style() -> None:
    asked = guest(1, thread_policy=ThreadPolicy.ISOLATE)
    apart = HostTopology.uniform(
        cells=1, cores=4, threads=2, dedicated=P('1-7'), shared=P('0')
    )
    legacy = HostTopology.uniform(cells=1, cores=4, threads=2)
    assert fit(asked, apart)
    assert codes(asked, apart, smt_isolate='refuse') == ['thread-policy']
    assert fit(asked, legacy, smt_isolate='refuse')
    with pytest.raises(ModelError, match='expected one of cores, refuse'):
        fit(asked, legacy, smt_isolate='maybe')


def test_the_parameters_hold_for_a_guest_that_floats() -> None:
    there = HostTopology.uniform(shared=P('0-7'))
    asked = GuestRequirement(
        name='g', vcpus=2, memory_mib=64, topology=CPUTopology(sockets=2)
    )
    with pytest.raises(ModelError, match='strategy'):
        fit(asked, there, strategy='worst')
    with pytest.raises(ModelError, match='smt_isolate'):
        fit(asked, there, smt_isolate='maybe')
    with pytest.raises(ModelError, match='smt_isolate'):
        fits(prepare(asked), there, smt_isolate='maybe')
    assert fit(asked, there, accept=lambda _: True).floating == P('0-7')
    with pytest.raises(FitError) as caught:
        fit(asked, there, accept=lambda _: False)
    assert [one.code for one in caught.value.reasons] == [ReasonCode.ACCEPT]

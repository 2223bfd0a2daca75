# SPDX-License-Identifier: Apache-2.0
import random

import pytest

from rtvirt.exception import FitError
from rtvirt.exception import ModelError
from rtvirt.fitting.catalog import catalog_strategy
from rtvirt.fitting.demand import prepare
from rtvirt.fitting.engine import fit
from rtvirt.fitting.strategy import Strategy
from rtvirt.fitting.strategy import best_fit
from rtvirt.fitting.strategy import find_strategy
from rtvirt.fitting.strategy import pack
from rtvirt.fitting.strategy import spread
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.model.pages import PagePool
from rtvirt.tests.oracle.case import random_case

P = CPUSet.parse
STRATEGIES = ('spread', 'pack', 'best-fit')


def guest(
    vcpus: int,
    policy: ThreadPolicy | None = None,
    emulator: EmulatorPolicy | None = None,
    page_size: int | None = 1048576,
) -> GuestRequirement:
    return GuestRequirement(
        name=f'{vcpus}',
        vcpus=vcpus,
        memory_mib=vcpus * 1024,
        cells=(
            GuestCell(
                id=0,
                dedicated=CPUSet(range(vcpus)),
                memory_mib=vcpus * 1024,
                page_size=page_size,
            ),
        ),
        topology=CPUTopology(sockets=vcpus),
        cpu_policy=CPUPolicy.DEDICATED,
        thread_policy=policy,
        emulator_policy=emulator,
    )


def host(*free: int, gib: int = 64) -> HostTopology:
    """A host of 8 cores with 2 threads a cell, so many pCPUs free of each."""
    there = HostTopology.uniform(
        cells=len(free),
        cores=8,
        threads=2,
        memory_mib=65 * 1024,
        pages={1048576: gib},
    )
    cells = []
    for cell, number in zip(there.cells, free, strict=True):
        taken = [cpu for core in cell.siblings for cpu in core]
        cells.append(
            HostCell(
                **{
                    name: getattr(cell, name)
                    for name in ('id', 'dedicated', 'shared', 'siblings')
                },
                memory_mib=cell.memory_mib,
                pages=cell.pages,
                pinned=CPUSet(taken[number:]),
            )
        )
    return HostTopology(cells=tuple(cells))


def order(
    strategy: Strategy, asked: GuestRequirement, there: HostTopology
) -> list[int]:
    ranked = strategy(prepare(asked), there.vacancies)
    return [vacancy.cell.id for vacancy in ranked]


def test_orders_by_free_pcpus() -> None:
    there = host(4, 16, 8)
    assert order(spread, guest(2), there) == [1, 2, 0]
    assert order(pack, guest(2), there) == [0, 2, 1]
    assert order(best_fit, guest(2), there) == [0, 2, 1]


def test_shared_guests_go_by_shared_usage() -> None:
    pools = (PagePool(size_kib=4, total=1 << 20),)
    there = HostTopology(
        cells=tuple(
            HostCell(
                id=id,
                shared=CPUSet([id]),
                shared_usage=usage,
                memory_mib=mib,
                pages=pools,
            )
            for id, usage, mib in ((0, 2, 64), (1, 1, 64), (2, 1, 128))
        )
    )
    asked = GuestRequirement(
        name='shared',
        vcpus=1,
        memory_mib=1,
        cells=(GuestCell(id=0, shared=P('0'), memory_mib=1),),
        topology=CPUTopology(sockets=1),
    )
    assert order(spread, asked, there) == [2, 1, 0]
    assert order(pack, asked, there) == [0, 1, 2]
    assert order(best_fit, asked, there) == [0, 1, 2]
    catalogue = catalog_strategy([guest(1)])
    assert order(catalogue, asked, there) == [0, 1, 2]


def test_best_fit_leaves_whole_cores() -> None:
    """As many free pCPUs, but on broken cores."""
    there = host(8, 8)
    broken = HostCell(
        id=1,
        dedicated=there.cells[1].dedicated,
        shared=there.cells[1].shared,
        siblings=there.cells[1].siblings,
        memory_mib=there.cells[1].memory_mib,
        pages=there.cells[1].pages,
        pinned=CPUSet(min(core) for core in there.cells[1].siblings),
    )
    there = HostTopology(cells=(there.cells[0], broken))
    assert order(best_fit, guest(1), there) == [1, 0]
    assert order(pack, guest(1), there) == [0, 1]


def test_the_catalogue_keeps_room_for_what_is_sold() -> None:
    """Best fit breaks the only cell that could take the large guest."""
    there = host(8, 10)
    asked = guest(2)
    assert order(best_fit, asked, there) == [0, 1]
    assert order(catalog_strategy([guest(8)]), asked, there) == [1, 0]
    assert order(catalog_strategy([guest(2)]), asked, there) == [0, 1]


@pytest.mark.parametrize('policy', [*ThreadPolicy, None])
@pytest.mark.parametrize('page_size', [1048576, None])
def test_the_catalogue_with_every_policy(
    policy: ThreadPolicy | None, page_size: int | None
) -> None:
    sold = [
        guest(2, policy, EmulatorPolicy.ISOLATE, page_size),
        guest(3, policy, None, page_size),
    ]
    strategy = catalog_strategy(sold)
    for asked in sold:
        assert sorted(order(strategy, asked, host(4, 16, 8, 0))) == [
            0,
            1,
            2,
            3,
        ]


def test_a_catalogue_needs_a_pinned_guest() -> None:
    with pytest.raises(ModelError, match='with dedicated vCPUs'):
        catalog_strategy([])


def test_whether_a_guest_fits_does_not_depend_on_it() -> None:
    draw = random.Random(3)
    differing = 0
    for _ in range(300):
        case = random_case(draw)
        pinned = case.guest.dedicated
        catalogue = [catalog_strategy([case.guest])] if pinned else []
        answers: set[tuple[int, ...] | None] = set()
        strategies: list[str | Strategy] = [*STRATEGIES, *catalogue]
        for strategy in strategies:
            try:
                plan = fit(case.guest, case.host, strategy=strategy)
            except FitError:
                answers.add(None)
            else:
                answers.add(tuple(c.host_cell for c in plan.cells))
        assert None not in answers or answers == {None}
        differing += len(answers) > 1
    assert differing > 10


def test_find() -> None:
    assert find_strategy('pack') is pack
    assert find_strategy(spread) is spread
    with pytest.raises(ModelError, match="'x': expected one of spread, pack"):
        find_strategy('x')

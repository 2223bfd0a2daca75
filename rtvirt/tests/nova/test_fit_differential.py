# SPDX-License-Identifier: Apache-2.0
"""The fit beside nova's, cell by cell and guest by guest.

nova's own search over several cells cannot be trusted (deviation
``several-cells``): here every permutation is tried with its function for
one cell, on fresh objects.
"""

import dataclasses
import itertools
import random
from collections import Counter

import pytest
from nova import conf
from nova.virt import hardware

from rtvirt.exception import FitError
from rtvirt.fitting.demand import prepare
from rtvirt.fitting.deviation import FIT_DEVIATIONS
from rtvirt.fitting.engine import fit
from rtvirt.fitting.rows import find_rows
from rtvirt.fitting.terms import SMTIsolate
from rtvirt.fitting.terms import Terms
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
from rtvirt.model.pages import PagePool
from rtvirt.model.pages import PageSize
from rtvirt.model.plan import Plan
from rtvirt.tests.nova.topology import fit_cell
from rtvirt.tests.nova.topology import guest_topology
from rtvirt.tests.nova.topology import host_topology
from rtvirt.tests.nova.topology import limits_of
from rtvirt.tests.oracle.brute import ordered_cells
from rtvirt.tests.oracle.case import Case
from rtvirt.tests.oracle.case import random_case
from rtvirt.tests.oracle.seeds import seeds


def nova_case(seed: int) -> Case:
    """A random case without what nova does not know."""
    case = random_case(random.Random(seed))
    guest = dataclasses.replace(
        case.guest,
        l3_policy=L3Policy.NONE,
        cache_mib=None,
        memory_bandwidth=None,
    )
    return dataclasses.replace(
        case, guest=guest, affinity=(), smt_isolate='refuse'
    )


def is_nothing_pinned(case: Case, want: GuestCell, cell: HostCell) -> bool:
    """Deviation ``nothing-pinned``: nova refuses and rtvirt may not."""
    if want.dedicated or case.guest.cpu_policy is not CPUPolicy.MIXED:
        return False
    isolated = case.guest.emulator_policy is EmulatorPolicy.ISOLATE
    strict = {ThreadPolicy.REQUIRE, ThreadPolicy.ISOLATE}
    return (
        case.guest.thread_policy in strict
        or (want.id == 0 and isolated)
        or not cell.dedicated | cell.shared
    )


def is_without_sets(case: Case, want: GuestCell, cell: HostCell) -> bool:
    """Deviation ``mixed-without-sets``: rtvirt refuses and nova may not."""
    return (
        case.guest.cpu_policy is CPUPolicy.MIXED
        and bool(want.shared)
        and bool(cell.dedicated & cell.shared)
    )


def nova_fits(case: Case, want: GuestCell, cell: HostCell) -> bool:
    try:
        return fit_cell(case.guest, want, cell, case.limits) is not None
    except ValueError:
        # max() over the cores of a host cell that has none.
        assert not cell.dedicated | cell.shared
        return False


def test_every_pair_of_cells() -> None:
    met: Counter[str] = Counter()
    for seed in seeds(1500, 20_000):
        case = nova_case(seed)
        terms = Terms(
            prepare(case.guest), case.host, case.limits, SMTIsolate.REFUSE
        )
        rows = find_rows(terms.demand, case.host.vacancies, terms)
        for want, row in zip(case.guest.cells, rows, strict=True):
            for position, cell in enumerate(case.host.cells):
                ours = bool(row >> position & 1)
                theirs = nova_fits(case, want, cell)
                if ours == theirs:
                    met['same'] += ours
                elif ours:
                    assert is_nothing_pinned(case, want, cell), seed
                    met['nothing-pinned'] += 1
                else:
                    assert is_without_sets(case, want, cell), seed
                    met['mixed-without-sets'] += 1
    assert met['same'] > 1000
    assert met['nothing-pinned'] > 5
    assert met['mixed-without-sets'] > 5


def test_the_host_cells_of_every_guest() -> None:
    """nova's first permutation of cells that each fit is rtvirt's choice."""
    found = 0
    for seed in seeds(1500, 20_000):
        case = nova_case(seed)
        if any(
            is_nothing_pinned(case, want, cell)
            or is_without_sets(case, want, cell)
            for want in case.guest.cells
            for cell in case.host.cells
        ):
            continue
        ours = choose(case)
        theirs = next(
            (
                [cell.id for cell in chosen]
                for chosen in itertools.permutations(
                    ordered_cells(case), len(case.guest.cells)
                )
                if all(
                    nova_fits(case, want, cell)
                    for want, cell in zip(
                        case.guest.cells, chosen, strict=True
                    )
                )
            ),
            None,
        )
        if ours != theirs:
            assert lacks_emulator_place(case), (seed, ours, theirs)
        found += theirs is not None
    assert found > 200


def choose(case: Case) -> list[int] | None:
    try:
        plan = fit(
            case.guest,
            case.host,
            limits=case.limits,
            strategy=case.strategy,
            smt_isolate=case.smt_isolate,
        )
    except FitError:
        return None
    return [cell.host_cell for cell in plan.cells]


def lacks_emulator_place(case: Case) -> bool:
    """Deviation ``emulator-nowhere``, and guests no flavor can ask for."""
    guest = case.guest
    if guest.emulator_policy is EmulatorPolicy.SHARE:
        return bool(guest.realtime) and not any(
            cell.shared - cell.dedicated for cell in case.host.cells
        )
    return len(guest.realtime) == guest.vcpus


@pytest.mark.parametrize('pack', [False, True])
def test_novas_own_search_over_host_cells(pack: bool) -> None:
    """With one guest cell nova's search is right: the same host cell."""
    conf.CONF.set_override(
        'packing_host_numa_cells_allocation_strategy', pack, 'compute'
    )
    found = 0
    try:
        for seed in seeds(1000, 10_000):
            case = dataclasses.replace(
                nova_case(seed), strategy='pack' if pack else 'spread'
            )
            guest = case.guest
            if len(guest.cells) > 1 or guest.cpu_policy is CPUPolicy.MIXED:
                continue
            if isinstance(guest.cells[0].page_size, PageSize):
                # Deviation page-size-sticks.
                continue
            theirs = hardware.numa_fit_instance_to_host(
                host_topology(case.host),
                guest_topology(guest),
                None,
                limits=limits_of(case.limits),
            )
            wanted = None if theirs is None else [theirs.cells[0].id]
            if choose(case) != wanted:
                assert lacks_emulator_place(case), seed
            found += wanted is not None
    finally:
        conf.CONF.clear_override(
            'packing_host_numa_cells_allocation_strategy', 'compute'
        )
    assert found > 60


def test_novas_usage_is_rtvirts_claim() -> None:
    """nova pins what a plan claims, idle siblings and emulator included."""
    compared = 0
    for seed in seeds(600, 10_000):
        case = nova_case(seed)
        try:
            plan = fit(case.guest, case.host, smt_isolate='refuse')
        except FitError:
            continue
        if crowds_the_emulator(plan, case.host):
            continue
        fitted = guest_topology(case.guest)
        for got, planned in zip(fitted.cells, plan.cells, strict=True):
            got.id = planned.host_cell
            got.pagesize = planned.page_size_kib
            want = case.guest.cells[planned.guest_cell]
            got.cpu_pinning = {
                vcpu: min(planned.pins[vcpu]) for vcpu in want.dedicated
            }
            got.cpuset_reserved = set(planned.emulator) or None
        usage = hardware.numa_usage_from_instance_numa(
            host_topology(case.host), fitted
        )
        claimed = case.host.claim(plan)
        for theirs, ours in zip(usage.cells, claimed.cells, strict=True):
            assert theirs.pinned_cpus == set(ours.pinned), seed
            assert theirs.memory_usage == ours.memory_used_mib, seed
            assert theirs.cpu_usage == ours.shared_usage, seed
            assert {p.size_kb: p.used for p in theirs.mempages} == {
                p.size_kib: p.used for p in ours.pages
            }, seed
        compared += 1
    assert compared > 100


def crowds_the_emulator(plan: Plan, host: HostTopology) -> bool:
    """Whether isolate finds no empty core for the emulator threads.

    nova's fit then takes a thread beside somebody else's, and its usage
    raises CPUPinningInvalid.
    """
    if plan.guest.thread_policy is not ThreadPolicy.ISOLATE:
        return False
    for planned in plan.cells:
        cell = host.cell(planned.host_cell)
        for core in cell.siblings:
            if core & planned.emulator and core & cell.pinned:
                return True
    return False


class TestDeviations:
    """Each deviation is real, and is what its text says."""

    def guest(self, *sizes: int, **fields: object) -> GuestRequirement:
        cells = []
        first = 0
        for id, size in enumerate(sizes):
            vcpus = CPUSet(range(first, first + size))
            first += size
            cells.append(GuestCell(id=id, dedicated=vcpus, memory_mib=64))
        values: dict[str, object] = {
            'name': 'guest',
            'vcpus': first,
            'memory_mib': 64 * len(sizes),
            'cells': tuple(cells),
            'topology': CPUTopology(sockets=first),
            'cpu_policy': CPUPolicy.DEDICATED,
            **fields,
        }
        return GuestRequirement(**values)  # type: ignore[arg-type]

    def nova(self, guest: GuestRequirement, host: HostTopology) -> object:
        return hardware.numa_fit_instance_to_host(
            host_topology(host), guest_topology(guest), None
        )

    def test_several_cells(self) -> None:
        host = HostTopology(
            cells=tuple(
                HostCell(id=id, dedicated=CPUSet.parse(cpus), memory_mib=mib)
                for id, cpus, mib in (
                    (0, '0-1', 64),
                    (1, '2-7', 64),
                    (2, '8-11', 32),
                )
            )
        )
        guest = self.guest(2, 4)
        assert self.nova(guest, host) is None
        assert [c.host_cell for c in fit(guest, host).cells] == [0, 1]

    def test_page_size_sticks(self) -> None:
        """nova takes 2 MiB pages from cell 0, which lacks pCPUs."""
        small = PagePool(size_kib=4, total=1 << 20)
        huge = PagePool(size_kib=2048, total=64)
        host = HostTopology(
            cells=(
                HostCell(
                    id=0,
                    dedicated=CPUSet.parse('0'),
                    memory_mib=4096,
                    pages=(small, huge),
                ),
                HostCell(
                    id=1,
                    dedicated=CPUSet.parse('1-2'),
                    memory_mib=2048,
                    pages=(small,),
                ),
            )
        )
        asked = self.guest(2)
        (cell,) = asked.cells
        guest = dataclasses.replace(
            asked,
            cells=(dataclasses.replace(cell, page_size=PageSize.ANY),),
        )
        conf.CONF.set_override(
            'packing_host_numa_cells_allocation_strategy', True, 'compute'
        )
        try:
            assert self.nova(guest, host) is None
        finally:
            conf.CONF.clear_override(
                'packing_host_numa_cells_allocation_strategy', 'compute'
            )
        assert fit(guest, host).cells[0].host_cell == 1

    def test_isolate_on_siblings(self) -> None:
        host = HostTopology.uniform(
            cells=1, threads=2, dedicated=CPUSet.parse('0-7')
        )
        guest = self.guest(2, thread_policy=ThreadPolicy.ISOLATE)
        assert self.nova(guest, host) is None
        assert fit(guest, host).cells[0].idle == CPUSet.parse('4-5')
        with pytest.raises(FitError):
            fit(guest, host, smt_isolate='refuse')

    def test_emulator_nowhere(self) -> None:
        guest = self.guest(
            2,
            realtime=CPUSet.parse('1'),
            priorities={1: 1},
            emulator_policy=EmulatorPolicy.SHARE,
        )
        host = HostTopology.uniform(cells=1)
        assert self.nova(guest, host) is not None
        with pytest.raises(FitError, match='policy share needs shared'):
            fit(guest, host)

    def test_all_are_shown_here(self) -> None:
        shown = {
            name.removeprefix('test_').replace('_', '-')
            for name in dir(self)
            if name.startswith('test_')
        }
        # These two: test_every_pair_of_cells.
        shown |= {'nothing-pinned', 'mixed-without-sets'}
        # test_bridge: it is about nova's books.
        shown.add('crowded-emulator')
        assert {one.code for one in FIT_DEVIATIONS} <= shown

# SPDX-License-Identifier: Apache-2.0
"""The reasons are all there, and every relaxation really helps."""

import dataclasses
import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest

from rtvirt.exception import FitError
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.fitting.engine import fit
from rtvirt.fitting.explain import explain
from rtvirt.fitting.least import least_assignment
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.explanation import Explanation
from rtvirt.model.explanation import Step
from rtvirt.model.explanation import StepKind
from rtvirt.model.flavor import Flavor
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.model.reason import ReasonCode

GIB = 1 << 20


def guest_of(
    vcpus: int, *, memory_gib: int | None = None, **specs: str
) -> GuestRequirement:
    return parse_guest(
        Flavor(
            name='guest',
            vcpus=vcpus,
            memory_mib=1024 * (memory_gib or vcpus),
            extra_specs={
                'hw:cpu_policy': 'dedicated',
                'hw:mem_page_size': '1GB',
                **{
                    key.replace('__', ':') if '__' in key else f'hw:{key}': v
                    for key, v in specs.items()
                },
            },
        )
    )


def host_of(
    cells: int = 1,
    cores: int = 4,
    threads: int = 1,
    pages: int = 8,
    **kwargs: Any,
) -> HostTopology:
    kwargs.setdefault('dedicated', CPUSet(range(1000)))
    return HostTopology.uniform(
        cells, cores, threads, pages={GIB: pages}, **kwargs
    )


def change(host: HostTopology, number: int, **changes: Any) -> HostTopology:
    """Return the host with one cell changed."""
    cells = list(host.cells)
    cells[number] = dataclasses.replace(cells[number], **changes)
    return dataclasses.replace(host, cells=tuple(cells))


def apply(host: HostTopology, step: Step, *, less: int = 0) -> HostTopology:
    """Do what a step says, by its data alone; ``less`` of it at will."""
    number = step.host_cell
    assert number is not None
    cell = host.cell(number)
    if step.kind is StepKind.DEDICATE_CPUS:
        cpus = CPUSet(list(step.cpus)[less:])
        return change(
            host,
            number,
            dedicated=cell.dedicated | cpus,
            shared=cell.shared - cpus,
        )
    if step.kind is StepKind.FREE_CPUS:
        cpus = CPUSet(list(step.cpus)[less:])
        return change(host, number, pinned=cell.pinned - cpus)
    count = (step.count or 0) - less
    pages = []
    for pool in cell.pages:
        fields = {}
        if pool.size_kib == step.page_size_kib:
            fields = {
                StepKind.ADD_PAGES: {'total': pool.total + count},
                StepKind.FREE_PAGES: {'used': pool.used - count},
                StepKind.UNRESERVE_PAGES: {'reserved': pool.reserved - count},
            }[step.kind]
        pages.append(dataclasses.replace(pool, **fields))
    return change(host, number, pages=tuple(pages))


def fits(guest: GuestRequirement, host: HostTopology) -> bool:
    try:
        fit(guest, host)
    except FitError:
        return False
    return True


def kinds(found: Explanation) -> list[list[StepKind]]:
    return [[step.kind for step in one.steps] for one in found.relaxations]


def test_what_fits_is_explained_by_its_choice() -> None:
    guest = guest_of(4, cpu_realtime='yes', cpu_realtime_mask='^0-1')
    host = host_of(cells=2, cores=4, threads=2)
    found = explain(guest, host)
    assert found.fits
    assert found.plan is not None
    assert found.plan == fit(guest, host)
    assert (found.reasons, found.relaxations) == ((), ())
    (choice,) = found.choices
    assert choice.host_cell == 0
    assert choice.cpus == found.plan.claimed
    assert (choice.exposed, choice.whole_cores, choice.free) == (0, 2, 4)
    (other,) = found.next_best
    assert other.host_cell == 1


def test_there_is_no_next_best_without_another_host_cell() -> None:
    assert explain(guest_of(2), host_of()).next_best == ()
    full = change(host_of(cells=2), 1, pinned=CPUSet([4, 5, 6]))
    assert explain(guest_of(2), full).next_best == ()


def test_every_pair_has_its_reasons() -> None:
    guest = guest_of(6, numa_nodes='2', memory_gib=16)
    host = change(host_of(cells=3, cores=2, pages=8), 0, pinned=CPUSet([0]))
    found = explain(guest, host)
    about = {(r.guest_cell, r.host_cell) for r in found.reasons}
    assert about == set(itertools.product((0, 1), (0, 1, 2)))
    assert all(r.code is ReasonCode.DEDICATED_CPUS for r in found.reasons)
    assert [r.available for r in found.reasons[:3]] == [2, 2, 2]


def test_the_hall_reason_comes_first() -> None:
    # Guest cells 0 and 2 have 3 vCPUs each; only host cell 1 has as many.
    cells: dict[str, Any] = {
        'numa_cpus.0': '0-2',
        'numa_cpus.1': '3',
        'numa_cpus.2': '4-6',
        'numa_mem.0': '2048',
        'numa_mem.1': '3072',
        'numa_mem.2': '2048',
    }
    guest = guest_of(7, numa_nodes='3', **cells)
    host = host_of(cells=3, cores=4)
    host = change(host, 0, pinned=CPUSet([0, 1]))
    host = change(host, 2, pinned=CPUSet([8, 9]))
    first = explain(guest, host).reasons[0]
    assert first.code is ReasonCode.ASSIGNMENT
    assert (first.wanted, first.available) == (2, 1)
    assert 'guest cells 0 and 2 fit only host cell 1' in str(first)


def test_pages_are_added_where_the_fewest_are_missing() -> None:
    host = host_of(cells=2, pages=3, memory_mib=65536)
    host = change(
        host,
        1,
        pages=tuple(
            dataclasses.replace(pool, used=1) if pool.size_kib == GIB else pool
            for pool in host.cells[1].pages
        ),
    )
    found = explain(guest_of(4), host)
    best = found.relaxations[0]
    assert str(best) == 'add 1 page of 1 GiB on host cell 0'
    assert best.host_cells == (0,)
    assert 'echo 4 > ' in best.steps[0].how
    assert 'node0/hugepages/hugepages-1048576kB' in best.steps[0].how


def test_pages_are_not_added_without_memory_to_make_them_of() -> None:
    host = host_of(pages=3, memory_mib=3072)
    assert [StepKind.ADD_PAGES] not in kinds(explain(guest_of(4), host))


def test_reserved_pages_are_given_up_before_a_guest_loses_its_own() -> None:
    host = host_of(pages=8)
    pools = tuple(
        dataclasses.replace(pool, reserved=4, used=4)
        if pool.size_kib == GIB
        else pool
        for pool in host.cells[0].pages
    )
    found = explain(guest_of(4), change(host, 0, pages=pools))
    assert [StepKind.UNRESERVE_PAGES] in kinds(found)
    assert [StepKind.FREE_PAGES] not in kinds(found)


def test_who_holds_what_is_missing_is_named() -> None:
    other = guest_of(3)
    host = host_of()
    host = host.claim(fit(other, host), name='scada')
    found = explain(guest_of(2), host)
    texts = [str(one) for one in found.relaxations]
    assert any('free pCPU' in t and 'held by scada' in t for t in texts)
    assert any(t.startswith('stop or move scada, which') for t in texts)
    assert all(
        step.holders == ('scada',)
        for one in found.relaxations
        for step in one.steps
        if step.kind in {StepKind.FREE_CPUS, StepKind.MOVE_GUEST}
    )


def test_a_thread_policy_is_relaxed() -> None:
    guest = guest_of(4, cpu_thread_policy='isolate')
    host = host_of(cores=2, threads=2)
    (one,) = explain(guest, host).relaxations
    assert str(one) == 'set hw:cpu_thread_policy=prefer'
    assert (one.steps[0].setting, one.steps[0].value) == (
        'hw:cpu_thread_policy',
        'prefer',
    )


def test_an_emulator_policy_is_relaxed() -> None:
    guest = guest_of(
        4,
        cpu_realtime='yes',
        cpu_realtime_mask='^0',
        emulator_threads_policy='isolate',
    )
    dedicated = CPUSet(range(2, 6))
    bare = host_of(cores=6, dedicated=dedicated)
    texts = [str(one) for one in explain(guest, bare).relaxations]
    assert any(t.startswith('drop hw:emulator_threads_policy') for t in texts)
    assert not any('=share' in t for t in texts)
    roomy = host_of(cores=6, dedicated=dedicated, shared=CPUSet([0, 1]))
    texts = [str(one) for one in explain(guest, roomy).relaxations]
    assert any('hw:emulator_threads_policy=share' in t for t in texts)


def test_more_guest_cells_are_proposed_where_one_is_too_wide() -> None:
    found = explain(guest_of(6), host_of(cells=2, cores=4))
    assert [str(one) for one in found.relaxations] == ['set hw:numa_nodes=2']
    assert found.relaxations[0].host_cells == (0, 1)


def test_another_page_size_is_proposed() -> None:
    host = HostTopology.uniform(
        1, 4, pages={2048: 4096, GIB: 1}, dedicated=CPUSet(range(4))
    )
    texts = [str(one) for one in explain(guest_of(2), host).relaxations]
    assert 'set hw:mem_page_size=2MiB' in texts


def test_two_keys_change_only_where_one_is_not_enough() -> None:
    guest = guest_of(4, cpu_thread_policy='isolate')
    host = HostTopology.uniform(
        1,
        2,
        2,
        pages={2048: 4096},
        memory_mib=8192,
        dedicated=CPUSet(range(4)),
    )
    found = explain(guest, host)
    pair = next(one for one in found.relaxations if len(one.steps) == 2)
    assert {step.setting for step in pair.steps} >= {'hw:mem_page_size'} or (
        StepKind.ADD_PAGES in kinds(found)[0]
    )


def test_the_dedicated_set_is_extended() -> None:
    host = host_of(cores=6, dedicated=CPUSet([2, 3]), shared=CPUSet([0]))
    best = explain(guest_of(4), host).relaxations[0]
    (step,) = best.steps
    assert step.kind is StepKind.DEDICATE_CPUS
    assert len(step.cpus) == 2
    assert fits(guest_of(4), apply(host, step))


def test_a_guest_that_floats_has_nothing_to_relax() -> None:
    guest = parse_guest(Flavor(name='floats', vcpus=1, memory_mib=512))
    found = explain(guest, host_of())
    assert not found.fits
    assert found.reasons


@pytest.mark.parametrize('seed', range(60))
def test_relaxations_of_the_host_help_and_are_not_too_much(seed: int) -> None:
    draw = random.Random(seed)
    threads = draw.choice([1, 2])
    host = host_of(
        cells=draw.randint(1, 4),
        cores=draw.randint(2, 4),
        threads=threads,
        pages=draw.randint(0, 6),
        memory_mib=65536,
    )
    for number, cell in enumerate(host.cells):
        taken = draw.sample(
            sorted(cell.dedicated), draw.randint(0, len(cell.dedicated))
        )
        host = change(host, number, pinned=CPUSet(taken))
    cells = draw.randint(1, 2)
    guest = guest_of(
        cells * draw.randint(1, 4),
        numa_nodes=str(cells),
        cpu_thread_policy=draw.choice(['prefer', 'isolate', 'require']),
    )
    if fits(guest, host):
        assert explain(guest, host).fits
        return
    found = explain(guest, host)
    costs = [one.cost for one in found.relaxations]
    assert costs == sorted(costs)
    for one in found.relaxations:
        steps = [s for s in one.steps if s.kind is not StepKind.SET_FLAVOR]
        changed = host
        for step in steps:
            changed = apply(changed, step)
        if len(steps) == len(one.steps):
            assert fits(guest, changed), str(one)
            _check_least(guest, host, steps)


def _check_least(
    guest: GuestRequirement, host: HostTopology, steps: Sequence[Step]
) -> None:
    """A step that does a little less is not enough."""
    for lesser in steps:
        changed = host
        for step in steps:
            changed = apply(changed, step, less=int(step is lesser))
        assert not fits(guest, changed), lesser


@pytest.mark.parametrize('seed', range(40))
def test_the_least_assignment_is_the_least(seed: int) -> None:
    draw = random.Random(seed)
    rows = draw.randint(1, 4)
    columns = draw.randint(rows, 5)
    infinite = float('inf')
    costs = [
        [draw.choice([infinite, draw.randint(0, 9)]) for _ in range(columns)]
        for _ in range(rows)
    ]
    least = min(
        sum(costs[row][column] for row, column in enumerate(chosen))
        for chosen in itertools.permutations(range(columns), rows)
    )
    chosen = least_assignment(costs)
    if least == infinite:
        assert chosen == []
    else:
        assert len(set(chosen)) == rows
        assert sum(costs[r][c] for r, c in enumerate(chosen)) == least

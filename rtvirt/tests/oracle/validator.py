# SPDX-License-Identifier: Apache-2.0
"""Everything that must hold of a plan, checked from the plan alone."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import L3Policy
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostCell
from rtvirt.model.plan import Plan
from rtvirt.model.plan import PlannedCell
from rtvirt.tests.oracle.brute import page_size_for
from rtvirt.tests.oracle.case import Case


def faults(plan: Plan, case: Case) -> Iterator[str]:
    """Yield what is wrong with a plan as the answer to the case."""
    guest, host = case.guest, case.host
    if plan.guest != guest or plan.host != host.digest:
        yield 'made for another guest or host'
    if len({cell.host_cell for cell in plan.cells}) != len(guest.cells):
        yield 'host cells are used twice'
    used = {cell.host_cell for cell in plan.cells}
    for near in case.affinity:
        if not used & near:
            yield f'affinity {sorted(near)} is not met by {sorted(used)}'
    held: list[int] = []
    for planned in plan.cells:
        held += _claimed(plan, planned)
        yield from _cell_faults(plan, planned, case)
    if len(held) != len(set(held)):
        yield 'pCPUs are used twice'
    yield from _emulator_faults(plan, case)
    yield from _control_faults(plan, case)


def _claimed(plan: Plan, planned: PlannedCell) -> list[int]:
    want = plan.guest.cells[planned.guest_cell]
    cpus = [cpu for vcpu in want.dedicated for cpu in planned.pins[vcpu]]
    return cpus + list(planned.emulator) + list(planned.idle)


def _cell_faults(
    plan: Plan, planned: PlannedCell, case: Case
) -> Iterator[str]:
    guest = plan.guest
    want = guest.cells[planned.guest_cell]
    cell = case.host.cell(planned.host_cell)
    where = f'guest cell {want.id} on host cell {cell.id}: '
    claimed = _claimed(plan, planned)
    if not set(claimed) <= set(cell.dedicated):
        yield where + 'pCPUs are not dedicated, or not there'
    if set(claimed) & set(cell.pinned):
        yield where + 'pCPUs are held by somebody else'
    reserves = want.id == 0 and guest.emulator_policy is EmulatorPolicy.ISOLATE
    if len(planned.emulator) != int(reserves):
        yield where + 'the wrong number of pCPUs is reserved'
    if planned.page_size_kib != page_size_for(case, want, cell):
        yield where + f'pages of {planned.page_size_kib} KiB'
    if planned.pages * planned.page_size_kib != want.memory_mib * 1024:
        yield where + 'the pages are not the memory'
    yield from _pin_faults(planned, want, cell, where)
    yield from _thread_faults(plan, planned, cell, where)


def _thread_faults(
    plan: Plan, planned: PlannedCell, cell: HostCell, where: str
) -> Iterator[str]:
    """Yield what breaks the thread policy or the L3 policy."""
    guest = plan.guest
    want = guest.cells[planned.guest_cell]
    vcpus = {cpu for vcpu in want.dedicated for cpu in planned.pins[vcpu]}
    if guest.thread_policy is ThreadPolicy.ISOLATE:
        yield from _isolate_faults(planned, cell, vcpus, where)
    elif planned.idle:
        yield where + 'pCPUs are idle without isolate'
    if guest.thread_policy is ThreadPolicy.REQUIRE:
        for core in cell.siblings:
            if set(core) & vcpus and len(core & cell.free) < 2:
                yield where + 'a vCPU under require can have no sibling'
    if guest.l3_policy is L3Policy.REQUIRE and not any(
        vcpus <= set(cache) for cache in cell.l3 or [CPUSet()]
    ):
        yield where + 'the vCPUs are not inside one L3'


def _pin_faults(
    planned: PlannedCell, want: GuestCell, cell: HostCell, where: str
) -> Iterator[str]:
    if list(planned.pins) != sorted(set(want.dedicated) | set(want.shared)):
        yield where + 'the pins are not those of its vCPUs, in order'
    for vcpu in want.shared:
        if planned.pins[vcpu] != cell.shared:
            yield where + f'shared vCPU {vcpu} is not on the shared pCPUs'
    for vcpu in want.dedicated:
        if len(planned.pins[vcpu]) != 1:
            yield where + f'dedicated vCPU {vcpu} has not one pCPU'


def _isolate_faults(
    planned: PlannedCell, cell: HostCell, vcpus: set[int], where: str
) -> Iterator[str]:
    emulator = set(planned.emulator)
    idle = set(planned.idle)
    free = set(cell.dedicated) - set(cell.pinned)
    usable = set(cell.dedicated) | set(cell.shared)
    most = max((len(set(core) & usable) for core in cell.siblings), default=1)
    for core in map(set, cell.siblings):
        mine = core & vcpus
        if len(mine) > 1 or (mine and core & emulator):
            yield where + 'isolated vCPUs share a core'
        if mine and len(core & free) < most:
            yield where + 'an isolated vCPU is on a core that is not whole'
        if mine and core & free != mine | (core & idle):
            yield where + 'siblings of an isolated vCPU are left for others'
        if core & idle and not (mine or core & emulator):
            yield where + 'pCPUs are idle where nobody is isolated'


def _emulator_faults(plan: Plan, case: Case) -> Iterator[str]:
    guest = plan.guest
    realtime = {cpu for vcpu in guest.realtime for cpu in plan.pins[vcpu]}
    helpers = set(plan.emulator)
    if not helpers:
        yield 'the emulator threads have no pCPU'
    if helpers & realtime:
        yield 'the emulator threads run on real-time pCPUs'
    if sorted(plan.iothreads) != list(range(1, guest.iothreads + 1)) or any(
        cpus != plan.emulator for cpus in plan.iothreads.values()
    ):
        yield 'the I/O threads do not run with the emulator threads'
    shared = {
        cpu
        for cell in case.host.cells
        for cpu in set(cell.shared) - set(cell.dedicated)
    }
    if guest.emulator_policy is EmulatorPolicy.ISOLATE:
        expected = set(plan.cells[0].emulator)
    elif guest.emulator_policy is EmulatorPolicy.SHARE and shared:
        expected = shared
    else:
        expected = {
            cpu
            for vcpu, cpus in plan.pins.items()
            if vcpu not in guest.realtime
            for cpu in cpus
        }
    if helpers != expected:
        yield f'the emulator threads run on {plan.emulator}'


def _control_faults(plan: Plan, case: Case) -> Iterator[str]:
    """Yield what is wrong with the parts of caches and bandwidth."""
    guest, host = case.guest, case.host
    realtime = {cpu for vcpu in guest.realtime for cpu in plan.pins[vcpu]}
    caches = {
        (bank.id, kind)
        for bank in host.caches
        for kind in bank.types
        if guest.cache_mib is not None and set(bank.cpus) & realtime
    }
    if {(part.bank, part.type) for part in plan.caches} != caches:
        yield 'parts of other caches than those in use'
    nodes = {
        node.id
        for node in host.bandwidths
        if guest.memory_bandwidth is not None and set(node.cpus) & realtime
    }
    if set(plan.memory_bandwidth) != nodes:
        yield 'parts of other bandwidths than those in use'
    for part in plan.caches:
        (bank,) = (b for b in host.caches if b.id == part.bank)
        yield from _part_faults(
            'cache',
            (part.size_kib, (guest.cache_mib or 0) * 1024),
            bank.granularity_kib,
            bank.used_kib,
            bank.size_kib,
        )
    for id, percent in plan.memory_bandwidth.items():
        (node,) = (n for n in host.bandwidths if n.id == id)
        yield from _part_faults(
            'bandwidth',
            (percent, guest.memory_bandwidth or 0),
            node.granularity,
            node.used,
            100,
        )


def _part_faults(
    what: str, part: tuple[int, int], step: int, used: int, total: int
) -> Iterator[str]:
    """Yield what is wrong with one part; all of it is the host's to keep.

    :param part: what is given, and what was asked for.
    """
    given, asked = part
    if given < asked:
        yield f'a part of a {what} is too small'
    if given % step:
        yield f'a part of a {what} is no whole steps'
    if used + given >= total:
        yield f'a {what} is given away twice, or all of it'

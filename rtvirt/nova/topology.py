# SPDX-License-Identifier: Apache-2.0
"""Hosts, guests and limits from nova's objects, and plans back into them.

What a fit needs is read and nothing is changed. What many hosts, or one
host at many times, have in common is worked out once: a host cell's cores,
what is free on a cell that is as it was, and a guest's demand.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any
from typing import Final

from nova import objects
from nova.virt import hardware

from rtvirt.model.alter import draft_of
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.guest import make_cell
from rtvirt.model.host import HostTopology
from rtvirt.model.host_cell import HostCell
from rtvirt.model.limits import Limits
from rtvirt.model.pages import PagePool
from rtvirt.model.pages import PageSize
from rtvirt.model.plan import Plan
from rtvirt.model.plan import PlannedCell
from rtvirt.model.vacancy import Vacancy

_PAGE_WORDS: Final = {
    hardware.MEMPAGES_SMALL: PageSize.SMALL,
    hardware.MEMPAGES_LARGE: PageSize.LARGE,
    hardware.MEMPAGES_ANY: PageSize.ANY,
}

_Sets = frozenset[int]
_Pool = tuple[int, int, int, int]
"""Of a page pool: KiB of a page, and total, used and reserved pages."""
_Shape = tuple[int, int, int, int | None]
"""Of a guest cell: dedicated and shared vCPUs, MiB and nova's page size."""

# The constructors check what nova's database has held for long: ten times
# the time. What matters, the plan checks when it is made.
_HostDraft: Final = draft_of(HostTopology)
_CellDraft: Final = draft_of(HostCell)
_PoolDraft: Final = draft_of(PagePool)


def read_host(topology: Any, name: str = '') -> HostTopology:
    """Return the host that a ``NUMATopology`` describes.

    :param name: what to call it.
    :raises ModelError: if a cell contradicts itself.
    """
    vacancies = tuple([_read_cell(cell) for cell in topology.cells])
    host: Any = _HostDraft()
    host.cells = tuple([vacancy.cell for vacancy in vacancies])
    host.name = name
    host.caches = host.bandwidths = host.holders = host._before = ()
    host.control_groups = 0
    # Plans made here are used up at once: nobody compares hosts by it.
    host._digest = 'nova'
    host._vacancies = vacancies
    host.__class__ = HostTopology
    made: HostTopology = host
    return made


def _read_cell(cell: Any) -> Vacancy:
    return _make_vacancy(
        cell.id,
        # A cell of before Victoria has none.
        frozenset(_read(cell, 'pcpuset') or ()),
        frozenset(cell.cpuset),
        tuple(map(frozenset, cell.siblings)),
        frozenset(cell.pinned_cpus),
        _read(cell, 'cpu_usage') or 0,
        cell.memory,
        cell.memory_usage,
        tuple([_read_pool(pool) for pool in cell.mempages]),
    )


def _read_pool(pool: Any) -> _Pool:
    # Reserved pages are younger than the others.
    reserved = _read(pool, 'reserved') or 0
    return pool.size_kb, pool.total, pool.used, reserved


@functools.lru_cache(maxsize=16384)
def _make_vacancy(  # noqa: PLR0917 - a cache is keyed by what is given
    number: int,
    dedicated: _Sets,
    shared: _Sets,
    siblings: tuple[_Sets, ...],
    pinned: _Sets,
    shared_usage: int,
    memory_mib: int,
    memory_used_mib: int,
    pools: tuple[_Pool, ...],
) -> Vacancy:
    """Return what is free on a cell: most hosts are as they were before."""
    pages = _make_pages(pools)
    sizes = tuple([pool.size_kib for pool in pages])
    empty = _empty_cell(dedicated, shared, siblings, sizes)
    known = empty.cell
    cell: Any = _CellDraft()
    cell.id = number
    cell.dedicated = known.dedicated
    cell.shared = known.shared
    cell.siblings = known.siblings
    # After a change of cpu_dedicated_set guests may hold other pCPUs, too.
    cell.pinned = _to_cpus(pinned & dedicated)
    cell.shared_usage = shared_usage
    cell.memory_mib = memory_mib
    cell.memory_used_mib = memory_used_mib
    cell.pages = pages
    cell.l3 = ()
    cell.socket = None
    cell.__class__ = HostCell
    return Vacancy(cell, empty)


def _make_pages(pools: tuple[_Pool, ...]) -> tuple[PagePool, ...]:
    """Return the pools by size."""
    made = []
    for size_kib, total, used, reserved in sorted(pools):
        pool: Any = _PoolDraft()
        pool.size_kib = size_kib
        pool.total = total
        pool.used = used
        pool.reserved = reserved
        pool.__class__ = PagePool
        made.append(pool)
    return tuple(made)


def _read(item: Any, field: str) -> Any:
    """Return a field of one of nova's objects, None where it is not set."""
    try:
        return getattr(item, field)
    except NotImplementedError:
        # What obj_load_attr raises. To ask first would double the time.
        return None


@functools.lru_cache(maxsize=4096)
def _empty_cell(
    dedicated: _Sets,
    shared: _Sets,
    siblings: tuple[_Sets, ...],
    sizes: tuple[int, ...],
) -> Vacancy:
    """Return what is free on an empty cell with these pCPUs.

    A fleet has few kinds of cells, and a host has the same ones for years.
    """
    cell = HostCell(
        id=0,
        dedicated=_to_cpus(dedicated),
        shared=_to_cpus(shared),
        siblings=tuple([_to_cpus(core) for core in siblings]),
        memory_mib=0,
        pages=tuple([PagePool(size_kib=size, total=0) for size in sizes]),
    )
    return Vacancy(cell)


def _to_cpus(cpus: Iterable[int]) -> CPUSet:
    return CPUSet.from_mask(sum([1 << cpu for cpu in cpus]))


def read_guest(topology: Any) -> GuestRequirement:
    """Return what an ``InstanceNUMATopology`` asks for.

    The vCPUs are renumbered, cell by cell: the dedicated ones of a cell
    come first, ascending. Which of them are real-time nova's object does
    not say.

    :raises ModelError: if the request contradicts itself.
    """
    cells = topology.cells
    # These two are kept on each cell, and are the same on all.
    policy = _read(cells[0], 'cpu_policy') or CPUPolicy.SHARED
    return _make_guest(
        policy,
        _read(cells[0], 'cpu_thread_policy'),
        EmulatorPolicy.ISOLATE if topology.emulator_threads_isolated else None,
        tuple([_read_shape(cell, policy) for cell in cells]),
    )


def _read_shape(cell: Any, policy: str) -> _Shape:
    """Return what a guest cell is about; of a policy only what it counts."""
    return (
        0 if policy == CPUPolicy.SHARED else len(cell.pcpuset),
        0 if policy == CPUPolicy.DEDICATED else len(cell.cpuset),
        cell.memory,
        _read(cell, 'pagesize') or None,
    )


@functools.lru_cache(maxsize=1024)
def _make_guest(
    policy: str,
    threads: str | None,
    emulator: EmulatorPolicy | None,
    shapes: tuple[_Shape, ...],
) -> GuestRequirement:
    cells = []
    first = memory_mib = 0
    for number, (dedicated, shared, mib, size) in enumerate(shapes):
        pinned = (1 << dedicated) - 1
        floating = ((1 << shared) - 1) << dedicated
        cells.append(
            make_cell(
                number,
                floating << first,
                pinned << first,
                mib,
                size if size is None else _PAGE_WORDS.get(size, size),
            )
        )
        first += dedicated + shared
        memory_mib += mib
    return GuestRequirement(
        name='the instance',
        vcpus=first,
        memory_mib=memory_mib,
        cells=tuple(cells),
        topology=CPUTopology(sockets=max(first, 1)),
        cpu_policy=CPUPolicy(policy),
        thread_policy=None if threads is None else ThreadPolicy(threads),
        emulator_policy=emulator,
    )


def read_limits(limits: Any, guest: GuestRequirement) -> Limits | None:
    """Return what ``NUMATopologyLimits`` allow the guest."""
    if not limits or guest.cpu_policy is CPUPolicy.DEDICATED:
        return None
    return make_limits(
        limits.cpu_allocation_ratio, limits.ram_allocation_ratio, guest
    )


def make_limits(
    cpu_ratio: float, ram_ratio: float, guest: GuestRequirement
) -> Limits | None:
    """Return allocation ratios where they bind the guest."""
    if guest.cpu_policy is CPUPolicy.DEDICATED:
        return None
    return Limits(
        cpu_allocation_ratio=cpu_ratio, ram_allocation_ratio=ram_ratio
    )


def network_affinity(topology: Any, metadata: Any) -> list[frozenset[int]]:
    """Return sets of host cells of which each must hold a guest cell.

    The rule of nova's ``_numa_cells_support_network_metadata``: one for
    each physical network, and one for tunnels, that some host cell is near.

    :param metadata: a ``NetworkMetadata``, or None.
    """
    if not metadata:
        return []
    near: dict[str, set[int]] = {}
    tunnels: set[int] = set()
    for cell in topology.cells:
        if own := _read(cell, 'network_metadata'):
            for network in own.physnets:
                near.setdefault(network, set()).add(cell.id)
            if own.tunneled:
                tunnels.add(cell.id)
    asked = _read(metadata, 'physnets') or ()
    found = [frozenset(near[name]) for name in asked if name in near]
    if tunnels and _read(metadata, 'tunneled'):
        found.append(frozenset(tunnels))
    return found


def write_topology(asked: Any, plan: Plan) -> Any:
    """Return a new ``InstanceNUMATopology``: what was asked for, placed."""
    return objects.InstanceNUMATopology(
        cells=[
            _write_cell(cell, planned, plan.guest)
            for cell, planned in zip(asked.cells, plan.cells, strict=True)
        ],
        emulator_threads_policy=_read(asked, 'emulator_threads_policy'),
    )


def _write_cell(
    asked: Any, planned: PlannedCell, guest: GuestRequirement
) -> Any:
    """Return a new ``InstanceNUMACell`` on its host cell."""
    values = {
        name: value
        for name in asked.fields
        if (value := _read(asked, name)) is not None
    }
    values['id'] = planned.host_cell
    if values.get('pagesize'):
        values['pagesize'] = planned.page_size_kib
    if guest.cpu_policy is not CPUPolicy.SHARED:
        pins = planned.pins
        values['cpu_pinning_raw'] = {
            str(vcpu): pins[number].mask.bit_length() - 1
            for vcpu, number in zip(
                sorted(asked.pcpuset),
                guest.cells[planned.guest_cell].dedicated,
                strict=True,
            )
        }
        values['cpuset_reserved'] = set(planned.emulator) or None
    return objects.InstanceNUMACell(**values)

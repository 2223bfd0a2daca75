# SPDX-License-Identifier: Apache-2.0
"""Hosts and guests as nova's objects, and its fit of one cell on another."""

from typing import Any

from nova import exception
from nova import objects
from nova.virt import hardware

from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.model.limits import Limits
from rtvirt.model.pages import PageSize

_PAGE_WORDS = {
    PageSize.SMALL: hardware.MEMPAGES_SMALL,
    PageSize.LARGE: hardware.MEMPAGES_LARGE,
    PageSize.ANY: hardware.MEMPAGES_ANY,
}


def host_cell(cell: HostCell) -> Any:
    """Return nova's object; it knows the usable threads of a core alone."""
    usable = set(cell.dedicated | cell.shared)
    cores = [set(core) & usable for core in cell.siblings]
    return objects.NUMACell(
        id=cell.id,
        socket=cell.socket,
        cpuset=set(cell.shared),
        pcpuset=set(cell.dedicated),
        memory=cell.memory_mib,
        cpu_usage=cell.shared_usage,
        memory_usage=cell.memory_used_mib,
        pinned_cpus=set(cell.pinned),
        siblings=[core for core in cores if core],
        mempages=[
            objects.NUMAPagesTopology(
                size_kb=pool.size_kib,
                total=pool.total,
                used=pool.used,
                reserved=pool.reserved,
            )
            for pool in cell.pages
        ],
    )


def host_topology(host: HostTopology) -> Any:
    """Return nova's object."""
    return objects.NUMATopology(cells=[host_cell(c) for c in host.cells])


def guest_cell(guest: GuestRequirement, cell: GuestCell) -> Any:
    """Return nova's object, new: the fit changes it."""
    size = cell.page_size
    policy = guest.thread_policy
    return objects.InstanceNUMACell(
        id=cell.id,
        cpuset=set(cell.shared),
        pcpuset=set(cell.dedicated),
        memory=cell.memory_mib,
        pagesize=_PAGE_WORDS[size] if isinstance(size, PageSize) else size,
        cpu_policy=guest.cpu_policy.value,
        cpu_thread_policy=None if policy is None else policy.value,
    )


def guest_topology(guest: GuestRequirement) -> Any:
    """Return nova's object, new: the fit changes it."""
    policy = guest.emulator_policy
    return objects.InstanceNUMATopology(
        cells=[guest_cell(guest, cell) for cell in guest.cells],
        emulator_threads_policy=None if policy is None else policy.value,
    )


def limits_of(limits: Limits | None) -> Any:
    """Return nova's object."""
    if limits is None:
        return None
    return objects.NUMATopologyLimits(
        cpu_allocation_ratio=limits.cpu_allocation_ratio,
        ram_allocation_ratio=limits.ram_allocation_ratio,
    )


def fit_cell(
    guest: GuestRequirement,
    want: GuestCell,
    cell: HostCell,
    limits: Limits | None,
) -> Any:
    """Return what nova makes of one guest cell on one host cell, or None."""
    reserved = int(
        want.id == 0 and guest.emulator_policy is EmulatorPolicy.ISOLATE
    )
    try:
        return hardware._numa_fit_instance_cell(
            host_cell(cell),
            guest_cell(guest, want),
            limits_of(limits),
            reserved,
        )
    except exception.MemoryPageSizeNotSupported:
        # numa_fit_instance_to_host catches it, too.
        return None

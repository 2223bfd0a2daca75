# SPDX-License-Identifier: Apache-2.0
"""How many vCPUs there are, and the topology they show."""

from __future__ import annotations

from collections.abc import Mapping

from rtvirt.libvirtxml.cpu import NUMACell
from rtvirt.libvirtxml.cpu import Topology
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.vcpu import VCPU
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.plan import Plan


class CPUConfigurator:
    """Sets the number of vCPUs, where they float, and what the guest sees.

    The same as ``LibvirtDriver._get_guest_cpu_config`` and
    ``_get_cpu_numa_config_from_instance`` of nova. The CPU's model and its
    flags are the document's.
    """

    owns = frozenset({'vcpu', 'vcpus', 'cpu/topology', 'cpu/numa/cell'})

    def configure(self, plan: Plan, domain: Domain) -> None:
        count, floating = plan.guest.vcpus, plan.floating or None
        if domain.vcpu is None or domain.vcpu.count != count:
            # Which of the others were plugged in says nothing any more.
            domain.vcpu = VCPU(count=count, cpuset=floating)
            domain.vcpus = FrozenDict()
        else:
            # No placement "auto": numad would pin where nothing else pins.
            domain.vcpu = domain.vcpu.but(placement='static', cpuset=floating)
        topology = plan.guest.topology
        domain.cpu = domain.cpu.but(
            topology=Topology(
                sockets=topology.sockets,
                cores=topology.cores,
                threads=topology.threads,
            ),
            cells=_to_cells(plan, domain.cpu.cells),
        )


def _to_cells(
    plan: Plan, known: Mapping[int, NUMACell]
) -> dict[int, NUMACell]:
    cells = plan.guest.cells
    # Shared memory, for vhost-user backends must be able to map it: nova
    # has it for all cells as soon as one has huge pages.
    access = 'shared' if plan.huge_cells else None
    # Distances name the other cells; of other cells they say nothing.
    same = known and set(known) == {cell.id for cell in cells}
    return {
        cell.id: NUMACell(
            cpus=cell.vcpus,
            memory_kib=cell.memory_mib * 1024,
            mem_access=access,
            distances=known[cell.id].distances if same else {},
        )
        for cell in cells
    }

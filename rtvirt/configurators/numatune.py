# SPDX-License-Identifier: Apache-2.0
"""The host cells that the guest's memory comes from."""

from __future__ import annotations

from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.numatune import MemNode
from rtvirt.libvirtxml.numatune import NUMAMemory
from rtvirt.libvirtxml.numatune import NUMATune
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.plan import Plan


class NUMATuneConfigurator:
    """Binds each guest cell's memory to its host cell, strictly.

    The same as ``LibvirtDriver._get_guest_numa_config`` of nova.
    """

    owns = frozenset({'numatune/memory', 'numatune/memnode'})

    def configure(self, plan: Plan, domain: Domain) -> None:
        if not plan.cells:
            domain.numatune = NUMATune()
            return
        nodes = {cell.guest_cell: cell.host_cell for cell in plan.cells}
        domain.numatune = NUMATune(
            memory=NUMAMemory(mode='strict', nodeset=CPUSet(nodes.values())),
            memnodes={
                guest_cell: MemNode(mode='strict', nodeset=CPUSet([node]))
                for guest_cell, node in nodes.items()
            },
        )

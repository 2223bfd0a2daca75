# SPDX-License-Identifier: Apache-2.0
"""How much memory the guest has, on which pages, and whether it stays."""

from __future__ import annotations

from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.memory_backing import HugePage
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.plan import Plan


class MemoryBackingConfigurator:
    """Backs guest cells by huge pages, and keeps real-time guests in RAM.

    The same as ``LibvirtDriver._get_guest_memory_backing_config`` of nova.
    A real-time guest has all its memory from the start: what a balloon
    would give it later is a page fault when it is least wanted.
    """

    owns = frozenset(
        {
            'memory',
            'currentMemory',
            'memoryBacking/hugepages',
            'memoryBacking/nosharepages',
            'memoryBacking/locked',
        }
    )

    def configure(self, plan: Plan, domain: Domain) -> None:
        realtime = bool(plan.realtime)
        memory_kib = plan.guest.memory_mib * 1024
        domain.memory_kib = memory_kib
        current_kib = domain.current_memory_kib
        if current_kib is not None and (realtime or current_kib > memory_kib):
            domain.current_memory_kib = memory_kib
        pages = tuple(
            [
                HugePage(
                    size_kib=cell.page_size_kib,
                    nodeset=CPUSet([cell.guest_cell]),
                )
                for cell in plan.huge_cells
            ]
        )
        domain.memory_backing = domain.memory_backing.but(
            hugepages=pages or None,
            nosharepages=realtime,
            locked=realtime or plan.guest.locked_memory,
        )

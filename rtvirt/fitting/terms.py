# SPDX-License-Identifier: Apache-2.0
"""What counts besides the demand and what is free on a cell."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from rtvirt.fitting.control import usable_banks
from rtvirt.fitting.control import usable_nodes
from rtvirt.fitting.demand import CellDemand
from rtvirt.fitting.demand import Demand
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import L3Policy
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostTopology
from rtvirt.model.layout import Layout
from rtvirt.model.limits import Limits
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank
from rtvirt.model.vacancy import Vacancy


class SMTIsolate(enum.StrEnum):
    """What ``isolate`` means on a host with sibling threads.

    ``CORES``: a whole core for each vCPU, its siblings claimed and idle.
    ``REFUSE``: no fit where dedicated and shared pCPUs are set apart, as in
    nova since 20.0.0 (nova bug 1889633).
    """

    CORES = 'cores'
    REFUSE = 'refuse'


class Terms:
    """The terms of one fit: limits, isolation, caches.

    :ivar overcommit: whether the guest may overcommit ordinary memory.
    :ivar limits: None for a guest that they do not bind.
    :ivar plain: whether all that is free counts, wherever it is.
    """

    __slots__ = (
        'banks',
        'demand',
        'host',
        'limits',
        'nodes',
        'overcommit',
        'plain',
        'refuse_smt',
    )

    def __init__(
        self,
        demand: Demand,
        host: HostTopology,
        limits: Limits | None,
        smt_isolate: SMTIsolate,
    ) -> None:
        self.demand = demand
        self.host = host
        policy = demand.cpu_policy
        self.overcommit = policy is CPUPolicy.SHARED
        self.limits = limits if policy is not CPUPolicy.DEDICATED else None
        self.refuse_smt = (
            smt_isolate is SMTIsolate.REFUSE
            and demand.policy is ThreadPolicy.ISOLATE
        )
        self.plain = demand.is_plain and not self.refuse_smt
        if demand.is_controlled:
            self.banks = usable_banks(demand.guest, host)
            self.nodes = usable_nodes(demand.guest, host)

    def areas(self, want: CellDemand, layout: Layout) -> Sequence[int]:
        """Return the sets of cores of which the vCPUs may use one, each.

        All cores, or each L3's under ``l3_policy=require``. Under
        ``prefer`` all cores come first, and each L3's after them. A cell
        with real-time vCPUs whose guest asks for cache or bandwidth uses
        cores behind which there is as much left.
        """
        every = layout.every
        if not want.count:
            return (every,)
        if self.demand.is_controlled and want.realtime:
            guest = self.demand.guest
            every = self.cores_behind(layout, guest.cache_mib, self.banks)
            every &= self.cores_behind(
                layout, guest.memory_bandwidth, self.nodes
            )
        if self.demand.l3_policy is L3Policy.NONE:
            return (every,)
        caches = [cache & every for cache in layout.l3 if cache & every]
        if self.demand.l3_policy is L3Policy.REQUIRE:
            return caches
        return (every, *caches)

    def cores_behind(
        self,
        layout: Layout,
        asked: int | None,
        parts: Sequence[CacheBank | BandwidthNode],
    ) -> int:
        """Return the cores behind one of the parts; all, if none is asked."""
        if asked is None:
            return layout.every
        cpus = 0
        for part in parts:
            cpus |= part.cpus.mask
        return sum(
            1 << core
            for core, mask in enumerate(layout.masks)
            if not mask & ~cpus
        )

    def refuses(self, vacancy: Vacancy) -> bool:
        """Whether nova refuses ``isolate`` on the cell, whatever is free."""
        cell = vacancy.cell
        return (
            vacancy.layout.threads_per_core > 1
            and cell.dedicated != cell.shared
        )

    def room(self, want: CellDemand, vacancy: Vacancy) -> int:
        """Return how many dedicated vCPUs find a place as ``want`` says.

        -1 where there is no place even for none of them.
        """
        if self.plain or not want.count:
            return vacancy.room[want.room]
        if self.refuse_smt and self.refuses(vacancy):
            return -1
        return max(
            (
                vacancy.room_within(area)[want.room]
                for area in self.areas(want, vacancy.layout)
            ),
            default=-1,
        )

    def shared_room(self, vacancy: Vacancy) -> int:
        """Return how many shared vCPUs of one guest cell find a place.

        nova's ``_numa_fit_instance_cell``: no more than shared pCPUs, and
        under limits no more than the allocation ratio leaves. A mixed guest
        needs shared pCPUs beside the dedicated ones
        (``LibvirtDriver._validate_pinning_configuration``).
        """
        cell = vacancy.cell
        shared = cell.shared.mask
        room = count = shared.bit_count()
        if self.demand.cpu_policy is CPUPolicy.MIXED:
            room = (shared & ~cell.dedicated.mask).bit_count()
        if self.limits is None:
            return room
        ratio = self.limits.cpu_allocation_ratio
        return min(room, int(count * ratio) - cell.shared_usage)

    def memory_room_mib(self, vacancy: Vacancy, limits: Limits) -> int:
        """Return the MiB that the limits leave; may be negative."""
        cell = vacancy.cell
        promised = int(cell.memory_mib * limits.ram_allocation_ratio)
        return promised - cell.memory_used_mib

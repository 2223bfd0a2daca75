# SPDX-License-Identifier: Apache-2.0
"""Random small hosts and guests, tight enough that about half do not fit."""

from __future__ import annotations

import random
from dataclasses import dataclass

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
from rtvirt.model.limits import Limits
from rtvirt.model.pages import PagePool
from rtvirt.model.pages import PageSize
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank
from rtvirt.model.resctrl import CacheType

SMALL, HUGE, GIANT = 4, 2048, 1048576


@dataclass(frozen=True, kw_only=True)
class Case:
    """A question to the fit."""

    guest: GuestRequirement
    host: HostTopology
    limits: Limits | None
    affinity: tuple[frozenset[int], ...]
    smt_isolate: str
    strategy: str


def random_case(draw: random.Random) -> Case:
    host = random_host(draw)
    guest = random_guest(draw)
    ids = [cell.id for cell in host.cells]
    affinity: tuple[frozenset[int], ...] = ()
    if draw.random() < 0.25:
        affinity = tuple(
            frozenset(draw.sample(ids, draw.randint(1, len(ids))))
            for _ in range(draw.randint(1, 3))
        )
    limits = None
    if draw.random() < 0.25:
        limits = Limits(
            cpu_allocation_ratio=draw.choice([0.5, 1.0, 1.5, 4.0]),
            ram_allocation_ratio=draw.choice([0.5, 1.0, 1.5]),
        )
    return Case(
        guest=guest,
        host=host,
        limits=limits,
        affinity=affinity,
        smt_isolate=draw.choice(['cores', 'cores', 'refuse']),
        strategy=draw.choice(['spread', 'pack']),
    )


def random_subset(draw: random.Random, items: list[int]) -> CPUSet:
    share = draw.choice([0.0, 0.3, 0.6, 1.0])
    return CPUSet(item for item in items if draw.random() < share)


def random_cores(draw: random.Random, first: int) -> list[CPUSet]:
    """Cores of one cell: all alike, or (hybrid) not."""
    size = draw.choice([1, 2, 2, 2, 4])
    hybrid = draw.random() < 0.15
    cores = []
    for _ in range(draw.randint(2, 5 if size < 4 else 3)):
        threads = draw.choice([1, 2, 4]) if hybrid else size
        cores.append(CPUSet(range(first, first + threads)))
        first += threads
    if draw.random() < 0.2:
        # Numbered as Linux does: second threads after all the first.
        flat = sorted(cpu for core in cores for cpu in core)
        order = sorted(
            (position, number)
            for number, core in enumerate(cores)
            for position in range(len(core))
        )
        dealt: list[list[int]] = [[] for _ in cores]
        for cpu, (_, number) in zip(flat, order, strict=True):
            dealt[number].append(cpu)
        cores = [CPUSet(cpus) for cpus in dealt]
    return cores


def random_pages(draw: random.Random, memory_mib: int) -> tuple[PagePool, ...]:
    if draw.random() < 0.15:
        return ()
    pools = []
    for size in (SMALL, HUGE, GIANT):
        if size == SMALL or draw.random() < 0.7:
            total = memory_mib * 1024 // size
            total = draw.choice([total // 2, *[total] * 7])
            pools.append(
                PagePool(
                    size_kib=size,
                    total=total,
                    used=draw.choice([*[0] * 6, total // 2, total]),
                    reserved=draw.choice([*[0] * 6, total // 4, 1]),
                )
            )
    if draw.random() < 0.1:
        pools.pop(0)
    draw.shuffle(pools)
    return tuple(pools)


def random_cell(draw: random.Random, id: int, first: int) -> HostCell:
    cores = random_cores(draw, first)
    cpus = [cpu for core in cores for cpu in core]
    kind = draw.choices(
        ['dedicated', 'legacy', 'apart', 'shared'], [4, 4, 4, 1]
    )[0]
    if kind == 'legacy':
        dedicated = shared = CPUSet(cpus)
    elif kind == 'dedicated':
        dedicated, shared = CPUSet(cpus), CPUSet()
    elif kind == 'shared':
        dedicated, shared = CPUSet(), random_subset(draw, cpus)
    else:
        dedicated = CPUSet(cpu for cpu in cpus if draw.random() < 0.8)
        shared = random_subset(draw, sorted(set(cpus) - dedicated))
    memory = draw.choice([1, 2, 4, 8, 8]) * 1024
    taken = draw.choice([0, 0, 0.2, 0.5])
    caches = draw.choice([0, 1, 1, 2, 2])
    l3 = [CPUSet() for _ in range(min(caches, len(cores)))]
    for core in cores if l3 else ():
        number = draw.randrange(len(l3))
        l3[number] |= core
    return HostCell(
        id=id,
        dedicated=dedicated,
        shared=shared,
        siblings=tuple(cores),
        pinned=CPUSet(cpu for cpu in dedicated if draw.random() < taken),
        shared_usage=draw.choice([0, 0, 1, 3]),
        memory_mib=memory,
        memory_used_mib=draw.choice([0, 0, 0, memory // 2, memory]),
        pages=random_pages(draw, memory),
        l3=tuple(cache for cache in l3 if cache),
    )


def random_host(draw: random.Random) -> HostTopology:
    cells: list[HostCell] = []
    first = 0
    for id in draw.sample(range(6), draw.choice([1, 2, 3, 4, 4])):
        cells.append(random_cell(draw, id, first))
        first = max(cells[-1].cpus) + 1
    caches: tuple[CacheBank, ...] = ()
    nodes: tuple[BandwidthNode, ...] = ()
    if draw.random() < 0.7:
        groups = [cache for cell in cells for cache in cell.l3]
        step = draw.choice([0, 1024, 1024, 1536])
        caches = tuple(
            CacheBank(
                id=number,
                cpus=cpus,
                size_kib=8 * 1024,
                granularity_kib=step,
                minimum_kib=draw.choice([0, 2 * step]),
                max_groups=8,
                types=draw.choice(
                    [(CacheType.BOTH,), (CacheType.CODE, CacheType.DATA)]
                ),
                used_kib=draw.choice([0, 0, 2048, 6144]),
            )
            for number, cpus in enumerate(groups)
        )
        nodes = tuple(
            BandwidthNode(
                id=number,
                cpus=cpus,
                granularity=10,
                minimum=10,
                max_groups=8,
                used=draw.choice([0, 0, 50, 80]),
            )
            for number, cpus in enumerate(groups)
        )
    return HostTopology(
        cells=tuple(cells),
        caches=caches,
        bandwidths=nodes,
        control_groups=draw.choice([*[0] * 9, 7]),
    )


def random_guest(draw: random.Random) -> GuestRequirement:
    policy = draw.choice(
        [CPUPolicy.DEDICATED] * 4 + [CPUPolicy.MIXED, CPUPolicy.SHARED]
    )
    number = draw.choice([1, 1, 1, 2, 2, 3, 4])
    page_size = draw.choice(
        [None, None, SMALL, HUGE, GIANT, PageSize.LARGE, *PageSize]
    )
    if draw.random() < 0.03:
        page_size = 16384
    cells = []
    first = 0
    alike = draw.random() < 0.4
    size, memory = draw.randint(1, 4), draw.choice([512, 1024, 1024, 2048])
    for id in range(number):
        if not alike:
            size = draw.choice([1, 1, 2, 2, 3, 4])
            memory = draw.choice([1, 512, 1024, 1024, 2048, 4096])
        vcpus = CPUSet(range(first, first + size))
        first += size
        if policy is CPUPolicy.DEDICATED:
            dedicated = vcpus
        elif policy is CPUPolicy.SHARED:
            dedicated = CPUSet()
        else:
            dedicated = CPUSet(v for v in vcpus if draw.random() < 0.5)
        cells.append(
            GuestCell(
                id=id,
                dedicated=dedicated,
                shared=vcpus - dedicated,
                memory_mib=memory,
                page_size=page_size,
            )
        )
    pinned = policy is not CPUPolicy.SHARED
    every = [vcpu for cell in cells for vcpu in cell.dedicated]
    realtime = CPUSet()
    if pinned and draw.random() < 0.5:
        realtime = random_subset(draw, every)
        realtime -= CPUSet([0]) if draw.random() < 0.8 else CPUSet()
    special = draw.random() < 0.3
    return GuestRequirement(
        name='random',
        vcpus=first,
        memory_mib=sum(cell.memory_mib for cell in cells),
        cells=tuple(cells),
        topology=CPUTopology(sockets=first),
        cpu_policy=policy,
        thread_policy=draw.choice([None, None, *ThreadPolicy])
        if pinned
        else None,
        emulator_policy=draw.choice([None, None, *EmulatorPolicy])
        if pinned
        else None,
        realtime=realtime,
        priorities=dict.fromkeys(realtime, 1),
        l3_policy=draw.choice(list(L3Policy)) if special else L3Policy.NONE,
        cache_mib=draw.choice([None, 1, 2, 5]) if special else None,
        memory_bandwidth=draw.choice([None, 15, 40]) if special else None,
    )

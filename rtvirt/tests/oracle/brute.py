# SPDX-License-Identifier: Apache-2.0
"""Feasibility by trying every assignment, cell rules from their prose."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import L3Policy
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostCell
from rtvirt.model.pages import PageSize
from rtvirt.tests.oracle.case import Case


def ordered_cells(case: Case) -> list[HostCell]:
    """The host's cells as nova tries them."""
    cells = list(case.host.cells)
    if len(cells) <= len(case.guest.cells):
        return cells
    shared = case.guest.cpu_policy is CPUPolicy.SHARED
    sign = -1 if case.strategy == 'spread' else 1

    def key(cell: HostCell) -> tuple[int, int]:
        memory = cell.memory_mib - cell.memory_used_mib
        if shared:
            return -sign * cell.shared_usage, sign * memory
        return sign * len(cell.dedicated - cell.pinned), sign * memory

    return sorted(cells, key=key)


def solutions(case: Case) -> Iterator[tuple[HostCell, ...]]:
    """Every way to give the guest cells host cells, in nova's order."""
    if not emulator_has_a_place(case):
        return
    cells = ordered_cells(case)
    fits = {
        (want.id, cell.id): cell_fits(case, want, cell)
        for want in case.guest.cells
        for cell in cells
    }
    for chosen in itertools.permutations(cells, len(case.guest.cells)):
        ids = {cell.id for cell in chosen}
        if all(
            fits[want.id, cell.id]
            for want, cell in zip(case.guest.cells, chosen, strict=True)
        ) and all(ids & near for near in case.affinity):
            yield chosen


def emulator_has_a_place(case: Case) -> bool:
    guest = case.guest
    if not guest.realtime or guest.emulator_policy is EmulatorPolicy.ISOLATE:
        return True
    if guest.emulator_policy is EmulatorPolicy.SHARE:
        return any(
            set(cell.shared) - set(cell.dedicated) for cell in case.host.cells
        )
    return set(guest.realtime) != set(range(guest.vcpus))


def cell_fits(case: Case, want: GuestCell, cell: HostCell) -> bool:
    return (
        page_size_for(case, want, cell) is not None
        and shared_fit(case, want, cell)
        and any(
            threads_fit(case, want, cell, allowed)
            for allowed in allowed_sets(case, want, cell)
        )
    )


def is_reserved(case: Case, want: GuestCell) -> bool:
    return (
        want.id == 0 and case.guest.emulator_policy is EmulatorPolicy.ISOLATE
    )


def allowed_sets(
    case: Case, want: GuestCell, cell: HostCell
) -> list[set[int]]:
    """The sets of pCPUs, one of which must hold all dedicated vCPUs."""
    every = set(cell.cpus)
    if not want.dedicated:
        return [every]
    every = controlled_cpus(case, want, every)
    if case.guest.l3_policy is L3Policy.REQUIRE:
        return [every & set(cache) for cache in cell.l3]
    return [every]


def controlled_cpus(case: Case, want: GuestCell, cpus: set[int]) -> set[int]:
    """Those of the pCPUs behind which cache and bandwidth are left."""
    guest, host = case.guest, case.host
    if not want.dedicated & guest.realtime:
        return cpus
    groups = [b.max_groups for b in host.caches if b.granularity_kib]
    groups += [n.max_groups for n in host.bandwidths if n.granularity]
    left = min(groups, default=1) - 1 - host.control_groups
    if guest.cache_mib is not None:
        good: set[int] = set()
        for bank in host.caches:
            step = bank.granularity_kib
            if not step or left <= 0:
                continue
            least = max(bank.minimum_kib, 1)
            keep = -(-least // step) * step
            wish = -(-max(guest.cache_mib * 1024, least) // step) * step
            if wish + keep + bank.used_kib <= bank.size_kib:
                good |= set(bank.cpus)
        cpus = cpus & good
    if guest.memory_bandwidth is not None:
        good = set()
        for node in host.bandwidths:
            wish = -(-max(guest.memory_bandwidth, 10) // 10) * 10
            if left > 0 and wish + 10 + node.used <= 100:
                good |= set(node.cpus)
        cpus = cpus & good
    return cpus


def threads_fit(
    case: Case, want: GuestCell, cell: HostCell, allowed: set[int]
) -> bool:
    """Whether dedicated vCPUs and the reserved pCPU find threads."""
    free = set(cell.dedicated) - set(cell.pinned)
    number = len(want.dedicated)
    extra = int(is_reserved(case, want))
    policy = case.guest.thread_policy
    if number + extra > len(free):
        return False
    if not number:
        return True
    usable = set(cell.dedicated) | set(cell.shared)
    threads_per_core = max(len(set(core) & usable) for core in cell.siblings)
    cores = [set(core) & free for core in cell.siblings]
    # A core belongs to an area only with all its dedicated threads.
    inside = [
        set(core) & free
        for core in cell.siblings
        if set(core) & set(cell.dedicated) <= allowed
    ]
    if policy is ThreadPolicy.ISOLATE:
        if (
            case.smt_isolate == 'refuse'
            and threads_per_core > 1
            and set(cell.dedicated) != set(cell.shared)
        ):
            return False
        whole = [core for core in inside if len(core) == threads_per_core]
        some = [core for core in cores if core]
        return len(whole) >= number and len(some) >= number + extra
    if policy is ThreadPolicy.REQUIRE:
        return any(
            number <= threads * sum(len(core) >= threads for core in inside)
            for threads in range(2, 9)
        )
    return number <= sum(map(len, inside))


def shared_fit(case: Case, want: GuestCell, cell: HostCell) -> bool:
    number = len(want.shared)
    shared = set(cell.shared)
    usable = shared
    if case.guest.cpu_policy is CPUPolicy.MIXED:
        usable = shared - set(cell.dedicated)
    if number > len(usable):
        return False
    if case.limits is None or case.guest.cpu_policy is CPUPolicy.DEDICATED:
        return True
    return (
        cell.shared_usage + number
        <= len(shared) * case.limits.cpu_allocation_ratio
        and cell.memory_used_mib + want.memory_mib
        <= cell.memory_mib * case.limits.ram_allocation_ratio
    )


def page_size_for(case: Case, want: GuestCell, cell: HostCell) -> int | None:
    """The page size in KiB that the guest cell gets, None if none will do."""
    memory_kib = want.memory_mib * 1024
    overcommit = (
        case.guest.cpu_policy is CPUPolicy.SHARED and want.page_size is None
    )
    pools = sorted(cell.pages, key=lambda pool: pool.size_kib)
    if want.page_size is None and not pools:
        held = 0 if overcommit else cell.memory_used_mib
        return 4 if want.memory_mib <= cell.memory_mib - held else None
    if want.page_size is None or want.page_size == PageSize.SMALL:
        pools = pools[:1]
    elif want.page_size == PageSize.LARGE:
        pools = pools[1:]
    elif want.page_size != PageSize.ANY:
        pools = [pool for pool in pools if pool.size_kib == want.page_size]
    for pool in reversed(pools):
        pages, rest = divmod(memory_kib, pool.size_kib)
        taken = 0 if overcommit else pool.used + pool.reserved
        if not rest and pages <= max(0, pool.total - taken):
            return pool.size_kib
    return None

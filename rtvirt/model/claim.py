# SPDX-License-Identifier: Apache-2.0
"""Claims: what a plan takes from a host, and gives back.

Both ways are exact inverses: a plan that was claimed and released leaves a
host equal to the one before, derived values included.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from rtvirt.exception import FitError
from rtvirt.model.alter import altered
from rtvirt.model.check import shown
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.holder import Holder
from rtvirt.model.holder import Holding
from rtvirt.model.reason import FitReason
from rtvirt.model.reason import ReasonCode
from rtvirt.model.vacancy import Vacancy

if TYPE_CHECKING:
    from rtvirt.model.guest import GuestCell
    from rtvirt.model.guest import GuestRequirement
    from rtvirt.model.host import HostCell
    from rtvirt.model.host import HostTopology
    from rtvirt.model.plan import Plan
    from rtvirt.model.plan import PlannedCell

CLAIM: Final = 1
RELEASE: Final = -1


def find_obstacles(
    host: HostTopology, plan: Plan, sign: int
) -> Iterator[FitReason]:
    """Yield why the host's cells cannot give, or take back, the plan."""
    vacancies = {one.cell.id: one for one in host.vacancies}
    for planned, want, mask in zip(
        plan.cells, plan.guest.cells, plan.claimed_masks, strict=True
    ):
        vacancy = vacancies.get(planned.host_cell)
        if vacancy is None:
            yield FitReason(
                guest_cell=planned.guest_cell,
                host_cell=planned.host_cell,
                code=ReasonCode.HOST_CELLS,
                wanted=planned.host_cell,
                sentence=f'the host has no cell {planned.host_cell}',
            )
        elif sign == CLAIM:
            yield from _untakable(vacancy, planned, plan.guest, want, mask)
        else:
            yield from _not_held(vacancy.cell, planned, want, mask)


def _reason(
    planned: PlannedCell,
    code: ReasonCode,
    wanted: int | str,
    available: int | str,
    what: str,
) -> FitReason:
    return FitReason(
        guest_cell=planned.guest_cell,
        host_cell=planned.host_cell,
        code=code,
        wanted=wanted,
        available=available,
        sentence=f'{what} on host cell {planned.host_cell}',
    )


def _untakable(
    vacancy: Vacancy,
    planned: PlannedCell,
    guest: GuestRequirement,
    want: GuestCell,
    mask: int,
) -> Iterator[FitReason]:
    """Yield what the cell does not have free."""
    if lacking := mask & ~vacancy.free:
        yield _reason(
            planned,
            ReasonCode.DEDICATED_CPUS,
            str(CPUSet.from_mask(mask)),
            str(CPUSet.from_mask(vacancy.free)),
            f'pCPUs {CPUSet.from_mask(lacking)} are not free',
        )
    shared = vacancy.cell.shared
    for vcpu in want.shared:
        if not planned.pins[vcpu] <= shared:
            yield _reason(
                planned,
                ReasonCode.SHARED_CPUS,
                str(planned.pins[vcpu]),
                str(shared),
                f'pCPUs {planned.pins[vcpu] - shared} are not shared',
            )
    overcommit = (
        guest.cpu_policy is CPUPolicy.SHARED and want.page_size is None
    )
    size_kib = planned.page_size_kib
    free_kib = vacancy.backing_kib(size_kib, overcommit=overcommit)
    if free_kib < planned.memory_mib * 1024:
        free = max(0, free_kib) // size_kib
        yield _reason(
            planned,
            ReasonCode.PAGES,
            planned.pages,
            free,
            f'{planned.pages} pages of {size_kib} KiB are wanted and {free} '
            'free',
        )


def _not_held(
    cell: HostCell, planned: PlannedCell, want: GuestCell, mask: int
) -> Iterator[FitReason]:
    """Yield what nobody holds of that which is to be given back."""
    if lacking := mask & ~cell.pinned.mask:
        yield _reason(
            planned,
            ReasonCode.DEDICATED_CPUS,
            str(CPUSet.from_mask(mask)),
            str(cell.pinned),
            f'nobody holds pCPUs {CPUSet.from_mask(lacking)}',
        )
    if (floating := len(want.shared)) > cell.shared_usage:
        yield _reason(
            planned,
            ReasonCode.SHARED_CPUS,
            floating,
            cell.shared_usage,
            f'{floating} shared vCPUs are given back and '
            f'{cell.shared_usage} placed',
        )
    if planned.memory_mib > cell.memory_used_mib:
        yield _reason(
            planned,
            ReasonCode.MEMORY,
            planned.memory_mib,
            cell.memory_used_mib,
            f'{planned.memory_mib} MiB are given back and '
            f'{cell.memory_used_mib} MiB held',
        )
    used = {pool.size_kib: pool.used for pool in cell.pages}
    held = used.get(planned.page_size_kib, 0)
    if cell.pages and planned.pages > held:
        yield _reason(
            planned,
            ReasonCode.PAGES,
            planned.pages,
            held,
            f'{planned.pages} pages of {planned.page_size_kib} KiB are given '
            f'back and {held} held',
        )


def find_control_obstacles(
    host: HostTopology, plan: Plan, sign: int
) -> Iterator[FitReason]:
    """Yield why caches and bandwidth cannot be given, or taken back."""
    if not plan.is_controlled:
        return
    groups = host.control_groups
    if not 0 <= groups + sign <= host.max_groups:
        yield _control_reason(
            ReasonCode.CACHE,
            1,
            host.max_groups - groups if sign == CLAIM else groups,
            'the host has no resctrl group left'
            if sign == CLAIM
            else 'nobody holds a resctrl group',
        )
    banks = {(bank.level, bank.id): bank for bank in host.caches}
    for allocation in plan.caches:
        bank = banks.get((allocation.level, allocation.bank))
        limit = (
            0 if bank is None else _limit(bank.free_kib, bank.used_kib, sign)
        )
        if allocation.size_kib > limit:
            yield _control_reason(
                ReasonCode.CACHE,
                allocation.size_kib,
                limit,
                f'cache bank {allocation.bank} has {limit} KiB '
                f'{"free" if sign == CLAIM else "held"}, not '
                f'{allocation.size_kib}',
            )
    nodes = {node.id: node for node in host.bandwidths}
    for number, percent in plan.memory_bandwidth.items():
        node = nodes.get(number)
        limit = 0 if node is None else _limit(node.free, node.used, sign)
        if percent > limit:
            yield _control_reason(
                ReasonCode.MEMORY_BANDWIDTH,
                percent,
                limit,
                f'memory bandwidth {number} has {limit} % '
                f'{"free" if sign == CLAIM else "held"}, not {percent} %',
            )


def _limit(free: int, used: int, sign: int) -> int:
    return free if sign == CLAIM else used


def _control_reason(
    code: ReasonCode, wanted: int, available: int, sentence: str
) -> FitReason:
    return FitReason(
        guest_cell=None,
        host_cell=None,
        code=code,
        wanted=wanted,
        available=available,
        sentence=sentence,
    )


def refuse_obstacles(host: HostTopology, plan: Plan, sign: int) -> None:
    """Raise :class:`FitError` if the plan cannot be claimed, or released."""
    reasons = tuple(
        itertools.chain(
            find_obstacles(host, plan, sign),
            find_control_obstacles(host, plan, sign),
        )
    )
    if reasons:
        verb = 'claimed' if sign == CLAIM else 'released'
        raise FitError(
            f'the plan for {plan.guest.name} cannot be {verb}: {reasons[0]}',
            reasons=reasons,
        )


def transfer(
    host: HostTopology, plan: Plan, sign: int, name: str
) -> HostTopology:
    """Return the host with the plan claimed, or released.

    :param sign: :data:`CLAIM` or :data:`RELEASE`.
    :raises FitError: if it cannot be.
    """
    refuse_obstacles(host, plan, sign)
    changes = _transfer_cells(host, plan, sign)
    if name:
        changes['holders'] = _rename(host, plan, sign, name)
    if plan.is_controlled:
        changes.update(_transfer_control(host, plan, sign))
    return altered(host, **changes)


def _transfer_cells(
    host: HostTopology, plan: Plan, sign: int
) -> dict[str, Any]:
    cells = list(host.cells)
    vacancies = list(host.vacancies)
    positions = {cell.id: position for position, cell in enumerate(cells)}
    for planned, want, mask in zip(
        plan.cells, plan.guest.cells, plan.claimed_masks, strict=True
    ):
        position = positions[planned.host_cell]
        cell = cells[position]
        moved = altered(
            cell,
            pinned=CPUSet.from_mask(cell.pinned.mask ^ mask),
            shared_usage=cell.shared_usage + sign * len(want.shared),
            memory_used_mib=cell.memory_used_mib + sign * planned.memory_mib,
            pages=tuple(
                altered(pool, used=pool.used + sign * planned.pages)
                if pool.size_kib == planned.page_size_kib
                else pool
                for pool in cell.pages
            ),
        )
        cells[position] = moved
        vacancies[position] = Vacancy(moved, vacancies[position])
    return {'cells': tuple(cells), '_vacancies': tuple(vacancies)}


def _transfer_control(
    host: HostTopology, plan: Plan, sign: int
) -> dict[str, Any]:
    sizes = {
        (part.level, part.bank): sign * part.size_kib for part in plan.caches
    }
    percents = plan.memory_bandwidth
    return {
        'control_groups': host.control_groups + sign,
        'caches': tuple(
            altered(
                bank,
                used_kib=bank.used_kib + sizes.get((bank.level, bank.id), 0),
            )
            for bank in host.caches
        ),
        'bandwidths': tuple(
            altered(node, used=node.used + sign * percents.get(node.id, 0))
            for node in host.bandwidths
        ),
    }


def _rename(
    host: HostTopology, plan: Plan, sign: int, name: str
) -> tuple[Holder, ...]:
    """Return the holders with this one added, or taken off."""
    mine = Holder(
        name=name,
        holdings=tuple(
            Holding(
                host_cell=planned.host_cell,
                cpus=CPUSet.from_mask(mask),
                shared_vcpus=len(want.shared),
                memory_mib=planned.memory_mib,
                page_size_kib=planned.page_size_kib,
            )
            for planned, want, mask in zip(
                plan.cells, plan.guest.cells, plan.claimed_masks, strict=True
            )
        ),
    )
    known = {holder.name: holder for holder in host.holders}
    if sign == CLAIM:
        if name in known:
            raise FitError(
                f'the name {shown(name)} is taken: it holds something already',
                reasons=(),
            )
        return (*host.holders, mine)
    if known.get(name) != mine:
        raise FitError(
            f'{shown(name)} does not hold what is to be released',
            reasons=(),
        )
    return tuple(one for one in host.holders if one.name != name)

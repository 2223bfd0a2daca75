# SPDX-License-Identifier: Apache-2.0
"""Why a plan cannot be claimed, or released: as data and as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Final

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.reason import FitReason
from rtvirt.model.reason import ReasonCode

if TYPE_CHECKING:
    from rtvirt.model.host import HostTopology
    from rtvirt.model.host_cell import HostCell
    from rtvirt.model.plan import Plan
    from rtvirt.model.plan import PlannedCell

CLAIM: Final = 1
RELEASE: Final = -1


def find_untakable(
    cell: HostCell, plan: Plan, number: int
) -> Sequence[FitReason]:
    """Return what a host cell does not have free of one planned cell.

    :param number: which cell of the plan.
    """
    planned = plan.cells[number]
    want = plan.guest.cells[number]
    lacking = plan.claimed_masks[number] & ~(
        cell.dedicated.mask & ~cell.pinned.mask
    )
    free_kib = cell.backing_kib(
        planned.page_size_kib,
        overcommit=want.page_size is None
        and plan.guest.cpu_policy is CPUPolicy.SHARED,
    )
    short = free_kib < planned.memory_mib * 1024
    if not lacking and not short and not want.shared.mask:
        return ()
    found = []
    if lacking:
        found.append(
            _reason(
                planned,
                ReasonCode.DEDICATED_CPUS,
                str(CPUSet.from_mask(plan.claimed_masks[number])),
                str(cell.free),
                f'pCPUs {CPUSet.from_mask(lacking)} are not free',
            )
        )
    for vcpu in want.shared:
        cpus = planned.pins[vcpu]
        if not cpus <= cell.shared:
            found.append(
                _reason(
                    planned,
                    ReasonCode.SHARED_CPUS,
                    str(cpus),
                    str(cell.shared),
                    f'pCPUs {cpus - cell.shared} are not shared',
                )
            )
    if short:
        pages = max(0, free_kib) // planned.page_size_kib
        found.append(
            _reason(
                planned,
                ReasonCode.PAGES,
                planned.pages,
                pages,
                f'wants {planned.pages} pages of {planned.page_size_kib} '
                f'KiB; {pages} are free',
            )
        )
    return found


def find_not_held(
    cell: HostCell, plan: Plan, number: int
) -> Sequence[FitReason]:
    """Return what nobody holds of a planned cell that is to be given back.

    :param number: which cell of the plan.
    """
    planned = plan.cells[number]
    lacking = plan.claimed_masks[number] & ~cell.pinned.mask
    floating = plan.guest.cells[number].shared.mask.bit_count()
    pages = planned.pages
    held_pages = _held_pages(cell, planned)
    if not (
        lacking
        or floating > cell.shared_usage
        or planned.memory_mib > cell.memory_used_mib
        or pages > held_pages
    ):
        return ()
    found = []
    if lacking:
        found.append(
            _reason(
                planned,
                ReasonCode.DEDICATED_CPUS,
                str(CPUSet.from_mask(plan.claimed_masks[number])),
                str(cell.pinned),
                f'nobody holds pCPUs {CPUSet.from_mask(lacking)}',
            )
        )
    for code, wanted, held, what in (
        (ReasonCode.SHARED_CPUS, floating, cell.shared_usage, 'shared vCPUs'),
        (
            ReasonCode.MEMORY,
            planned.memory_mib,
            cell.memory_used_mib,
            'MiB of memory',
        ),
        (
            ReasonCode.PAGES,
            pages,
            held_pages,
            f'pages of {planned.page_size_kib} KiB',
        ),
    ):
        if wanted > held:
            found.append(
                _reason(
                    planned,
                    code,
                    wanted,
                    held,
                    f'gives back {wanted} {what}; {held} are held',
                )
            )
    return found


def find_no_cell(planned: PlannedCell) -> Sequence[FitReason]:
    """Return that the host has no such cell."""
    return [
        _reason(
            planned,
            ReasonCode.HOST_CELLS,
            planned.host_cell,
            None,
            'there is no such cell',
        )
    ]


def find_control_obstacles(
    host: HostTopology, plan: Plan, sign: int
) -> list[FitReason]:
    """Return why caches and bandwidth cannot be given, or taken back."""
    found: list[FitReason] = []
    _note_groups(found, host, sign)
    _note_caches(found, host, plan, sign)
    _note_bandwidth(found, host, plan, sign)
    return found


def _reason(
    planned: PlannedCell,
    code: ReasonCode,
    wanted: int | str,
    available: int | str | None,
    what: str,
) -> FitReason:
    return FitReason(
        guest_cell=planned.guest_cell,
        host_cell=planned.host_cell,
        code=code,
        wanted=wanted,
        available=available,
        sentence=(
            f'guest cell {planned.guest_cell} on host cell '
            f'{planned.host_cell}: {what}'
        ),
    )


def _held_pages(cell: HostCell, planned: PlannedCell) -> int:
    for pool in cell.pages:
        if pool.size_kib == planned.page_size_kib:
            return pool.used
    return 0 if cell.pages else planned.pages


def _note_groups(
    found: list[FitReason], host: HostTopology, sign: int
) -> None:
    """Note that there is no resctrl group to give, or to take back."""
    groups = host.control_groups
    if not 0 <= groups + sign <= host.max_groups:
        left = host.max_groups - groups if sign == CLAIM else groups
        found.append(
            FitReason(
                code=ReasonCode.CACHE,
                wanted=1,
                available=left,
                sentence='no resctrl group is left'
                if sign == CLAIM
                else 'nobody holds a resctrl group',
            )
        )


def _note_caches(
    found: list[FitReason], host: HostTopology, plan: Plan, sign: int
) -> None:
    banks = {(bank.level, bank.id): bank for bank in host.caches}
    for part in plan.caches:
        bank = banks.get((part.level, part.bank))
        left = 0
        if bank is not None:
            left = bank.free_kib if sign == CLAIM else bank.used_kib
        if part.size_kib > left:
            found.append(
                FitReason(
                    code=ReasonCode.CACHE,
                    wanted=part.size_kib,
                    available=left,
                    sentence=f'cache bank {part.bank} has {left} KiB '
                    f'{_state(sign)}, not {part.size_kib} KiB',
                )
            )


def _note_bandwidth(
    found: list[FitReason], host: HostTopology, plan: Plan, sign: int
) -> None:
    nodes = {node.id: node for node in host.bandwidths}
    for number, percent in plan.memory_bandwidth.items():
        node = nodes.get(number)
        left = 0
        if node is not None:
            left = node.free if sign == CLAIM else node.used
        if percent > left:
            found.append(
                FitReason(
                    code=ReasonCode.MEMORY_BANDWIDTH,
                    wanted=percent,
                    available=left,
                    sentence=f'memory bandwidth {number} has {left} % '
                    f'{_state(sign)}, not {percent} %',
                )
            )


def _state(sign: int) -> str:
    return 'free' if sign == CLAIM else 'held'

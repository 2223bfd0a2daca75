# SPDX-License-Identifier: Apache-2.0
"""Why a plan cannot be claimed, or released: as data and as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Final

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.reason import FitReason
from rtvirt.model.reason import ReasonCode

if TYPE_CHECKING:
    from rtvirt.model.host import HostCell
    from rtvirt.model.host import HostTopology
    from rtvirt.model.plan import Plan
    from rtvirt.model.plan import PlannedCell

CLAIM: Final = 1
RELEASE: Final = -1


def find_obstacles(
    cell: HostCell | None, plan: Plan, number: int, sign: int
) -> list[FitReason]:
    """Return why a host cell cannot give, or take back, one planned cell.

    :param number: which cell of the plan.
    :param sign: :data:`CLAIM` or :data:`RELEASE`.
    """
    found: list[FitReason] = []
    planned = plan.cells[number]
    if cell is None:
        found.append(
            _reason(
                planned,
                ReasonCode.HOST_CELLS,
                planned.host_cell,
                None,
                'there is no such cell',
            )
        )
    elif sign == CLAIM:
        _note_cpus(found, cell, plan, number)
        _note_memory(found, cell, plan, number)
    else:
        _note_not_held(found, cell, plan, number)
    return found


def find_control_obstacles(
    host: HostTopology, plan: Plan, sign: int
) -> list[FitReason]:
    """Return why caches and bandwidth cannot be given, or taken back."""
    found: list[FitReason] = []
    if plan.is_controlled:
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


def _note_cpus(
    found: list[FitReason], cell: HostCell, plan: Plan, number: int
) -> None:
    """Note what pCPUs the cell does not have, or not free."""
    mask = plan.claimed_masks[number]
    if lacking := mask & ~(cell.dedicated.mask & ~cell.pinned.mask):
        found.append(
            _reason(
                plan.cells[number],
                ReasonCode.DEDICATED_CPUS,
                str(CPUSet.from_mask(mask)),
                str(cell.free),
                f'pCPUs {CPUSet.from_mask(lacking)} are not free',
            )
        )
    if not plan.guest.cells[number].shared.mask:
        return
    for vcpu in plan.guest.cells[number].shared:
        cpus = plan.cells[number].pins[vcpu]
        if not cpus <= cell.shared:
            found.append(
                _reason(
                    plan.cells[number],
                    ReasonCode.SHARED_CPUS,
                    str(cpus),
                    str(cell.shared),
                    f'pCPUs {cpus - cell.shared} are not shared',
                )
            )


def _note_memory(
    found: list[FitReason], cell: HostCell, plan: Plan, number: int
) -> None:
    """Note what pages the cell does not have free."""
    planned = plan.cells[number]
    guest = plan.guest
    overcommit = (
        guest.cpu_policy is CPUPolicy.SHARED
        and guest.cells[number].page_size is None
    )
    size_kib = planned.page_size_kib
    free_kib = cell.backing_kib(size_kib, overcommit=overcommit)
    if free_kib < planned.memory_mib * 1024:
        pages = max(0, free_kib) // size_kib
        found.append(
            _reason(
                planned,
                ReasonCode.PAGES,
                planned.pages,
                pages,
                f'wants {planned.pages} pages of {size_kib} KiB; {pages} are '
                'free',
            )
        )


def _note_not_held(
    found: list[FitReason], cell: HostCell, plan: Plan, number: int
) -> None:
    """Note what nobody holds of that which is to be given back."""
    planned = plan.cells[number]
    mask = plan.claimed_masks[number]
    if lacking := mask & ~cell.pinned.mask:
        found.append(
            _reason(
                planned,
                ReasonCode.DEDICATED_CPUS,
                str(CPUSet.from_mask(mask)),
                str(cell.pinned),
                f'nobody holds pCPUs {CPUSet.from_mask(lacking)}',
            )
        )
    floating = plan.guest.cells[number].shared.mask.bit_count()
    for code, wanted, held in (
        (ReasonCode.SHARED_CPUS, floating, cell.shared_usage),
        (ReasonCode.MEMORY, planned.memory_mib, cell.memory_used_mib),
        (ReasonCode.PAGES, planned.pages, _held_pages(cell, planned)),
    ):
        if wanted > held:
            found.append(
                _reason(
                    planned,
                    code,
                    wanted,
                    held,
                    f'gives back {wanted} {_UNITS[code]}; {held} are held',
                )
            )


_UNITS: Final = {
    ReasonCode.SHARED_CPUS: 'shared vCPUs',
    ReasonCode.MEMORY: 'MiB of memory',
    ReasonCode.PAGES: 'pages of its size',
}


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
            _about_host(
                ReasonCode.CACHE,
                1,
                left,
                'no resctrl group is left'
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
                _about_host(
                    ReasonCode.CACHE,
                    part.size_kib,
                    left,
                    f'cache bank {part.bank} has {left} KiB {_state(sign)}, '
                    f'not {part.size_kib} KiB',
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
                _about_host(
                    ReasonCode.MEMORY_BANDWIDTH,
                    percent,
                    left,
                    f'memory bandwidth {number} has {left} % {_state(sign)}, '
                    f'not {percent} %',
                )
            )


def _state(sign: int) -> str:
    return 'free' if sign == CLAIM else 'held'


def _about_host(
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

# SPDX-License-Identifier: Apache-2.0
"""Claims: what a plan takes from a host, and gives back.

Both ways are exact inverses: a plan that was claimed and released leaves a
host equal to the one before, derived values included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from rtvirt.exception import FitError
from rtvirt.model.alter import altered
from rtvirt.model.check import shown
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.holder import Holder
from rtvirt.model.holder import Holding
from rtvirt.model.obstacle import CLAIM
from rtvirt.model.obstacle import find_control_obstacles
from rtvirt.model.obstacle import find_no_cell
from rtvirt.model.obstacle import find_not_held
from rtvirt.model.obstacle import find_untakable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtvirt.model.host import HostTopology
    from rtvirt.model.host_cell import HostCell
    from rtvirt.model.plan import Plan
    from rtvirt.model.reason import FitReason


def transfer(
    host: HostTopology, plan: Plan, sign: int, name: str
) -> HostTopology:
    """Return the host with the plan claimed, or released.

    :param sign: ``CLAIM`` or ``RELEASE`` of :mod:`rtvirt.model.obstacle`.
    :raises FitError: if it cannot be.
    """
    find = find_untakable if sign == CLAIM else find_not_held
    wants = plan.guest.cells
    masks = plan.claimed_masks
    cells = list(host.cells)
    reasons: list[FitReason] = []
    if plan.is_controlled:
        reasons += find_control_obstacles(host, plan, sign)
    for number, planned in enumerate(plan.cells):
        # Mostly the id is the position.
        position = planned.host_cell
        if position >= len(cells) or cells[position].id != position:
            position = _find_cell(cells, position)
        if position < 0:
            reasons += find_no_cell(planned)
        elif found := find(cells[position], plan, number):
            reasons += found
        else:
            cells[position] = cells[position].used_more(
                masks[number],
                sign * wants[number].shared.mask.bit_count(),
                sign * planned.memory_mib,
                planned.page_size_kib,
            )
    if reasons:
        verb = 'claimed' if sign == CLAIM else 'released'
        raise FitError(
            f'the plan for {shown(plan.guest.name)} cannot be {verb}: '
            f'{reasons[0]}',
            reasons=reasons,
            hint='fit the guest to the host as it is now'
            if sign == CLAIM
            else 'release what was claimed, and only once',
        )
    changed = host.with_cells(tuple(cells))
    if not name and not plan.is_controlled and not host.holders:
        return changed
    return _note(changed, plan, sign, name)


def _note(
    host: HostTopology, plan: Plan, sign: int, name: str
) -> HostTopology:
    """Return the host with who holds what, and what is left of caches."""
    if host.holders and sign != CLAIM:
        _refuse_of_others(host, plan, name)
    changes: dict[str, Any] = {}
    if name:
        changes['holders'] = _rename(host, plan, sign, name)
    if plan.is_controlled:
        changes.update(_transfer_control(host, plan, sign))
    return altered(host, **changes)


def _find_cell(cells: Sequence[HostCell], id: int) -> int:
    """Return the position of the cell with this id, -1 without such."""
    for position, cell in enumerate(cells):
        if cell.id == id:
            return position
    return -1


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


def _refuse_of_others(host: HostTopology, plan: Plan, name: str) -> None:
    """Refuse to release pCPUs that a holder of another name holds."""
    masks = {
        planned.host_cell: mask
        for planned, mask in zip(plan.cells, plan.claimed_masks, strict=True)
    }
    for holder in host.holders:
        for holding in holder.holdings:
            taken = holding.cpus.mask & masks.get(holding.host_cell, 0)
            if taken and holder.name != name:
                raise FitError(
                    f'pCPUs {CPUSet.from_mask(taken)} are held by '
                    f'{shown(holder.name)}',
                    reasons=(),
                    hint='release them under that name',
                )


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
                hint='choose another name, or release it first',
            )
        return (*host.holders, mine)
    if known.get(name) != mine:
        raise FitError(
            f'{shown(name)} does not hold what is to be released',
            reasons=(),
            hint='release the plan that was claimed, under its name',
        )
    return tuple(one for one in host.holders if one.name != name)

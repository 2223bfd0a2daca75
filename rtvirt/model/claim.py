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
from rtvirt.model.obstacle import find_obstacles

if TYPE_CHECKING:
    from rtvirt.model.host import HostCell
    from rtvirt.model.host import HostTopology
    from rtvirt.model.plan import Plan


def transfer(
    host: HostTopology, plan: Plan, sign: int, name: str
) -> HostTopology:
    """Return the host with the plan claimed, or released.

    :param sign: ``CLAIM`` or ``RELEASE`` of :mod:`rtvirt.model.obstacle`.
    :raises FitError: if it cannot be.
    """
    if reasons := find_obstacles(host, plan, sign):
        verb = 'claimed' if sign == CLAIM else 'released'
        raise FitError(
            f'the plan for {shown(plan.guest.name)} cannot be {verb}: '
            f'{reasons[0]}',
            reasons=reasons,
        )
    if host.holders and sign != CLAIM:
        _refuse_of_others(host, plan, name)
    changes: dict[str, Any] = {
        'cells': _transfer_cells(host, plan, sign),
        # What is free is derived from these when somebody asks for it.
        '_vacancies': None,
        '_before': host._vacancies or host._before,
    }
    if name:
        changes['holders'] = _rename(host, plan, sign, name)
    if plan.is_controlled:
        changes.update(_transfer_control(host, plan, sign))
    return altered(host, **changes)


def _transfer_cells(
    host: HostTopology, plan: Plan, sign: int
) -> tuple[HostCell, ...]:
    cells = list(host.cells)
    positions = {cell.id: position for position, cell in enumerate(cells)}
    for planned, want, mask in zip(
        plan.cells, plan.guest.cells, plan.claimed_masks, strict=True
    ):
        position = positions[planned.host_cell]
        cells[position] = cells[position].used_more(
            mask,
            sign * want.shared.mask.bit_count(),
            sign * planned.memory_mib,
            planned.page_size_kib,
        )
    return tuple(cells)


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
                    f'{shown(holder.name)}: release them under that name',
                    reasons=(),
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
            )
        return (*host.holders, mine)
    if known.get(name) != mine:
        raise FitError(
            f'{shown(name)} does not hold what is to be released',
            reasons=(),
        )
    return tuple(one for one in host.holders if one.name != name)

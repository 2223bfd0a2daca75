# SPDX-License-Identifier: Apache-2.0
"""Ways to make up for what a guest cell lacks on a host cell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence
from typing import Final

from rtvirt.fitting.shortage import Shortage
from rtvirt.model.alter import altered
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.explanation import Step
from rtvirt.model.explanation import StepKind
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.model.pages import PagePool
from rtvirt.model.pages import format_kib

HOLDER_COST: Final = 8.0
"""What it counts that a guest loses something, beside what it loses."""

_GIB_KIB: Final = 1 << 20

Mend = Callable[[HostTopology, HostCell, Shortage], 'Mended | None']


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """A host cell after some steps that make up for a shortage."""

    cell: HostCell
    steps: tuple[Step, ...]
    cost: float


def _add_pages(
    host: HostTopology,  # noqa: ARG001 (all mends are called alike)
    cell: HostCell,
    shortage: Shortage,
) -> Mended | None:
    """Turn ordinary memory of the cell into the pages that are missing."""
    if shortage.frees:
        return None
    if not shortage.pages:
        return Mended(cell=cell, steps=(), cost=0)
    size_kib, count = shortage.pages
    pools = {pool.size_kib: pool for pool in cell.pages}
    smallest = min(pools, default=0)
    if smallest in {0, size_kib}:
        return None
    taken = size_kib * count // smallest
    if pools[smallest].free < taken:
        return None
    before = pools.get(size_kib, PagePool(size_kib=size_kib, total=0))
    pools[size_kib] = altered(before, total=before.total + count)
    pools[smallest] = altered(
        pools[smallest], total=pools[smallest].total - taken
    )
    return Mended(
        cell=with_pools(cell, pools),
        steps=(
            Step(
                kind=StepKind.ADD_PAGES,
                what=f'add {name_pages(count, size_kib)}',
                how=f'echo {before.total + count} > /sys/devices/system/node/'
                f'node{cell.id}/hugepages/hugepages-{size_kib}kB/'
                'nr_hugepages, and keep it for the next boot',
                host_cell=cell.id,
                page_size_kib=size_kib,
                count=count,
            ),
        ),
        cost=size_kib * count / _GIB_KIB,
    )


def _free_pages(
    host: HostTopology, cell: HostCell, shortage: Shortage
) -> Mended | None:
    """Take pages from guests, or from what is kept from them."""
    if shortage.frees or not shortage.pages:
        return None if shortage.frees else Mended(cell=cell, steps=(), cost=0)
    size_kib, count = shortage.pages
    pools = {pool.size_kib: pool for pool in cell.pages}
    pool = pools.get(size_kib)
    if pool is None:
        return None
    cost = size_kib * count / _GIB_KIB
    if pool.reserved >= count:
        pools[size_kib] = altered(pool, reserved=pool.reserved - count)
        step = Step(
            kind=StepKind.UNRESERVE_PAGES,
            what=f'keep {pool.reserved - count} instead of '
            f'{name_pages(pool.reserved, size_kib)} from guests',
            how=f'reserved_huge_pages=node:{cell.id},size:{size_kib},'
            f'count:{pool.reserved - count}',
            host_cell=cell.id,
            page_size_kib=size_kib,
            count=count,
        )
    elif pool.used >= count:
        holders = _page_holders(host, cell.id, size_kib)
        pools[size_kib] = altered(pool, used=pool.used - count)
        cost += HOLDER_COST
        step = Step(
            kind=StepKind.FREE_PAGES,
            what=f'free {name_pages(count, size_kib)}',
            note=_held_by(holders),
            host_cell=cell.id,
            page_size_kib=size_kib,
            count=count,
            holders=holders,
        )
    else:
        return None
    return Mended(cell=with_pools(cell, pools), steps=(step,), cost=cost)


def _free_cpus(
    host: HostTopology, cell: HostCell, shortage: Shortage
) -> Mended | None:
    """Take pCPUs from whoever holds them."""
    if shortage.pages or shortage.freed is None:
        return None
    if not shortage.freed:
        return Mended(cell=cell, steps=(), cost=0)
    cpus = CPUSet.from_mask(shortage.freed)
    holders = _cpu_holders(host, cpus)
    step = Step(
        kind=StepKind.FREE_CPUS,
        what=f'free {name_cpus(cpus)}',
        note=_held_by(holders),
        host_cell=cell.id,
        cpus=cpus,
        holders=holders,
    )
    return Mended(
        cell=altered(cell, pinned=cell.pinned - cpus),
        steps=(step,),
        cost=len(cpus) + HOLDER_COST * max(1, len(holders)),
    )


def _dedicate_cpus(
    host: HostTopology,  # noqa: ARG001 (all mends are called alike)
    cell: HostCell,
    shortage: Shortage,
) -> Mended | None:
    """Put pCPUs into the dedicated set that are not in it."""
    if shortage.pages or shortage.dedicated is None:
        return None
    if not shortage.dedicated:
        return Mended(cell=cell, steps=(), cost=0)
    cpus = CPUSet.from_mask(shortage.dedicated)
    shared = cpus & cell.shared
    because = f', and {name_cpus(shared)} no more shared' if shared else ''
    step = Step(
        kind=StepKind.DEDICATE_CPUS,
        what=f'dedicate {name_cpus(cpus)} as well',
        note=because,
        how=f'cpu_dedicated_set: add {cpus}'
        + (f'; cpu_shared_set: remove {shared}' if shared else ''),
        host_cell=cell.id,
        cpus=cpus,
    )
    return Mended(
        cell=altered(
            cell, dedicated=cell.dedicated | cpus, shared=cell.shared - cpus
        ),
        steps=(step,),
        cost=float(len(cpus)),
    )


def _both(one: Mend, other: Mend) -> Mend:
    """Return what mends pCPUs by ``one`` and pages by ``other``."""

    def mend(
        host: HostTopology, cell: HostCell, shortage: Shortage
    ) -> Mended | None:
        first = one(host, cell, dataclasses.replace(shortage, pages=None))
        if first is None:
            return None
        second = other(
            host,
            first.cell,
            dataclasses.replace(shortage, freed=0, dedicated=0),
        )
        if second is None:
            return None
        return Mended(
            cell=second.cell,
            steps=first.steps + second.steps,
            cost=first.cost + second.cost,
        )

    return mend


def with_pools(cell: HostCell, pools: dict[int, PagePool]) -> HostCell:
    """Return the cell with other pages."""
    return altered(
        cell, pages=tuple(pools[size_kib] for size_kib in sorted(pools))
    )


def _page_holders(
    host: HostTopology, host_cell: int, size_kib: int
) -> tuple[str, ...]:
    return tuple(
        holder.name
        for holder in host.holders
        for holding in holder.holdings
        if holding.host_cell == host_cell
        and holding.page_size_kib == size_kib
        and holding.memory_mib
    )


def _cpu_holders(host: HostTopology, cpus: CPUSet) -> tuple[str, ...]:
    return tuple(
        holder.name
        for holder in host.holders
        if any(holding.cpus & cpus for holding in holder.holdings)
    )


def _held_by(holders: Sequence[str]) -> str:
    if not holders:
        return ''
    return f', held by {", ".join(holders)}'


def name_cpus(cpus: CPUSet) -> str:
    """Return pCPUs in words."""
    return f'pCPU{"s" if len(cpus) > 1 else ""} {cpus}'


def name_pages(count: int, size_kib: int) -> str:
    """Return a number of pages in words."""
    plural = 's' if count != 1 else ''
    return f'{count} page{plural} of {format_kib(size_kib)}'


MENDS: Final[tuple[Mend, ...]] = (
    _add_pages,
    _free_pages,
    _free_cpus,
    _dedicate_cpus,
    _both(_dedicate_cpus, _add_pages),
    _both(_free_cpus, _add_pages),
    _both(_free_cpus, _free_pages),
)
"""Every way, alone and with another; one is tried after the other."""

# SPDX-License-Identifier: Apache-2.0
"""Hosts with a little more to give, to be tried for the same guest.

For each guest cell on each host cell it is known what is missing
(:mod:`rtvirt.fitting.shortage`) and how to make up for it
(:mod:`rtvirt.fitting.mend`); which guest cell then goes where is the
assignment that needs the least in all.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

from rtvirt.fitting.least import least_assignment
from rtvirt.fitting.mend import HOLDER_COST
from rtvirt.fitting.mend import MENDS
from rtvirt.fitting.mend import Mend
from rtvirt.fitting.mend import name_cpus
from rtvirt.fitting.mend import name_pages
from rtvirt.fitting.mend import with_pools
from rtvirt.fitting.shortage import Shortage
from rtvirt.fitting.shortage import find_shortage
from rtvirt.fitting.terms import Terms
from rtvirt.model.alter import altered
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.explanation import Step
from rtvirt.model.explanation import StepKind
from rtvirt.model.holder import Holder
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.model.vacancy import Vacancy

_MAX_ALTERNATIVES: Final = 3
_MAX_HOLDERS: Final = 64
_INFINITE: Final = float('inf')

Relaxed = tuple[tuple[Step, ...], float, HostTopology]


def relax_host(terms: Terms) -> Iterator[Relaxed]:
    """Yield changed hosts, and by which steps they came about."""
    host = terms.host
    kind_of = terms.demand.kind_of
    if len(kind_of) <= len(host.cells):
        # Guest cells of one kind lack the same.
        kinds = [
            [find_shortage(want, vacancy, terms) for vacancy in host.vacancies]
            for want in terms.demand.kinds
        ]
        seen = set()
        for mend in MENDS:
            for relaxed in _mend_all(host, kinds, kind_of, mend):
                if relaxed[0] not in seen:
                    seen.add(relaxed[0])
                    yield relaxed
    yield from _move_guests(host)


def _mend_all(
    host: HostTopology,
    kinds: Sequence[Sequence[Shortage | None]],
    kind_of: Sequence[int],
    mend: Mend,
) -> Iterator[Relaxed]:
    """Yield hosts on which one way of mending makes room for all cells.

    :param kinds: what each kind of guest cell lacks on each host cell.
    :param kind_of: the kind of each guest cell.
    """
    mended = [
        [
            None if shortage is None else mend(host, cell, shortage)
            for cell, shortage in zip(host.cells, row, strict=True)
        ]
        for row in kinds
    ]
    costs = [
        [_INFINITE if one is None else one.cost for one in row]
        for row in mended
    ]
    for columns in _assignments([costs[kind] for kind in kind_of]):
        chosen = [
            one
            for kind, column in zip(kind_of, columns, strict=True)
            if (one := mended[kind][column]) is not None
        ]
        steps = tuple(step for one in chosen for step in one.steps)
        if steps:
            cost = sum(one.cost for one in chosen)
            yield steps, cost, _with_cells(host, [one.cell for one in chosen])


def _assignments(costs: list[list[float]]) -> Iterator[list[int]]:
    """Yield the cheapest; for a single guest cell, a few more host cells."""
    if len(costs) == 1:
        row = costs[0]
        cheapest = sorted(range(len(row)), key=row.__getitem__)
        for column in cheapest[:_MAX_ALTERNATIVES]:
            if row[column] < _INFINITE:
                yield [column]
        return
    if columns := least_assignment(costs):
        yield columns


def _move_guests(host: HostTopology) -> Iterator[Relaxed]:
    """Yield the host without one of the guests known by name."""
    for holder in host.holders[:_MAX_HOLDERS]:
        cpus = CPUSet()
        gib = 0.0
        cells: dict[int, HostCell] = {}
        for holding in holder.holdings:
            number = holding.host_cell
            cell = cells.get(number) or host.cell(number)
            cpus |= holding.cpus
            gib += holding.memory_mib / 1024
            pools = {pool.size_kib: pool for pool in cell.pages}
            if pool := pools.get(holding.page_size_kib):
                pools[holding.page_size_kib] = altered(
                    pool, used=max(0, pool.used - holding.pages)
                )
            cells[number] = altered(
                with_pools(cell, pools),
                pinned=cell.pinned - holding.cpus,
                shared_usage=max(0, cell.shared_usage - holding.shared_vcpus),
                memory_used_mib=max(
                    0, cell.memory_used_mib - holding.memory_mib
                ),
            )
        step = Step(
            kind=StepKind.MOVE_GUEST,
            what=f'stop or move {holder.name}',
            note=_holds(holder, cpus),
            cpus=cpus,
            holders=(holder.name,),
        )
        yield (
            (step,),
            HOLDER_COST + len(cpus) + gib,
            _with_cells(host, [*cells.values()]),
        )


def _with_cells(host: HostTopology, cells: Sequence[HostCell]) -> HostTopology:
    """Return the host with these cells in place of those of the same id."""
    changed = {cell.id: cell for cell in cells}
    new_cells = []
    vacancies = []
    for before in host.vacancies:
        cell = changed.get(before.cell.id, before.cell)
        new_cells.append(cell)
        if cell is before.cell:
            vacancies.append(before)
        elif cell.dedicated == before.cell.dedicated:
            vacancies.append(Vacancy(cell, before))
        else:
            vacancies.append(Vacancy(cell))
    return altered(
        host, cells=tuple(new_cells), _vacancies=tuple(vacancies), _digest=''
    )


def _holds(holder: Holder, cpus: CPUSet) -> str:
    held = [name_cpus(cpus)] if cpus else []
    held += [
        f'{name_pages(one.pages, one.page_size_kib)} on host cell '
        f'{one.host_cell}'
        for one in holder.holdings
        if one.memory_mib
    ]
    return f', which holds {" and ".join(held)}' if held else ''

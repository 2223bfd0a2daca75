# SPDX-License-Identifier: Apache-2.0
"""What exactly a guest cell lacks on a host cell."""

from __future__ import annotations

from dataclasses import dataclass

from rtvirt.fitting.cell import has_memory_room
from rtvirt.fitting.cell import has_shared_room
from rtvirt.fitting.demand import CellDemand
from rtvirt.fitting.memory import page_sizes
from rtvirt.fitting.terms import Terms
from rtvirt.model.bits import iter_bits
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.vacancy import Vacancy


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """What is missing; nothing, where the guest cell fits.

    :ivar pages: page size in KiB and how many more of them are needed; None
        where there are enough.
    :ivar freed: the fewest taken pCPUs, as a mask, with which there would be
        room; 0 where there is; None where even all of them would not do.
    :ivar dedicated: the same of pCPUs that are not dedicated.
    """

    pages: tuple[int, int] | None
    freed: int | None
    dedicated: int | None

    @property
    def frees(self) -> bool:
        """Whether pCPUs are missing."""
        return self.freed != 0


def find_shortage(
    want: CellDemand, vacancy: Vacancy, terms: Terms
) -> Shortage | None:
    """Return what the guest cell lacks on the host cell.

    None where something is missing that neither pages nor pCPUs mend.
    """
    if not has_shared_room(want, vacancy, terms) or not has_memory_room(
        want, vacancy, terms
    ):
        return None
    pages = _missing_pages(want, vacancy, terms)
    if pages is None:
        return None
    freed: int | None = 0
    dedicated: int | None = 0
    if terms.room(want, vacancy) < want.count:
        if terms.refuse_smt and terms.refuses(vacancy):
            return None
        freed = _cpus_to_free(want, vacancy, terms.demand.policy)
        dedicated = _cpus_to_dedicate(want, vacancy, terms.demand.policy)
    return Shortage(
        pages=pages if pages[1] else None, freed=freed, dedicated=dedicated
    )


def _missing_pages(
    want: CellDemand, vacancy: Vacancy, terms: Terms
) -> tuple[int, int] | None:
    """Return the page size of which the least is missing, and how many."""
    overcommit = terms.overcommit and want.page_size is None
    best = None
    for size_kib in page_sizes(want, vacancy):
        if want.memory_kib % size_kib:
            continue
        free_kib = max(
            0, vacancy.cell.backing_kib(size_kib, overcommit=overcommit)
        )
        missing = max(0, want.memory_kib - free_kib) // size_kib
        if best is None or size_kib * missing < best[0] * best[1]:
            best = size_kib, missing
    return best


def _cpus_to_free(
    want: CellDemand, vacancy: Vacancy, policy: ThreadPolicy | None
) -> int | None:
    """Return the fewest taken pCPUs that have to be free, as a mask."""
    cores = [
        (mask & vacancy.free, mask & ~vacancy.free)
        for mask in vacancy.layout.masks
    ]
    return _fewest(want, cores, vacancy.layout.threads_per_core, policy)


def _cpus_to_dedicate(
    want: CellDemand, vacancy: Vacancy, policy: ThreadPolicy | None
) -> int | None:
    """Return the fewest pCPUs that have to be dedicated, as a mask."""
    cell = vacancy.cell
    if cell.dedicated == cell.shared:
        return None
    dedicated = cell.dedicated.mask
    cores = [
        (core.mask & vacancy.free, core.mask & ~dedicated)
        for core in cell.siblings
    ]
    widest = max((len(core) for core in cell.siblings), default=1)
    return _fewest(want, cores, widest, policy)


def _fewest(
    want: CellDemand,
    cores: list[tuple[int, int]],
    threads: int,
    policy: ThreadPolicy | None,
) -> int | None:
    """Return the fewest pCPUs to be had that make room for the guest cell.

    The rules of :meth:`~rtvirt.model.vacancy.Vacancy.room_within`.

    :param cores: of each core the free pCPUs and those to be had, as masks.
    """
    needed = want.count + want.reserved
    if policy is ThreadPolicy.ISOLATE:
        choices = [(threads, want.count)]
    elif policy is ThreadPolicy.REQUIRE:
        choices = [(t, -(-want.count // t)) for t in range(2, threads + 1)]
    else:
        choices = [(1, 0)]
    best = None
    for width, number in choices:
        taken = _widen(cores, width, number)
        if taken is None:
            continue
        taken = _top_up(cores, taken, needed)
        if taken is not None and (
            best is None or taken.bit_count() < best.bit_count()
        ):
            best = taken
    return best


def _widen(
    cores: list[tuple[int, int]], width: int, number: int
) -> int | None:
    """Take the fewest pCPUs so that ``number`` cores have ``width`` free."""
    costs = sorted(
        (max(0, width - free.bit_count()), index)
        for index, (free, rest) in enumerate(cores)
        if free.bit_count() + rest.bit_count() >= width
    )
    if len(costs) < number:
        return None
    taken = 0
    for cost, index in costs[:number]:
        taken |= _lowest(cores[index][1], cost)
    return taken


def _top_up(
    cores: list[tuple[int, int]], taken: int, needed: int
) -> int | None:
    """Take more, the emptiest cores first, until so many are free."""
    missing = needed - taken.bit_count()
    missing -= sum(free.bit_count() for free, _ in cores)
    emptiest = sorted(cores, key=lambda core: -core[0].bit_count())
    for _, rest in emptiest:
        if missing <= 0:
            break
        more = _lowest(rest & ~taken, missing)
        taken |= more
        missing -= more.bit_count()
    return taken if missing <= 0 else None


def _lowest(mask: int, number: int) -> int:
    """Return the lowest bits of a mask, as many as asked for."""
    found = 0
    for index, bit in enumerate(iter_bits(mask)):
        if index == number:
            break
        found |= 1 << bit
    return found

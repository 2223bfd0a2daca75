# SPDX-License-Identifier: Apache-2.0
"""What is free on a host cell, in the form the fit counts with.

Cores are numbered from 0 in the order of ``HostCell.siblings``, and sets of
cores are integers, bit n for core n. A :class:`Layout` holds what never
changes, a :class:`Vacancy` what claims change. Both are derived from a
:class:`~rtvirt.model.host.HostCell`, and say nothing that it does not.
"""

from __future__ import annotations

import itertools
from operator import or_
from typing import TYPE_CHECKING
from typing import Final

from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.layout import Layout

if TYPE_CHECKING:
    from rtvirt.model.host_cell import HostCell


_ROOM: Final = {
    None: 0,
    ThreadPolicy.PREFER: 0,
    ThreadPolicy.REQUIRE: 2,
    ThreadPolicy.ISOLATE: 4,
}


def room_key(policy: ThreadPolicy | None, reserved: int) -> int:
    """Return which entry of ``Vacancy.room`` counts for a guest cell.

    :param reserved: 1 where a pCPU is reserved beside the vCPUs, else 0.
    """
    return _ROOM[policy] + reserved


Stock = tuple[int, int, int, int]
"""What some cores offer: whole cores; free threads on the others; those of
them that are the only free one of their core; and the sibling pairs that
the free threads on the others can hold."""


class Vacancy:
    """What is free on one host cell.

    :ivar cell: the host cell.
    :ivar free: free dedicated pCPUs as a mask; ``count`` of them.
    :ivar memory_mib: memory without that of the guests placed here.
    :ivar emptiness: the greater, the earlier nova tries the cell when it
        spreads pinned guests: free pCPUs, then memory.
    :ivar leftover: the less, the tighter the cell is for pinned guests:
        free pCPUs, then whole cores, then memory.
    :ivar backing: free KiB by page size.
    :ivar at_least: at [t], the cores with t free pCPUs or more; at [0] all.
    :ivar whole: the whole cores.
    :ivar stock: what all cores offer.
    :ivar room: how many dedicated vCPUs of one guest cell would find a
        place, by :func:`room_key`.
    """

    __slots__ = (
        'at_least',
        'backing',
        'cell',
        'count',
        'emptiness',
        'free',
        'layout',
        'leftover',
        'memory_mib',
        'room',
        'stock',
        'whole',
    )

    at_least: tuple[int, ...]
    room: tuple[int, ...]
    stock: Stock
    whole: int

    def __init__(self, cell: HostCell, before: Vacancy | None = None) -> None:
        """Derive from a cell, or from what held before a change of it.

        :param before: of the same cell with more or less of it in use: the
            same pCPUs, and the same page sizes (or more, or fewer).
        """
        self.cell = cell
        self.free = cell.dedicated.mask & ~cell.pinned.mask
        self.count = self.free.bit_count()
        self.memory_mib = cell.memory_mib - cell.memory_used_mib
        if before is None:
            self.layout = Layout(cell)
            self.backing = {
                pool.size_kib: pool.free * pool.size_kib for pool in cell.pages
            }
            self._count_all()
            return
        self.layout = before.layout
        self.backing = before.backing
        if cell.pages is not before.cell.pages:
            self.backing = self._count_pages(before)
        if touched := self._find_cores(self.free ^ before.free):
            self._count_some(before, touched)
        else:
            self.at_least = before.at_least
            self.whole = before.whole
            self.stock = before.stock
            self.room = before.room
            self._rank()

    def _rank(self) -> None:
        """Work out where the cell stands among others."""
        self.emptiness = (self.count << 64) + self.memory_mib
        self.leftover = (
            (self.count << 96) + (self.stock[0] << 64) + self.memory_mib
        )

    def _count_pages(self, before: Vacancy) -> dict[int, int]:
        """Return ``backing``; pools that are as before are not counted."""
        pages = self.cell.pages
        known = before.cell.pages
        if len(pages) != len(known):
            return {pool.size_kib: pool.free * pool.size_kib for pool in pages}
        backing = before.backing.copy()
        for position, pool in enumerate(pages):
            if pool is not known[position]:
                backing[pool.size_kib] = pool.free * pool.size_kib
        return backing

    def _find_cores(self, cpus: int) -> int:
        """Return the cores of some dedicated pCPUs."""
        core_of = self.layout.core_of
        masks = self.layout.masks
        cores = 0
        while cpus:
            core = core_of[cpus.bit_length() - 1]
            cores |= 1 << core
            cpus &= ~masks[core]
        return cores

    def _count_all(self) -> None:
        """Count the free threads of all cores."""
        free = self.free
        layout = self.layout
        by_number = [0] * (layout.width + 1)
        bit = 1
        for mask in layout.masks:
            by_number[(mask & free).bit_count()] |= bit
            bit <<= 1
        self._conclude(list(itertools.accumulate(by_number[::-1], or_))[::-1])

    def _count_some(self, before: Vacancy, cores: int) -> None:
        """Count the free threads of some cores; those of others are known."""
        masks = self.layout.masks
        free = self.free
        at_least = [known & ~cores for known in before.at_least]
        at_least[0] = before.at_least[0]
        while cores:
            bit = cores & -cores
            cores ^= bit
            number = (masks[bit.bit_length() - 1] & free).bit_count()
            while number:
                at_least[number] |= bit
                number -= 1
        self._conclude(at_least)

    def _conclude(self, at_least: list[int]) -> None:
        """Work out what follows from the cores' free threads."""
        self.at_least = tuple(at_least)
        threads = self.layout.threads_per_core
        self.whole = at_least[threads] if threads < len(at_least) else 0
        counts = [cores.bit_count() for cores in at_least]
        self.stock = self._take_stock(counts, self.count)
        self.room = self._make_room(counts, self.count)
        self._rank()

    def stock_within(self, cores: int) -> Stock:
        """Return ``stock`` of some cores."""
        counts = [(some & cores).bit_count() for some in self.at_least]
        return self._take_stock(counts, sum(counts[1:]))

    def _take_stock(self, counts: list[int], free: int) -> Stock:
        threads = self.layout.threads_per_core
        width = len(counts) - 1
        whole = counts[threads] if threads <= width else 0
        if width == 1:
            useless = counts[1]
        else:
            useless = counts[1] - counts[2] if width else 0
        return (
            whole,
            free - threads * whole,
            useless,
            sum(counts[2::2]) - threads // 2 * whole,
        )

    def room_within(self, cores: int) -> tuple[int, ...]:
        """Return ``room`` if vCPUs may use no other cores than these.

        A reserved pCPU may be on any core.
        """
        counts = [(some & cores).bit_count() for some in self.at_least]
        return self._make_room(counts, sum(counts[1:]))

    def _make_room(self, counts: list[int], free: int) -> tuple[int, ...]:
        """Return ``room`` on cores of which so many have t threads free.

        The rules are those of nova's ``_pack_instance_onto_cores``:
        ``prefer`` takes any threads; ``require`` takes t threads each of
        the cores with t or more free, for a t of at least 2; ``isolate``
        takes a whole core for each vCPU, and the reserved pCPU is on yet
        another core. nova refuses a cell without dedicated vCPUs under
        ``require`` and ``isolate`` if no core suits; there is nothing to
        place in it, so that it has room here.

        :param free: how many threads are free on these cores.
        """
        left = self.count - 1
        threads = self.layout.threads_per_core
        width = len(counts) - 1
        if width == 2:
            pairable = 2 * counts[2]
        else:
            pairable = max(
                [t * counts[t] for t in range(2, width + 1)], default=0
            )
        whole = counts[threads] if threads <= width else 0
        others = self.at_least[1].bit_count() - 1 if width else -1
        return (
            free,
            min(free, left),
            pairable,
            min(pairable, left),
            whole,
            min(whole, others),
        )

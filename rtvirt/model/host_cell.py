# SPDX-License-Identifier: Apache-2.0
"""One NUMA cell of a host: cores, pages and what is taken of them."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from rtvirt.exception import ModelError
from rtvirt.model.alter import draft_of
from rtvirt.model.bits import iter_bits
from rtvirt.model.check import require_int
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.pages import ORDINARY_KIB
from rtvirt.model.pages import PagePool

_assign: Final = object.__setattr__


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCell:
    """One NUMA cell of a host.

    :ivar dedicated: pCPUs for dedicated vCPUs (nova's ``pcpuset``).
    :ivar shared: pCPUs for floating vCPUs (nova's ``cpuset``). The two are
        equal where nova has neither set configured, else disjoint.
    :ivar siblings: the cell's cores, each the pCPUs of one core, also those
        that are neither dedicated nor shared. Kept sorted by lowest pCPU; a
        pCPU that no core names is a core of its own.
    :ivar pinned: dedicated pCPUs that are taken.
    :ivar shared_usage: shared vCPUs placed here.
    :ivar memory_mib: the cell's memory.
    :ivar memory_used_mib: memory of the guests placed here.
    :ivar pages: one pool per page size, kept sorted by size; the smallest
        is the ordinary page.
    :ivar l3: pCPUs of each L3 cache; empty where unknown.
    :ivar socket: the package, None where unknown or not unique.
    """

    id: int
    dedicated: CPUSet = CPUSet()
    shared: CPUSet = CPUSet()
    siblings: tuple[CPUSet, ...] = ()
    pinned: CPUSet = CPUSet()
    shared_usage: int = 0
    memory_mib: int
    memory_used_mib: int = 0
    pages: tuple[PagePool, ...] = ()
    l3: tuple[CPUSet, ...] = ()
    socket: int | None = None

    def __post_init__(self) -> None:
        require_int('id', self.id, 0)
        require_int('shared_usage', self.shared_usage, 0)
        require_int('memory_mib', self.memory_mib, 0)
        require_int('memory_used_mib', self.memory_used_mib, 0)
        where = f'host cell {self.id}: '
        dedicated = self.dedicated.mask
        shared = self.shared.mask
        if dedicated & shared and dedicated != shared:
            raise ModelError(
                f'{where}pCPUs {self.dedicated & self.shared} are both '
                'dedicated and shared, and others are not'
            )
        if self.pinned.mask & ~dedicated:
            raise ModelError(
                f'{where}pinned pCPUs {self.pinned - self.dedicated} are not '
                'dedicated'
            )
        check_disjoint(self.siblings, f'{where}cores')
        check_disjoint(self.l3, f'{where}L3 caches')
        sizes = [pool.size_kib for pool in self.pages]
        if len(set(sizes)) < len(sizes):
            raise ModelError(f'{where}page sizes {sizes} are not distinct')
        _assign(self, 'siblings', self._all_cores())
        if sizes != sorted(sizes):
            _assign(
                self,
                'pages',
                tuple(sorted(self.pages, key=attrgetter('size_kib'))),
            )

    def _all_cores(self) -> tuple[CPUSet, ...]:
        """Return all cores, those of one pCPU that nobody named included."""
        known = 0
        for core in self.siblings:
            known |= core.mask
        lonely = (self.dedicated.mask | self.shared.mask) & ~known
        cores = [core for core in self.siblings if core.mask]
        cores += [CPUSet.from_mask(1 << cpu) for cpu in iter_bits(lonely)]
        cores.sort(key=_lowest)
        return tuple(cores)

    @property
    def free(self) -> CPUSet:
        """Dedicated pCPUs that nobody holds."""
        return self.dedicated - self.pinned

    def backing_kib(self, size_kib: int, *, overcommit: bool) -> int:
        """Return the KiB that pages of one size may back; -1 without such.

        On a cell whose pages are not known, the memory counts in place of
        ordinary pages (nova's ``_numa_fit_instance_cell``).

        :param overcommit: whether what other guests hold counts as free.
        """
        for pool in self.pages:
            if pool.size_kib == size_kib:
                return (pool.total if overcommit else pool.free) * size_kib
        if self.pages or size_kib != ORDINARY_KIB:
            return -1
        held_mib = 0 if overcommit else self.memory_used_mib
        return (self.memory_mib - held_mib) * 1024

    def used_more(
        self, cpus: int, shared: int, memory_mib: int, page_size_kib: int
    ) -> HostCell:
        """Return the cell with more used of it, or less; not checked.

        :param cpus: dedicated pCPUs to take, or to give back, as a mask.
        :param shared: how many shared vCPUs more.
        :param memory_mib: how much memory more, in whole pages of
            ``page_size_kib``.
        """
        made = _CellDraft()
        made.id = self.id
        made.dedicated = self.dedicated
        made.shared = self.shared
        made.siblings = self.siblings
        made.pinned = CPUSet.from_mask(self.pinned.mask ^ cpus)
        made.shared_usage = self.shared_usage + shared
        made.memory_mib = self.memory_mib
        made.memory_used_mib = self.memory_used_mib + memory_mib
        pages = []
        for pool in self.pages:
            if pool.size_kib != page_size_kib:
                pages.append(pool)
                continue
            number = memory_mib * 1024 // page_size_kib
            pages.append(pool.used_more(number))
        made.pages = tuple(pages)
        made.l3 = self.l3
        made.socket = self.socket
        made.__class__ = HostCell
        cell: HostCell = made
        return cell

    @property
    def cpus(self) -> CPUSet:
        """All pCPUs of the cell."""
        mask = 0
        for core in self.siblings:
            mask |= core.mask
        return CPUSet.from_mask(mask)


_CellDraft: Final = draft_of(HostCell)


def _lowest(cpus: CPUSet) -> int:
    return cpus.mask & -cpus.mask


def check_disjoint(sets: tuple[CPUSet, ...], what: str) -> None:
    """Raise :class:`ModelError` if two of the sets have a pCPU in common."""
    seen = 0
    for members in sets:
        mask = members.mask
        if seen & mask:
            raise ModelError(
                f'{what} overlap on pCPUs {CPUSet.from_mask(seen & mask)}'
            )
        seen |= mask

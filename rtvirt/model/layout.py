# SPDX-License-Identifier: Apache-2.0
"""The cores and caches of a host cell, numbered for the fit."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rtvirt.model.bits import iter_bits
from rtvirt.model.cpuset import CPUSet

if TYPE_CHECKING:
    from rtvirt.model.host_cell import HostCell


class Layout:
    """The cores and caches of a host cell.

    Only cores with a dedicated pCPU are numbered.

    :ivar masks: of each core, its dedicated pCPUs as a mask.
    :ivar threads: of each core, its dedicated pCPUs one by one.
    :ivar flat: the same pCPUs, core by core; those of core n begin at
        ``starts[n]``.
    :ivar core_of: the core of each dedicated pCPU.
    :ivar width: the most dedicated pCPUs on one core.
    :ivar threads_per_core: the most pCPUs on one core that guests may use,
        dedicated or shared: nova's ``threads_per_core``. A core with so
        many free dedicated pCPUs is a whole core.
    :ivar sized: number of dedicated pCPUs to the cores that have so many.
    :ivar clean: the same for the cores whose hardware threads are all
        dedicated.
    :ivar is_regular: whether all cores have equally many hardware threads,
        one or an even number.
    :ivar l3: the cores of each L3 cache.
    :ivar every: all cores.
    """

    __slots__ = (
        'clean',
        'core_of',
        'every',
        'flat',
        'is_regular',
        'l3',
        'masks',
        'sized',
        'starts',
        'threads',
        'threads_per_core',
        'width',
    )

    def __init__(self, cell: HostCell) -> None:
        dedicated = cell.dedicated.mask
        usable = dedicated | cell.shared.mask
        self.threads_per_core = 1
        self.masks: list[int] = []
        self.threads: list[tuple[CPUSet, ...]] = []
        self.core_of: dict[int, int] = {}
        self.sized: dict[int, int] = {}
        self.clean: dict[int, int] = {}
        hardware = set()
        for core in cell.siblings:
            self.threads_per_core = max(
                self.threads_per_core, (core.mask & usable).bit_count()
            )
            if mask := core.mask & dedicated:
                hardware.add(len(core))
                self._add(mask, is_clean=mask == core.mask)
        self.is_regular = len(hardware) == 1 and (
            hardware == {1} or not min(hardware) % 2
        )
        self.flat = tuple(cpu for core in self.threads for cpu in core)
        self.starts = [0, *itertools.accumulate(map(len, self.threads))]
        self.width = max(map(len, self.threads), default=0)
        self.every = (1 << len(self.masks)) - 1
        self.l3 = tuple(
            sum(
                1 << number
                for number, mask in enumerate(self.masks)
                if mask & cache.mask
            )
            for cache in cell.l3
        )

    def _add(self, mask: int, *, is_clean: bool) -> None:
        core = 1 << len(self.masks)
        cpus = list(iter_bits(mask))
        self.core_of.update(dict.fromkeys(cpus, len(self.masks)))
        self.masks.append(mask)
        self.threads.append(tuple(CPUSet.from_mask(1 << cpu) for cpu in cpus))
        size = len(cpus)
        self.sized[size] = self.sized.get(size, 0) | core
        if is_clean:
            self.clean[size] = self.clean.get(size, 0) | core

    def is_in_one_cache(self, cores: int) -> bool:
        """Whether the cores are behind one L3."""
        return any(not cores & ~cache for cache in self.l3)

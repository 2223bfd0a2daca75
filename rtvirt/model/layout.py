# SPDX-License-Identifier: Apache-2.0
"""The cores and caches of a host cell, numbered for the fit."""

from __future__ import annotations

import functools
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
    :ivar width: the most dedicated pCPUs on one core.
    :ivar threads_per_core: the most pCPUs on one core that guests may use,
        dedicated or shared: nova's ``threads_per_core``. A core with so
        many free dedicated pCPUs is a whole core.
    :ivar sized: number of dedicated pCPUs to the cores that have so many.
    :ivar clean: the same for the cores whose hardware threads are all
        dedicated.
    :ivar is_regular: whether all cores have equally many hardware threads,
        one or an even number.
    :ivar every: all cores.
    """

    def __init__(self, cell: HostCell) -> None:
        dedicated = cell.dedicated.mask
        usable = dedicated | cell.shared.mask
        most = 1
        masks = []
        sized: dict[int, int] = {}
        clean: dict[int, int] = {}
        hardware = set()
        bit = 1
        for core in cell.siblings:
            whole = core.mask
            if (threads := (whole & usable).bit_count()) > most:
                most = threads
            if mask := whole & dedicated:
                size = mask.bit_count()
                sized[size] = sized.get(size, 0) | bit
                if mask == whole:
                    clean[size] = clean.get(size, 0) | bit
                hardware.add(whole.bit_count())
                masks.append(mask)
                bit <<= 1
        self.masks = masks
        self.sized = sized
        self.clean = clean
        self.threads_per_core = most
        self.every = bit - 1
        self.width = max(sized, default=0)
        self.is_regular = len(hardware) == 1 and (
            hardware == {1} or not min(hardware) % 2
        )
        self._caches = cell.l3

    # What follows is for guests that come to be seated, or leave: a host
    # that is only asked whether it has room does not pay for it.

    @functools.cached_property
    def threads(self) -> list[tuple[CPUSet, ...]]:
        """Of each core, its dedicated pCPUs one by one."""
        return [
            tuple(CPUSet.from_mask(1 << cpu) for cpu in iter_bits(mask))
            for mask in self.masks
        ]

    @functools.cached_property
    def flat(self) -> tuple[CPUSet, ...]:
        """All dedicated pCPUs, core by core."""
        return tuple(cpu for core in self.threads for cpu in core)

    @functools.cached_property
    def starts(self) -> list[int]:
        """Where in ``flat`` the pCPUs of each core begin, and the end."""
        return [0, *itertools.accumulate(map(len, self.threads))]

    @functools.cached_property
    def core_of(self) -> dict[int, int]:
        """The core of each dedicated pCPU."""
        return {
            cpu: number
            for number, mask in enumerate(self.masks)
            for cpu in iter_bits(mask)
        }

    @functools.cached_property
    def l3(self) -> tuple[int, ...]:
        """The cores of each L3 cache."""
        return tuple(
            sum(
                1 << number
                for number, mask in enumerate(self.masks)
                if mask & cache.mask
            )
            for cache in self._caches
        )

    def is_in_one_cache(self, cores: int) -> bool:
        """Whether the cores are behind one L3."""
        return any(not cores & ~cache for cache in self.l3)

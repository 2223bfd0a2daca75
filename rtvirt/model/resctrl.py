# SPDX-License-Identifier: Apache-2.0
"""Cache and memory bandwidth that a host can share out.

The kernel's resctrl gives groups of threads their own part of an L3 cache
(CAT) and of the memory bandwidth (MBA); libvirt shows what there is in
``<cache><bank>`` and ``<memory_bandwidth><node>`` of its capabilities, and
makes one group of a domain's ``<cachetune>`` and ``<memorytune>``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from rtvirt.model.check import require
from rtvirt.model.check import require_int
from rtvirt.model.cpuset import CPUSet


class CacheType(enum.StrEnum):
    """What an allocation of a cache holds (``<control type=...>``).

    ``CODE`` and ``DATA`` stand together, where the kernel was told to keep
    the two apart (CDP).
    """

    BOTH = 'both'
    CODE = 'code'
    DATA = 'data'


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheBank:
    """One cache of a host, and how it can be shared out.

    :ivar id: libvirt's ``<bank id>``, the kernel's cache id.
    :ivar level: 3, where caches are shared between cores.
    :ivar cpus: the pCPUs behind it.
    :ivar size_kib: all of it.
    :ivar granularity_kib: the step of an allocation (one way); 0 where
        the cache cannot be shared out.
    :ivar minimum_kib: the smallest allocation; 0 means one step.
    :ivar max_groups: libvirt's ``maxAllocs``; the host's own group counts.
    :ivar types: what each allocation must name.
    :ivar used_kib: what guests hold.
    """

    id: int
    level: int = 3
    cpus: CPUSet
    size_kib: int
    granularity_kib: int = 0
    minimum_kib: int = 0
    max_groups: int = 0
    types: tuple[CacheType, ...] = (CacheType.BOTH,)
    used_kib: int = 0

    def __post_init__(self) -> None:
        require_int('id', self.id, 0)
        require_int('level', self.level, 1, 4)
        require_int('size_kib', self.size_kib, 0)
        require_int('granularity_kib', self.granularity_kib, 0)
        require_int('minimum_kib', self.minimum_kib, 0)
        require_int('max_groups', self.max_groups, 0)
        require_int('used_kib', self.used_kib, 0)
        require(bool(self.types), f'cache bank {self.id} has no types')

    def to_steps(self, size_kib: int) -> int:
        """Return the KiB that an allocation of ``size_kib`` takes.

        Whole steps, and no less than the minimum; 0 where the cache cannot
        be shared out.
        """
        step = self.granularity_kib
        return (
            -(-max(size_kib, self.minimum_kib) // step) * step if step else 0
        )

    @property
    def free_kib(self) -> int:
        """What guests may still take; the smallest part stays the host's."""
        return max(0, self.size_kib - self.used_kib - self.to_steps(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class BandwidthNode:
    """The memory bandwidth behind one L3, and how it can be shared out.

    :ivar id: libvirt's ``<node id>``, the kernel's cache id.
    :ivar cpus: the pCPUs behind it.
    :ivar granularity: the step of an allocation in percent; 0 where the
        bandwidth cannot be shared out.
    :ivar minimum: the smallest allocation in percent.
    :ivar max_groups: libvirt's ``maxAllocs``; the host's own group counts.
    :ivar used: the percent that guests hold.
    """

    id: int
    cpus: CPUSet
    granularity: int = 0
    minimum: int = 0
    max_groups: int = 0
    used: int = 0

    def __post_init__(self) -> None:
        require_int('id', self.id, 0)
        require_int('granularity', self.granularity, 0, 100)
        require_int('minimum', self.minimum, 0, 100)
        require_int('max_groups', self.max_groups, 0)
        require_int('used', self.used, 0, 100)

    def to_steps(self, percent: int) -> int:
        """Return the percent that an allocation of ``percent`` takes.

        Whole steps, and no less than the minimum; 0 where the bandwidth
        cannot be shared out.
        """
        step = self.granularity
        return -(-max(percent, self.minimum) // step) * step if step else 0

    @property
    def free(self) -> int:
        """Percent that guests may still take; the least stays the host's."""
        return max(0, 100 - self.used - self.to_steps(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheAllocation:
    """A part of one cache bank, for the real-time vCPUs of one guest.

    One ``<cache>`` element of libvirt's ``<cachetune>``.

    :ivar bank: the bank's id.
    :ivar size_kib: whole steps of the bank's granularity.
    """

    bank: int
    level: int = 3
    type: CacheType = CacheType.BOTH
    size_kib: int

    def __post_init__(self) -> None:
        require_int('bank', self.bank, 0)
        require_int('level', self.level, 1, 4)
        require_int('size_kib', self.size_kib, 1)

# SPDX-License-Identifier: Apache-2.0
"""Why a guest cell does not fit a host cell."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ReasonCode(enum.StrEnum):
    """What ran short. ``wanted`` and ``available`` of a reason count it."""

    DEDICATED_CPUS = 'dedicated-cpus'
    """Free dedicated pCPUs (all of the cell's, where even an empty one is
    too small)."""
    SHARED_CPUS = 'shared-cpus'
    """Shared pCPUs, or vCPUs under the CPU allocation ratio."""
    THREAD_POLICY = 'thread-policy'
    """pCPUs usable under the thread policy."""
    MEMORY = 'memory'
    """MiB of memory."""
    PAGE_SIZE = 'page-size'
    """A page size in KiB that the cell has none of, or that does not
    divide the guest cell's memory."""
    PAGES = 'pages'
    """Free pages of one size."""
    L3 = 'l3'
    """Free dedicated pCPUs inside one L3 cache."""
    CACHE = 'cache'
    """MiB of L3 that can still be allocated to one guest."""
    MEMORY_BANDWIDTH = 'memory-bandwidth'
    """Percent of memory bandwidth that can still be allocated."""
    EMULATOR = 'emulator'
    """pCPUs where the emulator threads may run."""
    AFFINITY = 'affinity'
    """The device or network affinity demands another host cell."""
    ASSIGNMENT = 'assignment'
    """Each guest cell fits somewhere, but not all of them together."""
    ACCEPT = 'accept'
    """The caller's predicate refused every plan."""
    HOST_CELLS = 'host-cells'
    """Host cells: the guest has more cells than the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitReason:
    """One reason, about one guest cell on one host cell.

    :ivar guest_cell: the guest cell's id; None where it is about them all.
    :ivar host_cell: the host cell's id; None where it is about the host.
    :ivar code: what ran short.
    :ivar wanted: how much the guest cell asks for.
    :ivar available: how much there is.
    :ivar sentence: the same for a person.
    """

    guest_cell: int | None = None
    host_cell: int | None = None
    code: ReasonCode
    wanted: int | str | None = None
    available: int | str | None = None
    sentence: str = ''

    def __str__(self) -> str:
        return self.sentence

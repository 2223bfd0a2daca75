# SPDX-License-Identifier: Apache-2.0
"""What a guest asks for, in the form the fit counts with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from typing import cast

from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import L3Policy
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.vacancy import iter_bits
from rtvirt.model.vacancy import room_key

_ISOLATE: Final = ThreadPolicy.ISOLATE


class CellDemand:
    """What one guest cell asks of its host cell.

    :ivar id: the guest cell's id.
    :ivar dedicated: its dedicated vCPUs, ascending; ``count`` of them.
    :ivar realtime: the real-time ones among them.
    :ivar others: the rest of them.
    :ivar shared: its shared vCPUs.
    :ivar reserved: 1 where the emulator threads' pCPU is to be on the same
        host cell, else 0.
    :ivar room: which entry of ``Vacancy.room`` counts.
    :ivar page_size: as in the guest cell.
    :ivar page_kib: the page size where it is a number, else 0.
    :ivar simple: whether nothing counts but ``count`` against ``room`` and
        whole pages of ``page_kib``.
    """

    simple: bool

    __slots__ = (
        'count',
        'dedicated',
        'id',
        'memory_kib',
        'memory_mib',
        'others',
        'page_kib',
        'page_size',
        'realtime',
        'reserved',
        'room',
        'shared',
        'simple',
    )

    def __init__(
        self, cell: GuestCell, realtime: int, reserved: int, room: int
    ) -> None:
        dedicated = cell.dedicated.mask
        self.id = cell.id
        self.dedicated = _numbers(dedicated)
        self.count = len(self.dedicated)
        if realtime & dedicated:
            self.realtime = _numbers(realtime & dedicated)
            self.others = _numbers(dedicated & ~realtime)
        else:
            self.realtime = ()
            self.others = self.dedicated
        self.shared = _numbers(cell.shared.mask)
        self.memory_mib = cell.memory_mib
        self.memory_kib = cell.memory_mib * 1024
        self.page_size = cell.page_size
        self.page_kib = cell.page_size if type(cell.page_size) is int else 0
        self.reserved = reserved
        self.room = room


class Demand:
    """A guest's request, prepared once for any number of hosts.

    :ivar cells: one per guest cell.
    :ivar kinds: one of each kind of cell: cells of one kind fit the same
        host cells.
    :ivar kind_of: of each cell, the position of its kind.
    :ivar policy: the thread policy.
    :ivar is_controlled: whether parts of caches or of the bandwidth are
        asked for.
    """

    __slots__ = (
        'cells',
        'cpu_policy',
        'guest',
        'is_controlled',
        'kind_of',
        'kinds',
        'l3_policy',
        'policy',
    )

    def __init__(self, guest: GuestRequirement) -> None:
        self.guest = guest
        self.policy = guest.thread_policy
        self.cpu_policy = guest.cpu_policy
        self.l3_policy = guest.l3_policy
        self.is_controlled = bool(guest.realtime) and (
            guest.cache_mib is not None or guest.memory_bandwidth is not None
        )
        reserved = int(guest.emulator_policy is EmulatorPolicy.ISOLATE)
        cells: list[CellDemand] = []
        kinds: dict[object, int] = {}
        kind_of: list[int] = []
        realtime = guest.realtime.mask
        plain = (
            guest.cpu_policy is CPUPolicy.DEDICATED
            and self.l3_policy is not L3Policy.REQUIRE
            and not self.is_controlled
        )
        for cell in guest.cells:
            made = CellDemand(
                cell, realtime, reserved, room_key(self.policy, reserved)
            )
            made.simple = (
                plain
                and made.page_kib > 0
                and made.memory_kib % made.page_kib == 0
            )
            key = (
                made.count,
                len(made.shared),
                made.memory_mib,
                made.page_size,
                reserved,
                self.is_controlled and bool(made.realtime),
            )
            kind_of.append(kinds.setdefault(key, len(kinds)))
            cells.append(made)
            reserved = 0
        self.cells = tuple(cells)
        self.kind_of = tuple(kind_of)
        self.kinds = tuple(
            cells[kind_of.index(number)] for number in range(len(kinds))
        )


def prepare(guest: GuestRequirement) -> Demand:
    """Return the guest's demand, made once for each guest."""
    demand = guest._prepared
    if demand is None:
        demand = Demand(guest)
        object.__setattr__(guest, '_prepared', demand)
    return cast(Demand, demand)


def _numbers(mask: int) -> Sequence[int]:
    """Return the numbers of the bits, ascending."""
    if not mask:
        return ()
    first = (mask & -mask).bit_length() - 1
    run = mask >> first
    if run & (run + 1):
        return tuple(iter_bits(mask))
    return range(first, first + run.bit_length())

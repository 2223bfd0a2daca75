# SPDX-License-Identifier: Apache-2.0
"""What a guest asks for, in the form the fit counts with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from typing import cast

from rtvirt.model.bits import iter_bits
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import L3Policy
from rtvirt.model.guest import ThreadPolicy
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
        self,
        cell: GuestCell,
        realtime: int,
        reserved: int,
        room: int,
        *,
        plain: bool,
    ) -> None:
        dedicated = cell.dedicated.mask
        self.id = cell.id
        self.dedicated = self.others = numbers(dedicated)
        self.count = len(self.dedicated)
        self.realtime: Sequence[int] = ()
        self.shared: Sequence[int] = ()
        if realtime & dedicated:
            self.realtime = numbers(realtime & dedicated)
            self.others = numbers(dedicated & ~realtime)
        if shared := cell.shared.mask:
            self.shared = numbers(shared)
        self.memory_mib = cell.memory_mib
        self.memory_kib = cell.memory_mib * 1024
        self.page_size = size = cell.page_size
        self.page_kib = size if type(size) is int else 0
        self.reserved = reserved
        self.room = room + reserved
        self.simple = (
            plain and self.page_kib > 0 and not self.memory_kib % self.page_kib
        )


class Demand:
    """A guest's request, prepared once for any number of hosts.

    :ivar cells: one per guest cell.
    :ivar kinds: one of each kind of cell: cells of one kind fit the same
        host cells.
    :ivar kind_of: of each cell, the position of its kind.
    :ivar policy: the thread policy.
    :ivar is_controlled: whether parts of caches or of the bandwidth are
        asked for.
    :ivar is_plain: whether it matters neither behind which caches pCPUs are
        nor what is left of these.
    :ivar needs_emulator_cpus: whether neither the guest's own vCPUs nor a
        reserved pCPU can hold the emulator threads.
    """

    __slots__ = (
        'cells',
        'cpu_policy',
        'guest',
        'is_controlled',
        'is_plain',
        'kind_of',
        'kinds',
        'l3_policy',
        'needs_emulator_cpus',
        'policy',
    )

    def __init__(self, guest: GuestRequirement) -> None:
        self.guest = guest
        self.policy = guest.thread_policy
        self.cpu_policy = guest.cpu_policy
        self.l3_policy = guest.l3_policy
        realtime = guest.realtime.mask
        self.is_controlled = realtime > 0 and (
            guest.cache_mib is not None or guest.memory_bandwidth is not None
        )
        reserved = int(guest.emulator_policy is EmulatorPolicy.ISOLATE)
        self.needs_emulator_cpus = (
            realtime > 0
            and not reserved
            and (
                guest.emulator_policy is EmulatorPolicy.SHARE
                or realtime.bit_count() == guest.vcpus
            )
        )
        self.is_plain = (
            self.l3_policy is L3Policy.NONE and not self.is_controlled
        )
        plain = self.is_plain and guest.cpu_policy is CPUPolicy.DEDICATED
        cells = []
        room = room_key(self.policy, 0)
        for cell in guest.cells:
            cells.append(
                CellDemand(cell, realtime, reserved, room, plain=plain)
            )
            reserved = 0
        self.cells = tuple(cells)
        if len(cells) == 1:
            self.kinds = self.cells
            self.kind_of: tuple[int, ...] = (0,)
        else:
            self._sort_out()

    def _sort_out(self) -> None:
        """Find the kinds of cells."""
        kinds: list[CellDemand] = []
        kind_of: list[int] = []
        known: dict[object, int] = {}
        for cell in self.cells:
            key = (
                cell.count,
                len(cell.shared),
                cell.memory_mib,
                cell.page_size,
                cell.reserved,
                self.is_controlled and bool(cell.realtime),
            )
            number = known.setdefault(key, len(kinds))
            if number == len(kinds):
                kinds.append(cell)
            kind_of.append(number)
        self.kinds = tuple(kinds)
        self.kind_of = tuple(kind_of)


def prepare(guest: GuestRequirement) -> Demand:
    """Return the guest's demand, made once for each guest."""
    demand = guest._prepared
    if demand is None:
        demand = Demand(guest)
        object.__setattr__(guest, '_prepared', demand)
    return cast(Demand, demand)


def numbers(mask: int) -> Sequence[int]:
    """Return the numbers of the bits, ascending."""
    if not mask:
        return ()
    first = (mask & -mask).bit_length() - 1
    run = mask >> first
    if run & (run + 1):
        return tuple(iter_bits(mask))
    return range(first, first + run.bit_length())

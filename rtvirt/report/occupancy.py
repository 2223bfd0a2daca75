# SPDX-License-Identifier: Apache-2.0
"""What every pCPU of a host is there for, and who runs on it."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.model.host_cell import HostCell
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.model.pages import PagePool
from rtvirt.model.resctrl import CacheBank
from rtvirt.report.occupant import Occupant


class Use(enum.StrEnum):
    """What a pCPU is there for, or what became of it."""

    HOUSEKEEPING = 'housekeeping'
    """Neither dedicated nor shared: the host's own."""
    SHARED = 'shared'
    """Shared vCPUs float over it."""
    FREE = 'free'
    """For a dedicated vCPU, and nobody holds it."""
    TAKEN = 'taken'
    """Held by a guest of which no more is known."""
    IDLE = 'idle'
    """A sibling that is claimed to stay idle."""
    EMULATOR = 'emulator'
    """Reserved for emulator threads."""
    VCPU = 'vcpu'
    """One vCPU has it for its own."""
    REALTIME = 'realtime'
    """One real-time vCPU has it for its own."""
    CONTESTED = 'contested'
    """Several vCPUs are pinned to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One thread that may run on a pCPU.

    :ivar occupant: position of its guest among the occupants.
    :ivar number: of a vCPU or an I/O thread.
    """

    occupant: int
    role: ThreadRole
    number: int | None
    scheduling: Scheduling


@dataclass(slots=True, kw_only=True)
class Spot:
    """One pCPU.

    :ivar occupant: position of the guest that holds it, or None.
    :ivar vcpus: who has it for their own; more than one is a conflict.
    :ivar helpers: emulator and I/O threads that may run on it.
    """

    cpu: int
    use: Use
    occupant: int | None = None
    vcpus: list[Seat] = field(default_factory=list)
    helpers: list[Seat] = field(default_factory=list)

    def has_helper(self, role: ThreadRole) -> bool:
        """Whether a thread of this kind may run on it."""
        return any(seat.role is role for seat in self.helpers)

    @property
    def word(self) -> str:
        """What is on it, in a word or two."""
        if self.use in (Use.VCPU, Use.REALTIME):
            return f'vCPU {self.vcpus[0].number}'
        if self.use is Use.CONTESTED:
            return f'{len(self.vcpus)} vCPUs'
        return 'host' if self.use is Use.HOUSEKEEPING else str(self.use)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageBar:
    """The pages of one size on one host cell.

    :ivar planned: how many the planned guests take beside ``pool.used``.
    """

    pool: PagePool
    planned: int

    @property
    def free(self) -> int:
        """How many are left."""
        return max(0, self.pool.free - self.planned)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreGroup:
    """Cores of one cell behind one L3, or those of which that is unknown.

    :ivar bank: the cache's id; None where unknown.
    :ivar size_kib: the cache's size; None where unknown.
    """

    is_cache: bool
    bank: int | None = None
    size_kib: int | None = None
    cpus: CPUSet
    cores: tuple[CPUSet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """A host and who is where on it.

    :ivar spots: of each pCPU.
    """

    host: HostTopology
    occupants: tuple[Occupant, ...]
    spots: Mapping[int, Spot]

    @property
    def uses(self) -> tuple[Use, ...]:
        """The uses that occur, in their order."""
        found = {spot.use for spot in self.spots.values()}
        return tuple(use for use in Use if use in found)

    def bars(self, cell: HostCell) -> tuple[PageBar, ...]:
        """Return the pages of a cell, the largest first.

        A size of which the cell has none is left out.
        """
        return tuple(
            PageBar(
                pool=pool,
                planned=sum(
                    pages
                    for occupant in self.occupants
                    if occupant.is_planned
                    for key, pages in occupant.pages.items()
                    if key == (cell.id, pool.size_kib)
                ),
            )
            for pool in reversed(cell.pages)
            if pool.total
        )


def occupy(
    host: HostTopology, occupants: Iterable[Occupant] = ()
) -> Occupancy:
    """Work out who is where.

    :param occupants: guests that are known thread by thread; the holders of
        the host that are not among them are added.
    """
    guests = [*occupants]
    known = {guest.name for guest in guests}
    guests += [
        Occupant.of_holder(holder)
        for holder in host.holders
        if holder.name not in known
    ]
    spots = {
        cpu: Spot(cpu=cpu, use=_use(cell, cpu))
        for cell in host.cells
        for cpu in cell.cpus
    }
    for position, guest in enumerate(guests):
        _seat(spots, position, guest)
    return Occupancy(host=host, occupants=tuple(guests), spots=spots)


def core_groups(host: HostTopology, cell: HostCell) -> Iterator[CoreGroup]:
    """Yield the cores behind each L3 of a cell, then those without.

    A cache that reaches over several cells has no id here.
    """
    banks: dict[CPUSet, CacheBank] = {
        bank.cpus: bank for bank in host.caches if bank.level == 3
    }
    known = CPUSet()
    for cpus in cell.l3:
        known |= cpus
        bank = banks.get(cpus)
        yield CoreGroup(
            is_cache=True,
            bank=bank.id if bank else None,
            size_kib=bank.size_kib if bank else None,
            cpus=cpus,
            cores=tuple(core for core in cell.siblings if core <= cpus),
        )
    if rest := cell.cpus - known:
        yield CoreGroup(
            is_cache=False,
            cpus=rest,
            cores=tuple(core for core in cell.siblings if core & rest),
        )


def _use(cell: HostCell, cpu: int) -> Use:
    if cpu in cell.pinned:
        return Use.TAKEN
    if cpu in cell.dedicated:
        return Use.FREE
    return Use.SHARED if cpu in cell.shared else Use.HOUSEKEEPING


def _seat(spots: Mapping[int, Spot], position: int, guest: Occupant) -> None:
    held = [
        (guest.held, Use.TAKEN),
        (guest.idle, Use.IDLE),
        (guest.reserved, Use.EMULATOR),
    ]
    for cpus, use in held:
        for spot in _among(spots, cpus):
            spot.use, spot.occupant = use, position
    for (role, number), scheduling in guest.threads.items():
        seat = Seat(
            occupant=position, role=role, number=number, scheduling=scheduling
        )
        if role is not ThreadRole.VCPU:
            for spot in _among(spots, scheduling.cpus):
                spot.helpers.append(seat)
        elif len(scheduling.cpus) == 1:
            for spot in _among(spots, scheduling.cpus):
                _own(spot, seat)


def _own(spot: Spot, seat: Seat) -> None:
    spot.vcpus.append(seat)
    spot.occupant = seat.occupant
    if len(spot.vcpus) > 1:
        spot.use = Use.CONTESTED
    else:
        is_realtime = bool(seat.scheduling.priority)
        spot.use = Use.REALTIME if is_realtime else Use.VCPU


def _among(spots: Mapping[int, Spot], cpus: CPUSet) -> Sequence[Spot]:
    return [spots[cpu] for cpu in cpus if cpu in spots]

# SPDX-License-Identifier: Apache-2.0
"""Where every thread of a guest runs and its memory lies."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import Final
from typing import Self

from rtvirt.exception import ModelError
from rtvirt.model.alter import draft_of
from rtvirt.model.check import require
from rtvirt.model.check import require_int
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.pages import ORDINARY_KIB
from rtvirt.model.pages import PageSize
from rtvirt.model.plain import dump
from rtvirt.model.plain import load
from rtvirt.model.resctrl import CacheAllocation

SCHEMA_VERSION: Final = 1

_NONE: Final = CPUSet()
_NOTHING: Final[FrozenDict[int, Any]] = FrozenDict()
_become: Final = object.__setattr__


# Both classes have constructors written by hand. Those that a frozen
# dataclass would get take four times as long, and half the time of a fit:
# they store each field by object.__setattr__. These fill a draft, a class
# with the same slots that is not frozen, and then say whose it is.


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class PlannedCell:
    """One guest cell on its host cell.

    :ivar guest_cell: the guest cell's id.
    :ivar host_cell: the host cell's id.
    :ivar pins: of each vCPU of the cell: one pCPU for a dedicated vCPU,
        the host cell's shared pCPUs for a shared one.
    :ivar emulator: pCPUs of this host cell reserved for the emulator
        threads (policy isolate); empty elsewhere.
    :ivar idle: siblings that thread policy isolate keeps idle; they are
        claimed, and nothing runs there.
    :ivar page_size_kib: the size of the pages that back the memory.
    :ivar memory_mib: the guest cell's memory.
    """

    guest_cell: int
    host_cell: int
    pins: Mapping[int, CPUSet]
    emulator: CPUSet = _NONE
    idle: CPUSet = _NONE
    page_size_kib: int
    memory_mib: int

    def __init__(
        self,
        *,
        guest_cell: int,
        host_cell: int,
        pins: Mapping[int, CPUSet],
        emulator: CPUSet = _NONE,
        idle: CPUSet = _NONE,
        page_size_kib: int,
        memory_mib: int,
    ) -> None:
        if type(page_size_kib) is not int or page_size_kib < 1:
            require_int('page_size_kib', page_size_kib, 1)
        if type(memory_mib) is not int or memory_mib < 0:
            require_int('memory_mib', memory_mib, 0)
        if memory_mib * 1024 % page_size_kib:
            raise ModelError(
                f'{memory_mib} MiB are no whole pages of {page_size_kib} KiB'
            )
        draft: Any = self
        _become(draft, '__class__', _CellDraft)
        draft.guest_cell = guest_cell
        draft.host_cell = host_cell
        draft.pins = pins if type(pins) is FrozenDict else FrozenDict(pins)
        draft.emulator = emulator
        draft.idle = idle
        draft.page_size_kib = page_size_kib
        draft.memory_mib = memory_mib
        draft.__class__ = PlannedCell

    @property
    def pages(self) -> int:
        """How many pages the memory takes."""
        return self.memory_mib * 1024 // self.page_size_kib


_CellDraft: Final = draft_of(PlannedCell)


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Plan:
    """A guest placed on a host. One that contradicts itself cannot exist.

    :ivar guest: what was asked for.
    :ivar cells: one per guest cell, in the guest's order; empty for a guest
        that floats.
    :ivar floating: for a guest without cells, the pCPUs it floats over.
    :ivar emulator: pCPUs of the emulator threads; never one of a real-time
        vCPU.
    :ivar iothreads: pCPUs of each I/O thread, numbered from 1.
    :ivar caches: the real-time vCPUs' parts of L3 caches, one per bank they
        run on (two where code and data are apart): ``<cachetune>``.
    :ivar memory_bandwidth: percent for the real-time vCPUs, by libvirt's
        node id: ``<memorytune>``.
    :ivar host: digest of the host it was made for.
    """

    guest: GuestRequirement
    cells: tuple[PlannedCell, ...]
    floating: CPUSet = _NONE
    emulator: CPUSet
    iothreads: Mapping[int, CPUSet] = _NOTHING
    caches: tuple[CacheAllocation, ...] = ()
    memory_bandwidth: Mapping[int, int] = _NOTHING
    host: str = ''

    _claimed: tuple[int, ...] = field(
        default=(), init=False, repr=False, compare=False
    )

    def __init__(
        self,
        *,
        guest: GuestRequirement,
        cells: tuple[PlannedCell, ...],
        floating: CPUSet = _NONE,
        emulator: CPUSet,
        iothreads: Mapping[int, CPUSet] = _NOTHING,
        caches: tuple[CacheAllocation, ...] = (),
        memory_bandwidth: Mapping[int, int] = _NOTHING,
        host: str = '',
    ) -> None:
        draft: Any = self
        _become(draft, '__class__', _PlanDraft)
        draft.guest = guest
        draft.cells = cells
        draft.floating = floating
        draft.emulator = emulator
        draft.iothreads = (
            iothreads
            if type(iothreads) is FrozenDict
            else FrozenDict(iothreads)
        )
        draft.caches = caches
        draft.memory_bandwidth = (
            memory_bandwidth
            if type(memory_bandwidth) is FrozenDict
            else FrozenDict(memory_bandwidth)
        )
        draft.host = host
        draft._claimed = _check_cells(cells, guest.cells)
        draft.__class__ = Plan
        if cells and (guest.realtime.mask or not emulator.mask):
            self._check_emulator()
        if caches or memory_bandwidth:
            self._check_control()

    def _check_emulator(self) -> None:
        helpers = self.emulator.mask
        if not helpers:
            raise ModelError('the emulator threads have no pCPU to run on')
        for cpus in self.iothreads.values():
            helpers |= cpus.mask
        rt_vcpus = self.guest.realtime.mask
        for cell in self.cells:
            for vcpu, cpus in cell.pins.items():
                if cpus.mask & helpers and rt_vcpus >> vcpu & 1:
                    raise ModelError(
                        f'emulator or I/O threads would run on pCPU {cpus} '
                        f'of real-time vCPU {vcpu}'
                    )

    def _check_control(self) -> None:
        require(
            bool(self.guest.realtime),
            'caches and memory bandwidth are for real-time vCPUs, and there '
            'are none',
        )
        keys = [(part.level, part.bank, part.type) for part in self.caches]
        require(len(set(keys)) == len(keys), 'a cache bank is named twice')
        for node, percent in self.memory_bandwidth.items():
            require_int(f'the bandwidth of node {node}', percent, 1, 100)

    @property
    def pins(self) -> Mapping[int, CPUSet]:
        """pCPUs of every vCPU, in ascending order of vCPUs.

        Empty for a guest that floats.
        """
        if len(self.cells) == 1:
            return self.cells[0].pins
        every: dict[int, CPUSet] = {}
        for cell in self.cells:
            every.update(cell.pins)
        return FrozenDict({vcpu: every[vcpu] for vcpu in sorted(every)})

    @property
    def realtime(self) -> CPUSet:
        """The real-time vCPUs."""
        return self.guest.realtime

    @property
    def priorities(self) -> Mapping[int, int]:
        """Of each real-time vCPU, its scheduler's priority."""
        return self.guest.priorities

    @property
    def huge_cells(self) -> tuple[PlannedCell, ...]:
        """The cells whose pages are huge.

        One that asked for no size, or for the smallest, has the host's
        ordinary pages, whatever their size is there.
        """
        return tuple(
            [
                cell
                for cell, asked in zip(
                    self.cells, self.guest.cells, strict=True
                )
                if cell.page_size_kib > ORDINARY_KIB
                and asked.page_size is not None
                and asked.page_size is not PageSize.SMALL
            ]
        )

    @property
    def is_controlled(self) -> bool:
        """Whether the guest needs a resctrl group."""
        return bool(self.caches or self.memory_bandwidth)

    @property
    def claimed_masks(self) -> tuple[int, ...]:
        """Of each cell, the dedicated pCPUs that it takes, as a mask."""
        return self._claimed

    @property
    def claimed(self) -> CPUSet:
        """The dedicated pCPUs that the plan takes from the host."""
        mask = 0
        for cell_mask in self.claimed_masks:
            mask |= cell_mask
        return CPUSet.from_mask(mask)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: numbers, texts, lists and dictionaries."""
        return {'schema_version': SCHEMA_VERSION, **dump(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote.

        :raises ModelError: naming what is missing, wrong or contradictory.
        """
        return load(cls, data, schema_version=SCHEMA_VERSION)


_PlanDraft: Final = draft_of(Plan)


def _check_cells(
    cells: Sequence[PlannedCell], asked: Sequence[GuestCell]
) -> tuple[int, ...]:
    """Check every pin; return what each cell claims."""
    if len(cells) != len(asked):
        raise ModelError(
            f'{len(cells)} cells are planned, {len(asked)} asked for'
        )
    held = 0
    claimed = []
    for number, want in enumerate(asked):
        mask = _check_cell(cells[number], want)
        if held & mask:
            raise _twice(held & mask)
        held |= mask
        claimed.append(mask)
    if len({cell.host_cell for cell in cells}) != len(asked):
        raise ModelError('two guest cells are planned on one host cell')
    return tuple(claimed)


def _check_cell(cell: PlannedCell, want: GuestCell) -> int:
    """Check one cell alone; return the dedicated pCPUs that it claims."""
    dedicated = want.dedicated.mask
    shared = want.shared.mask
    pins = cell.pins
    if (
        cell.guest_cell != want.id
        or cell.memory_mib != want.memory_mib
        or len(pins) != (dedicated | shared).bit_count()
    ):
        raise ModelError(f'guest cell {want.id} is not planned as asked for')
    total = several = 0
    for vcpu, cpus in pins.items():
        mask = cpus.mask
        if dedicated >> vcpu & 1:
            total += mask
            several |= mask & (mask - 1)
        elif not shared >> vcpu & 1:
            raise ModelError(f'guest cell {want.id} has no vCPU {vcpu}')
        elif not mask:
            raise ModelError(f'vCPU {vcpu} has no pCPU to run on')
    # Single bits add up to as many bits only if they all differ.
    if several or total.bit_count() != dedicated.bit_count():
        raise _wrong_pins(cell, want)
    emulator = cell.emulator.mask
    idle = cell.idle.mask
    if emulator or idle:
        if twice := total & (emulator | idle) | emulator & idle:
            raise _twice(twice)
        total |= emulator | idle
    return total


def _wrong_pins(cell: PlannedCell, want: GuestCell) -> ModelError:
    """Return what is wrong with the pins of the dedicated vCPUs."""
    held = twice = 0
    for vcpu in want.dedicated:
        cpus = cell.pins[vcpu]
        if len(cpus) != 1:
            return ModelError(
                f'vCPU {vcpu} is dedicated: it needs one pCPU, not '
                f'{str(cpus) or "none"}'
            )
        twice |= held & cpus.mask
        held |= cpus.mask
    return _twice(twice)


def _twice(mask: int) -> ModelError:
    return ModelError(f'pCPUs {CPUSet.from_mask(mask)} are planned twice')

# SPDX-License-Identifier: Apache-2.0
"""Where every thread of a guest runs and its memory lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Final
from typing import Self

from rtvirt.exception import ModelError
from rtvirt.model.check import require
from rtvirt.model.check import require_int
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.plain import dump
from rtvirt.model.plain import load
from rtvirt.model.resctrl import CacheAllocation

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
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
    emulator: CPUSet = CPUSet()
    idle: CPUSet = CPUSet()
    page_size_kib: int
    memory_mib: int

    def __post_init__(self) -> None:
        require_int('page_size_kib', self.page_size_kib, 1)
        require(
            self.memory_mib * 1024 % self.page_size_kib == 0,
            f'{self.memory_mib} MiB are no whole pages of '
            f'{self.page_size_kib} KiB',
        )
        if type(self.pins) is not FrozenDict:
            object.__setattr__(self, 'pins', FrozenDict(self.pins))

    @property
    def pages(self) -> int:
        """How many pages the memory takes."""
        return self.memory_mib * 1024 // self.page_size_kib


@dataclass(frozen=True, slots=True, kw_only=True)
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
    floating: CPUSet = CPUSet()
    emulator: CPUSet
    iothreads: Mapping[int, CPUSet] = FrozenDict()
    caches: tuple[CacheAllocation, ...] = ()
    memory_bandwidth: Mapping[int, int] = FrozenDict()
    host: str = ''

    def __post_init__(self) -> None:
        for name in ('iothreads', 'memory_bandwidth'):
            mapping = getattr(self, name)
            if type(mapping) is not FrozenDict:
                object.__setattr__(self, name, FrozenDict(mapping))
        self._check_cells()
        self._check_emulator(self._check_pins())
        if self.is_controlled:
            self._check_control()

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

    def _check_cells(self) -> None:
        asked = self.guest.cells
        require(
            len(self.cells) == len(asked),
            f'{len(self.cells)} cells are planned, {len(asked)} asked for',
        )
        nodes = set()
        for cell, want in zip(self.cells, asked, strict=True):
            nodes.add(cell.host_cell)
            if (
                cell.guest_cell != want.id
                or cell.memory_mib != want.memory_mib
                or len(cell.pins) != len(want.vcpus)
            ):
                raise ModelError(
                    f'guest cell {want.id} is not planned as asked for'
                )
        require(
            len(nodes) == len(asked),
            'two guest cells are planned on one host cell',
        )

    def _check_pins(self) -> int:
        """Check that pCPUs are held once; return the real-time ones."""
        held = realtime = 0
        rt_vcpus = self.guest.realtime.mask
        for cell, want in zip(self.cells, self.guest.cells, strict=True):
            reserved = cell.emulator.mask | cell.idle.mask
            twice = held & reserved | cell.emulator.mask & cell.idle.mask
            held |= reserved
            pins = cell.pins
            for vcpu in want.dedicated:
                mask = pins[vcpu].mask if vcpu in pins else 0
                if not mask or mask & (mask - 1):
                    raise ModelError(
                        f'vCPU {vcpu} is dedicated: it needs one pCPU, not '
                        f'{CPUSet.from_mask(mask)}'
                    )
                twice |= held & mask
                held |= mask
                if rt_vcpus >> vcpu & 1:
                    realtime |= mask
            for vcpu in want.shared:
                if not pins.get(vcpu):
                    raise ModelError(f'vCPU {vcpu} has no pCPU to run on')
            if twice:
                raise ModelError(
                    f'pCPUs {CPUSet.from_mask(twice)} are planned twice'
                )
        return realtime

    def _check_emulator(self, realtime: int) -> None:
        require(
            bool(self.emulator or not self.guest.cells),
            'the emulator threads have no pCPU to run on',
        )
        helpers = self.emulator.mask
        for cpus in self.iothreads.values():
            helpers |= cpus.mask
        if helpers & realtime:
            raise ModelError(
                'emulator or I/O threads would run on real-time pCPUs '
                f'{CPUSet.from_mask(helpers & realtime)}'
            )

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
    def is_controlled(self) -> bool:
        """Whether the guest needs a resctrl group."""
        return bool(self.caches or self.memory_bandwidth)

    @property
    def claimed_masks(self) -> tuple[int, ...]:
        """Of each cell, the dedicated pCPUs that it takes, as a mask."""
        masks = []
        for cell, want in zip(self.cells, self.guest.cells, strict=True):
            mask = cell.emulator.mask | cell.idle.mask
            for vcpu in want.dedicated:
                mask |= cell.pins[vcpu].mask
            masks.append(mask)
        return tuple(masks)

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

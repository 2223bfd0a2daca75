# SPDX-License-Identifier: Apache-2.0
"""What a guest asks for, typed."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import Final
from typing import final

from rtvirt.exception import ModelError
from rtvirt.model.alter import draft_of
from rtvirt.model.check import require_int
from rtvirt.model.check import shown
from rtvirt.model.cpuset import MAX_CPU
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.pages import PageSize

MAX_IOTHREADS: Final = 64
"""More than any guest has disks for."""


class CPUPolicy(enum.StrEnum):
    """Whether vCPUs have pCPUs of their own (``hw:cpu_policy``)."""

    SHARED = 'shared'
    DEDICATED = 'dedicated'
    MIXED = 'mixed'


class ThreadPolicy(enum.StrEnum):
    """How vCPUs use sibling threads (``hw:cpu_thread_policy``)."""

    PREFER = 'prefer'
    ISOLATE = 'isolate'
    REQUIRE = 'require'


class EmulatorPolicy(enum.StrEnum):
    """Where emulator threads run (``hw:emulator_threads_policy``).

    ``ISOLATE``: on a pCPU reserved for them. ``SHARE``: on the host's
    shared pCPUs.
    """

    ISOLATE = 'isolate'
    SHARE = 'share'


class PCINUMAAffinityPolicy(enum.StrEnum):
    """``hw:pci_numa_affinity_policy``."""

    REQUIRED = 'required'
    PREFERRED = 'preferred'
    LEGACY = 'legacy'
    SOCKET = 'socket'


class Scheduler(enum.StrEnum):
    """The policy of real-time vCPU threads (``rtvirt:scheduler``)."""

    FIFO = 'fifo'
    RR = 'rr'


class L3Policy(enum.StrEnum):
    """Whether a guest cell's vCPUs share one L3 (``rtvirt:l3_policy``)."""

    NONE = 'none'
    PREFER = 'prefer'
    REQUIRE = 'require'


class HaltPoll(enum.StrEnum):
    """Who polls when a vCPU goes idle (``rtvirt:halt_poll``)."""

    HOST = 'host'
    GUEST = 'guest'
    OFF = 'off'


@dataclass(frozen=True, slots=True, kw_only=True)
class CPUTopology:
    """The sockets, cores and threads that the guest sees."""

    sockets: int
    cores: int = 1
    threads: int = 1

    def __post_init__(self) -> None:
        require_int('sockets', self.sockets, 1)
        require_int('cores', self.cores, 1)
        require_int('threads', self.threads, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CPUQuota:
    """CFS limits of the whole guest (``quota:cpu_*``); None is unset.

    :ivar shares: relative weight.
    :ivar period_us: the enforcement period in microseconds.
    :ivar quota_us: runtime per period in microseconds; -1 is unlimited.
    """

    shares: int | None = None
    period_us: int | None = None
    quota_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestCell:
    """One cell of the guest's NUMA topology.

    :ivar id: position in the guest's list of cells, from 0.
    :ivar shared: vCPUs that float over shared pCPUs.
    :ivar dedicated: vCPUs with a pCPU each.
    :ivar memory_mib: memory of the cell.
    :ivar page_size: in KiB, or a word, or None where nothing is asked.
    """

    id: int
    shared: CPUSet = CPUSet()
    dedicated: CPUSet = CPUSet()
    memory_mib: int
    page_size: int | PageSize | None = None

    def __post_init__(self) -> None:
        require_int('id', self.id, 0)
        require_int('memory_mib', self.memory_mib, 0)
        size = self.page_size
        if size is not None and type(size) is not PageSize:
            require_int('page_size', size, 1)
        if self.shared.mask & self.dedicated.mask:
            raise ModelError(
                f'guest cell {self.id}: vCPUs {self.shared & self.dedicated} '
                'are both shared and dedicated'
            )

    @property
    def vcpus(self) -> CPUSet:
        """All vCPUs of the cell."""
        return self.shared | self.dedicated


_CellDraft: Final = draft_of(GuestCell)
_NONE: Final = CPUSet()


def make_cell(
    id: int,
    shared: int,
    dedicated: int,
    memory_mib: int,
    page_size: int | PageSize | None,
) -> GuestCell:
    """Make a checked cell in half the time that its constructor takes.

    :param shared: vCPUs that float, as a mask.
    :param dedicated: vCPUs with a pCPU each, as a mask.
    """
    cell: Any = _CellDraft()
    cell.id = id
    cell.shared = CPUSet.from_mask(shared) if shared else _NONE
    cell.dedicated = CPUSet.from_mask(dedicated) if dedicated else _NONE
    cell.memory_mib = memory_mib
    cell.page_size = page_size
    cell.__class__ = GuestCell
    cell.__post_init__()
    made: GuestCell = cell
    return made


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GuestRequirement:
    """Everything a flavor and an image ask of a host, validated.

    :ivar name: the flavor's name.
    :ivar cells: empty where neither NUMA, pinning nor huge pages are asked
        for: such a guest floats.
    :ivar topology: what the guest sees of sockets, cores and threads.
    :ivar realtime: vCPUs under a real-time scheduler; empty where off.
    :ivar priorities: of each real-time vCPU, 1 to 99.
    :ivar emulator_priority: FIFO priority of emulator threads; 0 is off.
    :ivar iothreads: how many I/O threads the guest has.
    :ivar locked_memory: whether guest memory must stay in RAM; true for
        every real-time guest.
    :ivar pmu: whether the guest has a PMU; None leaves it to rtvirt.
    :ivar cache_mib: MiB of L3 for the real-time vCPUs.
    :ivar memory_bandwidth: percent, for the real-time vCPUs.
    :ivar latency_budget_us: what latency verdicts compare with.
    :ivar warnings: what ``parse_guest`` let pass: settings without effect,
        values that nova reads otherwise than they look, and unknown names
        where it was not strict.
    """

    name: str
    vcpus: int
    memory_mib: int
    cells: tuple[GuestCell, ...] = ()
    topology: CPUTopology
    cpu_policy: CPUPolicy = CPUPolicy.SHARED
    thread_policy: ThreadPolicy | None = None
    emulator_policy: EmulatorPolicy | None = None
    realtime: CPUSet = CPUSet()
    scheduler: Scheduler = Scheduler.FIFO
    priorities: Mapping[int, int] = FrozenDict()
    emulator_priority: int = 0
    iothreads: int = 1
    locked_memory: bool = False
    pmu: bool | None = None
    hide_hypervisor_id: bool = False
    pci_numa_affinity_policy: PCINUMAAffinityPolicy | None = None
    quota: CPUQuota = CPUQuota()
    l3_policy: L3Policy = L3Policy.NONE
    cache_mib: int | None = None
    memory_bandwidth: int | None = None
    halt_poll: HaltPoll = HaltPoll.HOST
    latency_budget_us: int | None = None
    warnings: tuple[str, ...] = ()
    _prepared: Any = field(default=None, init=False, repr=False, compare=False)
    """What the fit derives from the request once, for many hosts."""

    def __post_init__(self) -> None:
        require_int('vcpus', self.vcpus, 1, MAX_CPU + 1)
        require_int('memory_mib', self.memory_mib, 0)
        require_int('emulator_priority', self.emulator_priority, 0, 99)
        require_int('iothreads', self.iothreads, 0, MAX_IOTHREADS)
        if self.cache_mib is not None:
            require_int('cache_mib', self.cache_mib, 1)
        if self.memory_bandwidth is not None:
            require_int('memory_bandwidth', self.memory_bandwidth, 1, 100)
        if self.latency_budget_us is not None:
            require_int('latency_budget_us', self.latency_budget_us, 1)
        if type(self.priorities) is not FrozenDict:
            object.__setattr__(self, 'priorities', FrozenDict(self.priorities))
        dedicated = self._check_cells() if self.cells else 0
        if self.realtime.mask or self.priorities:
            self._check_realtime(dedicated)

    def _check_cells(self) -> int:
        """Return the dedicated vCPUs as a mask."""
        seen = dedicated = memory_mib = 0
        for index, cell in enumerate(self.cells):
            mask = cell.shared.mask | cell.dedicated.mask
            if cell.id != index:
                raise ModelError(
                    f'guest cell {cell.id} stands at position {index}'
                )
            if seen & mask:
                raise ModelError(
                    f'vCPUs {CPUSet.from_mask(seen & mask)} are in two guest '
                    'cells'
                )
            seen |= mask
            dedicated |= cell.dedicated.mask
            memory_mib += cell.memory_mib
        if seen != (1 << self.vcpus) - 1:
            raise ModelError(
                f'the guest cells hold vCPUs {CPUSet.from_mask(seen)}, not 0 '
                f'to {self.vcpus - 1}'
            )
        if memory_mib != self.memory_mib:
            raise ModelError(
                f'the guest cells hold {memory_mib} MiB, not {self.memory_mib}'
            )
        return dedicated

    def _check_realtime(self, dedicated: int) -> None:
        realtime = self.realtime.mask
        if stray := realtime & ~dedicated:
            raise ModelError(
                f'real-time vCPUs {CPUSet.from_mask(stray)} are not dedicated'
            )
        left = realtime.bit_count()
        for vcpu, priority in self.priorities.items():
            if type(vcpu) is not int or vcpu < 0 or not realtime >> vcpu & 1:
                left = -1
                break
            if type(priority) is not int or not 1 <= priority <= 99:
                require_int(f'the priority of vCPU {vcpu}', priority, 1, 99)
            left -= 1
        if left:
            raise ModelError(
                'priorities must name each real-time vCPU and no other: '
                f'{shown(self.priorities)} against {self.realtime}'
            )

    @property
    def dedicated(self) -> CPUSet:
        """All dedicated vCPUs."""
        mask = 0
        for cell in self.cells:
            mask |= cell.dedicated.mask
        return CPUSet.from_mask(mask)

# SPDX-License-Identifier: Apache-2.0
"""libvirt's daemon, its qemu.conf and the domains that run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import fact
from rtvirt.model.frozendict import FrozenDict

_CONF = '/etc/libvirt/qemu.conf'

CAP_SYS_NICE: Final = 1 << 23
CAP_SYS_RESOURCE: Final = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDomain:
    """Where the threads of one running domain may run.

    :ivar vcpus: how many it has.
    :ivar cpus: the CPUs for threads without a pin; empty is all of them.
    :ivar pins: of each pinned vCPU, its CPUs.
    :ivar emulator: CPUs of the emulator threads; empty where not pinned.
    :ivar iothreads: how many I/O threads it has.
    :ivar iothread_pins: of each pinned I/O thread, its CPUs.
    :ivar priorities: of each vCPU under SCHED_FIFO or SCHED_RR, its
        priority.
    :ivar pmu: whether the guest has a PMU; None where the XML is silent.
    """

    name: str
    vcpus: int
    cpus: CPUSet = CPUSet()
    pins: Mapping[int, CPUSet] = FrozenDict()
    emulator: CPUSet = CPUSet()
    iothreads: int = 0
    iothread_pins: Mapping[int, CPUSet] = FrozenDict()
    priorities: Mapping[int, int] = FrozenDict()
    pmu: bool | None = None

    @property
    def pinned(self) -> CPUSet:
        """CPUs of the vCPUs that have exactly one."""
        mask = 0
        for cpus in self.pins.values():
            if len(cpus) == 1:
                mask |= cpus.mask
        return CPUSet.from_mask(mask)

    @property
    def realtime(self) -> CPUSet:
        """CPUs where its real-time vCPUs run."""
        mask = 0
        for vcpu in self.priorities:
            if vcpu in self.pins:
                mask |= self.pins[vcpu].mask
        return CPUSet.from_mask(mask)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibvirtFacts:
    """libvirt's QEMU driver.

    :ivar sockets: the names below ``/run/libvirt``; a socket there starts
        its daemon on demand.
    :ivar controllers: ``cgroup_controllers``; absent is libvirt's default,
        all of them.
    :ivar hugetlbfs_mount: as qemu.conf gives it; an empty text switches
        huge pages off.
    :ivar capabilities: the daemon's effective ones, as a mask.
    :ivar memlock_bytes: how much memory the daemon may lock; -1 is no
        limit.
    :ivar held: pCPUs that domains, running or not, have for themselves.
    """

    sockets: tuple[str, ...] | Missing = fact('/run/libvirt')
    controllers: tuple[str, ...] | Missing = fact(
        f'{_CONF} cgroup_controllers'
    )
    hugetlbfs_mount: tuple[str, ...] | Missing = fact(
        f'{_CONF} hugetlbfs_mount'
    )
    capabilities: int | Missing = fact('/proc/*/status of virtqemud')
    memlock_bytes: int | Missing = fact('/proc/*/limits of virtqemud')
    domains: tuple[RunningDomain, ...] | Missing = fact(
        '/run/libvirt/qemu/*.xml'
    )
    held: CPUSet | Missing = fact('/etc/libvirt/qemu/*.xml')

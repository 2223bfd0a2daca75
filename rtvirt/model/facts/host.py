# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: RUF009 - the defaults are frozen
"""Everything the checks know of a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Final
from typing import Self

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cgroup import CgroupFacts
from rtvirt.model.facts.cpu import CPUFacts
from rtvirt.model.facts.cpu import PowerFacts
from rtvirt.model.facts.interrupt import InterruptFacts
from rtvirt.model.facts.interrupt import NetworkFacts
from rtvirt.model.facts.kernel import KernelFacts
from rtvirt.model.facts.kernel import SchedulerFacts
from rtvirt.model.facts.kernel import WatchdogFacts
from rtvirt.model.facts.kvm import KVMFacts
from rtvirt.model.facts.libvirt import LibvirtFacts
from rtvirt.model.facts.memory import MemoryFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import fact
from rtvirt.model.facts.nova import NovaFacts
from rtvirt.model.facts.service import FirmwareFacts
from rtvirt.model.facts.service import ServiceFacts
from rtvirt.model.facts.service import TunedFacts
from rtvirt.model.facts.task import Task
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.model.plain import dump
from rtvirt.model.plain import load

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the operator says, as against what was read.

    :ivar dedicated: pCPUs meant for real-time guests; None leaves it to
        what the host's configuration says.
    :ivar realtime: inside a guest, the vCPUs of its realtime mask.
    :ivar guest: a guest that the host is to take.
    """

    dedicated: CPUSet | None = None
    realtime: CPUSet | None = None
    guest: GuestRequirement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What one pass over a host's files told.

    Every value that could not be had is a
    :class:`~rtvirt.model.facts.missing.Missing` that says why; facts made
    without arguments know nothing.

    :ivar topology: cells, cores, caches and pages, with every online pCPU
        both dedicated and shared.
    :ivar sockets: of each cell, how many sockets its pCPUs are of.
    :ivar tasks: the threads of the host, the kernel's among them.
    :ivar intent: what the operator adds; nothing reads it from a file.
    """

    kernel: KernelFacts = KernelFacts()
    scheduler: SchedulerFacts = SchedulerFacts()
    watchdog: WatchdogFacts = WatchdogFacts()
    topology: HostTopology | Missing = fact('/sys/devices/system/cpu')
    sockets: Missing | Mapping[int, int] = fact(
        '/sys/devices/system/cpu/cpu*/topology/physical_package_id'
    )
    cpu: CPUFacts = CPUFacts()
    power: PowerFacts = PowerFacts()
    memory: MemoryFacts = MemoryFacts()
    kvm: KVMFacts = KVMFacts()
    cgroup: CgroupFacts = CgroupFacts()
    interrupt: InterruptFacts = InterruptFacts()
    network: NetworkFacts = NetworkFacts()
    tasks: tuple[Task, ...] | Missing = fact('/proc/*/task/*')
    service: ServiceFacts = ServiceFacts()
    tuned: TunedFacts = TunedFacts()
    firmware: FirmwareFacts = FirmwareFacts()
    nova: NovaFacts = NovaFacts()
    libvirt: LibvirtFacts = LibvirtFacts()
    intent: Intent = Intent()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: numbers, texts, lists and dictionaries."""
        return {'schema_version': SCHEMA_VERSION, **dump(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote.

        :raises ModelError: naming the key that is missing or wrong.
        """
        return load(cls, data, schema_version=SCHEMA_VERSION)

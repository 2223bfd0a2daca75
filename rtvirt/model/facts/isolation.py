# SPDX-License-Identifier: Apache-2.0
"""Which pCPUs are isolated, and which are meant for real-time guests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cmdline import parse_boot_list
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or

_NONE: Final = CPUSet()
_FLAGS: Final = frozenset({'domain', 'managed_irq', 'nohz'})


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolcpusParameter:
    """What ``isolcpus=`` was given.

    :ivar flags: as given; without any the kernel takes ``domain``.
    :ivar cpus: empty where the list is empty or makes no sense.
    """

    flags: frozenset[str]
    cpus: CPUSet

    @property
    def stops_balancing(self) -> bool:
        """Whether the CPUs are taken out of the scheduling domains."""
        return not self.flags or 'domain' in self.flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """The isolated sets, each where somebody set one.

    :ivar boot: outside load balancing since boot.
    :ivar partitions: in an isolated cpuset partition.
    """

    boot: CPUSet
    partitions: CPUSet

    @property
    def cpus(self) -> CPUSet:
        """The CPUs outside load balancing, by either way."""
        return self.boot | self.partitions


def last_cpu(facts: HostFacts) -> int:
    """Return the highest possible CPU id; what ``N`` means at boot."""
    cpus = value_or(facts.cpu.possible, _NONE) or value_or(
        facts.cpu.present, _NONE
    )
    return max(cpus, default=0)


def boot_cpus(facts: HostFacts, name: str) -> CPUSet | None:
    """Return the CPUs that a boot parameter lists, None where not given.

    A list that makes no sense is the empty set, as it is to the kernel.
    """
    if isinstance(facts.kernel.cmdline, Missing):
        return None
    text = facts.kernel.cmdline.value(name)
    if text is None:
        return None
    return _parse_list(text, last_cpu(facts))


def isolcpus(facts: HostFacts) -> IsolcpusParameter | None:
    """Return what ``isolcpus=`` was given, None where it was not."""
    if isinstance(facts.kernel.cmdline, Missing):
        return None
    text = facts.kernel.cmdline.value('isolcpus')
    if text is None:
        return None
    items = text.split(',')
    flags = []
    while items and items[0] in _FLAGS:
        flags.append(items.pop(0))
    return IsolcpusParameter(
        flags=frozenset(flags),
        cpus=_parse_list(','.join(items), last_cpu(facts)),
    )


def _parse_list(text: str, last: int) -> CPUSet:
    try:
        return parse_boot_list(text, last)
    except ValueError:
        return _NONE


def find_isolation(facts: HostFacts) -> Isolation:
    """Find the CPUs outside load balancing."""
    boot = facts.cpu.isolated
    if isinstance(boot, Missing):
        given = isolcpus(facts)
        boot = given.cpus if given and given.stops_balancing else _NONE
    mask = value_or(facts.cgroup.isolated, _NONE).mask
    for partition in value_or(facts.cgroup.partitions, ()):
        if partition.is_isolated:
            mask |= partition.cpus.mask
    return Isolation(boot=boot, partitions=CPUSet.from_mask(mask))


def realtime_cpus(facts: HostFacts) -> CPUSet:
    """Return the pCPUs meant for real-time guests; in a guest, its vCPUs.

    What the operator says comes first, then nova's ``cpu_dedicated_set``,
    what is isolated, what tuned is told to isolate, and at last where
    real-time vCPUs run now.
    """
    intent = facts.intent
    if intent.realtime is not None:
        return intent.realtime
    if intent.dedicated is not None:
        return intent.dedicated
    for cpus in (
        value_or(facts.nova.dedicated, _NONE),
        find_isolation(facts).cpus,
        value_or(facts.tuned.isolated, _NONE),
    ):
        if cpus:
            return cpus
    mask = 0
    for domain in value_or(facts.libvirt.domains, ()):
        mask |= domain.realtime.mask
    return CPUSet.from_mask(mask)


def housekeeping_cpus(facts: HostFacts) -> CPUSet:
    """Return the online pCPUs that are not meant for real-time guests."""
    return value_or(facts.cpu.online, _NONE) - realtime_cpus(facts)


def unpinned_cpus(facts: HostFacts) -> CPUSet:
    """Return where libvirt lets a thread run that no pin holds.

    All online pCPUs but those isolated at boot
    (``qemuProcessGetAllCpuAffinity``).
    """
    return value_or(facts.cpu.online, _NONE) - find_isolation(facts).boot

# SPDX-License-Identifier: Apache-2.0
"""Control groups: controllers, CPU sets and real-time runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One cpuset partition (cgroup v2).

    :ivar state: ``root`` or ``isolated``, with ``invalid`` and the kernel's
        reason behind it where it does not hold.
    :ivar cpus: the CPUs it has, exclusively where it holds.
    """

    path: str
    state: str
    cpus: CPUSet

    @property
    def is_isolated(self) -> bool:
        """Whether its CPUs really are outside load balancing."""
        return self.state == 'isolated'

    @property
    def is_invalid(self) -> bool:
        """Whether the kernel refused what was asked for."""
        return ' invalid' in self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class CgroupFacts:
    """How control groups are set up.

    :ivar version: 2 where the cpu controller is, or would be, in the one
        hierarchy; 1 where it has a hierarchy of its own.
    :ivar controllers: those enabled in the kernel.
    :ivar delegated: of cgroup v2, those that groups below the root have.
    :ivar rt_runtime_us: ``cpu.rt_runtime_us`` of the root and of the groups
        above guests, by path below the cpu hierarchy; absent where the
        kernel has no such file.
    :ivar partitions: groups that asked to be a cpuset partition.
    :ivar isolated: the CPUs of all isolated partitions, by the kernel's
        own count.
    :ivar machine_cpus: CPUs of the groups above guests, by path.
    """

    version: int | Missing = fact('/proc/mounts')
    controllers: tuple[str, ...] | Missing = fact(
        '/sys/fs/cgroup/cgroup.controllers'
    )
    delegated: tuple[str, ...] | Missing = fact(
        '/sys/fs/cgroup/cgroup.subtree_control'
    )
    rt_runtime_us: Missing | Mapping[str, int] = fact(
        '/sys/fs/cgroup/cpu/machine*/cpu.rt_runtime_us'
    )
    partitions: tuple[Partition, ...] | Missing = fact(
        '/sys/fs/cgroup/*/cpuset.cpus.partition'
    )
    isolated: CPUSet | Missing = fact('/sys/fs/cgroup/cpuset.cpus.isolated')
    machine_cpus: Missing | Mapping[str, CPUSet] = fact(
        '/sys/fs/cgroup/machine.slice/cpuset.cpus.effective'
    )

# SPDX-License-Identifier: Apache-2.0
"""What a host shows of a running domain."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Final
from typing import Self

from rtvirt.model.check import require
from rtvirt.model.check import require_int
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import fact
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.plain import dump
from rtvirt.model.plain import load
from rtvirt.model.resctrl import CacheAllocation

SCHEMA_VERSION: Final = 1


class ThreadRole(enum.StrEnum):
    """What a thread of QEMU is there for, as its name tells."""

    VCPU = 'vcpu'
    IOTHREAD = 'iothread'
    """An I/O thread that the domain defines."""
    EMULATOR = 'emulator'
    """The main loop, and whatever has no name of its own (RCU)."""
    MONITOR = 'monitor'
    """The I/O thread of QMP."""
    WORKER = 'worker'
    """The pool that does blocking work, spawned and ended as needed."""
    VHOST = 'vhost'
    """The kernel's half of a virtio device."""
    PREALLOC = 'prealloc'
    """Touches guest memory before the vCPUs run; idle from then on. Its
    pCPUs follow the memory's node, not the emulator's."""


class ThreadSource(enum.StrEnum):
    """Who told which thread runs which vCPU."""

    QMP = 'qmp'
    """QEMU, asked while it was observed (``query-cpus-fast``)."""
    LIBVIRT = 'libvirt'
    """libvirt, which asked QEMU when it plugged the vCPU in."""
    NAME = 'name'
    """The name that QEMU gave the thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduling:
    """Where a thread may run, and under which policy.

    :ivar cpus: the pCPUs it is allowed to run on.
    :ivar policy: ``fifo``, ``rr``, ``other``, ``batch``, ``idle``,
        ``deadline`` or ``ext``; ``policy-N`` for one yet unknown.
    :ivar priority: 1 to 99 under ``fifo`` and ``rr``, else 0.
    """

    cpus: CPUSet
    policy: str = 'other'
    priority: int = 0

    def __post_init__(self) -> None:
        require_int('priority', self.priority, 0)
        require(bool(self.policy), 'a scheduling policy has no name')


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedThread:
    """One thread of a domain.

    :ivar name: what the kernel calls it, at most 15 characters.
    :ivar number: of a vCPU from 0, of an I/O thread from 1; else None.
    :ivar last_cpu: the pCPU it ran on last.
    :ivar involuntary_switches: how often it was made to leave a pCPU that
        it had work for, since it started.
    :ivar cgroup: the control group that limits its pCPUs, from the root of
        its hierarchy.
    :ivar cgroup_cpus: the pCPUs that group allows.
    :ivar resctrl: the group of cache and memory bandwidth that it is in;
        empty is the host's own.
    """

    tid: int
    name: str
    role: ThreadRole
    number: int | None = None
    scheduling: Scheduling
    last_cpu: int
    involuntary_switches: int | Missing = fact('/proc/PID/task/TID/status')
    cgroup: str | Missing = fact('/proc/PID/task/TID/cgroup')
    cgroup_cpus: CPUSet | Missing = fact('/proc/PID/task/TID/cgroup')
    resctrl: str | Missing = fact('/sys/fs/resctrl/*/tasks')

    def __post_init__(self) -> None:
        require_int('tid', self.tid, 1)
        require_int('last_cpu', self.last_cpu, 0)
        if self.number is not None:
            require_int('number', self.number, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedPages:
    """Pages of one size that lie on one host node.

    :ivar policy: how the kernel chose the node, as ``numa_maps`` says it:
        ``bind:1``, ``prefer:0``; ``default`` is the node of the thread that
        touched them first.
    """

    node: int
    size_kib: int
    count: int
    policy: str = 'default'

    def __post_init__(self) -> None:
        require_int('node', self.node, 0)
        require_int('size_kib', self.size_kib, 1)
        require_int('count', self.count, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedMemory:
    """The memory of a domain's process.

    :ivar huge: its huge pages, by node, size and policy; QEMU has none but
        the guest's memory.
    :ivar ordinary: its other pages; the guest's are among them.
    :ivar hugetlb_kib: all of its huge pages together, which the kernel
        tells everybody.
    :ivar locked_kib: memory that cannot be swapped out.
    :ivar resident_kib: memory in RAM, huge pages aside.
    """

    huge: tuple[ObservedPages, ...] | Missing
    ordinary: tuple[ObservedPages, ...] | Missing = fact('/proc/PID/numa_maps')
    hugetlb_kib: int | Missing = fact('/proc/PID/status')
    locked_kib: int
    resident_kib: int

    def __post_init__(self) -> None:
        require_int('locked_kib', self.locked_kib, 0)
        require_int('resident_kib', self.resident_kib, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResctrlGroup:
    """What the members of one group have of caches and bandwidth.

    :ivar name: of its directory; empty is the host's own.
    :ivar caches: whole steps of each cache.
    :ivar bandwidth: percent of each node's memory bandwidth.
    """

    name: str
    caches: tuple[CacheAllocation, ...] = ()
    bandwidth: Mapping[int, int] = FrozenDict()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """A thread that is not the domain's and may run on its pCPUs.

    :ivar process: the name of its process's first thread.
    :ivar guest: the name of the domain that it works for; empty where it
        works for none.
    :ivar role: of a thread that works for a domain.
    """

    pid: int
    tid: int
    name: str
    process: str
    guest: str = ''
    role: ThreadRole | None = None
    scheduling: Scheduling

    def __post_init__(self) -> None:
        require_int('pid', self.pid, 1)
        require_int('tid', self.tid, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedDomain:
    """A running domain as its host shows it.

    What could not be read is a
    :class:`~rtvirt.model.facts.missing.Missing` that says why.

    :ivar uuid: what tells its process from others.
    :ivar threads: vCPUs first, then the others, each kind by number.
    :ivar source: who told which thread runs which vCPU.
    :ivar resctrl: the groups that its threads are in.
    :ivar strangers: the threads of others on the pCPUs of its pinned vCPUs
        (:mod:`rtvirt.host.stranger`); absent where nobody looked.
    :ivar persistent: the document that it starts from the next time; absent
        where it is transient.
    """

    uuid: str
    pid: int
    threads: tuple[ObservedThread, ...]
    source: ThreadSource = ThreadSource.NAME
    memory: ObservedMemory | Missing = fact('/proc/PID/status')
    resctrl: tuple[ResctrlGroup, ...] | Missing = fact('/sys/fs/resctrl')
    strangers: tuple[Stranger, ...] | Missing = fact('/proc/*/task/*')
    persistent: str | Missing = fact('the persistent document')

    def __post_init__(self) -> None:
        require_int('pid', self.pid, 1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: numbers, texts, lists and dictionaries."""
        return {'schema_version': SCHEMA_VERSION, **dump(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote.

        :raises ModelError: naming the key that is missing or wrong.
        """
        return load(cls, data, schema_version=SCHEMA_VERSION)

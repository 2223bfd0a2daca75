# SPDX-License-Identifier: Apache-2.0
"""What the kernel shows of a running domain."""

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
from rtvirt.model.plain import dump
from rtvirt.model.plain import load

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
    """

    tid: int
    name: str
    role: ThreadRole
    number: int | None = None
    scheduling: Scheduling
    last_cpu: int

    def __post_init__(self) -> None:
        require_int('tid', self.tid, 1)
        require_int('last_cpu', self.last_cpu, 0)
        if self.number is not None:
            require_int('number', self.number, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedPages:
    """Pages of one size that lie on one host node."""

    node: int
    size_kib: int
    count: int

    def __post_init__(self) -> None:
        require_int('node', self.node, 0)
        require_int('size_kib', self.size_kib, 1)
        require_int('count', self.count, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedMemory:
    """The memory of a domain's process.

    :ivar huge: its huge pages, by node and size; QEMU has none but the
        guest's memory.  None where the kernel does not tell.
    :ivar locked_kib: memory that cannot be swapped out.
    :ivar resident_kib: memory in RAM, huge pages aside.
    """

    huge: tuple[ObservedPages, ...] | None
    locked_kib: int
    resident_kib: int

    def __post_init__(self) -> None:
        require_int('locked_kib', self.locked_kib, 0)
        require_int('resident_kib', self.resident_kib, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedDomain:
    """A running domain as the kernel shows it.

    :ivar uuid: what tells its process from others.
    :ivar threads: vCPUs first, then the others, each kind by number.
    :ivar memory: None where it may not be read.
    """

    uuid: str
    pid: int
    threads: tuple[ObservedThread, ...]
    memory: ObservedMemory | None = None

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

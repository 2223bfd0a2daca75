# SPDX-License-Identifier: Apache-2.0
"""Threads: who may run where, and under which policy."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Final

from rtvirt.model.cpuset import CPUSet


class Policy(enum.IntEnum):
    """Scheduling policies, numbered as in ``<linux/sched.h>``."""

    OTHER = 0
    FIFO = 1
    RR = 2
    BATCH = 3
    IDLE = 5
    DEADLINE = 6
    EXT = 7


_GUEST: Final = re.compile(r'vhost-\d+|kvm-|CPU \d+/(KVM|TCG)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thread.

    :ivar pid: its process.
    :ivar process: the name of its process's first thread.
    :ivar kernel: whether it is a thread of the kernel.
    :ivar bound: whether nobody may change its affinity.
    :ivar policy: a number of :class:`Policy`, or one yet unknown.
    :ivar priority: 1 to 99 of a real-time thread, else 0.
    :ivar allowed: the CPUs it may run on.
    :ivar last: the CPU it ran on last.
    """

    pid: int
    tid: int
    name: str
    process: str
    kernel: bool = False
    bound: bool = False
    policy: int = 0
    priority: int = 0
    allowed: CPUSet
    last: int = 0

    @property
    def is_guest(self) -> bool:
        """Whether it is a thread of QEMU or works for one (vhost)."""
        return self.process.startswith('qemu') or bool(_GUEST.match(self.name))

    @property
    def is_realtime(self) -> bool:
        """Whether it is under SCHED_FIFO or SCHED_RR."""
        return self.policy in (Policy.FIFO, Policy.RR)

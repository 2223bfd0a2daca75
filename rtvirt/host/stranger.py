# SPDX-License-Identifier: Apache-2.0
"""Threads of others on the pCPUs of a domain.

Who counts: every thread of another domain, and each thread of a user that
was put there: one with an affinity of its own, or under a real-time policy.
A thread that nobody pinned has the affinity of process 1. Where that takes
in the pCPUs of guests the host is not isolated, which is a defect of the host
and told by its check RT-C12, not of each domain and of each thread on it.

So are the kernel's threads, but for those of vhost, which work for a domain:
per-CPU ones belong there, interrupt threads follow their interrupts, and the
rest is where the host was told to keep it.
"""

from __future__ import annotations

from collections.abc import Container
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rtvirt.host.qemu import Guest
from rtvirt.host.qemu import classify
from rtvirt.host.qemu import policy_name
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.task import Task
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import Stranger
from rtvirt.model.observed import ThreadRole

_INIT: Final = 1
_REALTIME: Final = frozenset({'fifo', 'rr', 'deadline'})


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """All threads of a host, and the domains that they work for.

    :ivar names: of the domain of each process that is one's.
    :ivar starting: the processes of domains that are just being started:
        libvirt has not pinned their threads yet.
    """

    tasks: tuple[Task, ...] | Missing
    names: Mapping[int, str]
    starting: frozenset[int] = frozenset()

    @property
    def _usual_cpus(self) -> CPUSet:
        """The affinity of whoever was not given one."""
        tasks = () if isinstance(self.tasks, Missing) else self.tasks
        return next((t.allowed for t in tasks if t.tid == _INIT), CPUSet())

    def find_strangers(
        self, guest: Guest, cpus: CPUSet
    ) -> tuple[Stranger, ...] | Missing:
        """Return the threads of others that may run on a domain's pCPUs."""
        if isinstance(self.tasks, Missing):
            return self.tasks
        own = {guest.pid, *guest.vhost, *self.starting}
        return tuple(
            _to_stranger(task, self.names.get(task.pid, ''))
            for task in self._put_there(self.tasks, cpus)
            if task.pid not in own
        )

    def _put_there(
        self, tasks: Iterable[Task], cpus: CPUSet
    ) -> Iterator[Task]:
        usual = self._usual_cpus
        for task in tasks:
            if not task.allowed & cpus:
                continue
            if task.pid in self.names:
                # It only touches memory, before its guest starts.
                if classify(task.name)[0] is not ThreadRole.PREALLOC:
                    yield task
            elif not task.kernel and (
                task.allowed != usual or policy_name(task) in _REALTIME
            ):
                yield task


def find_neighbours(
    tasks: tuple[Task, ...] | Missing,
    guests: Iterable[Guest],
    *,
    settled: Container[str] | None = None,
) -> Neighbours:
    """Return all threads with the domains they work for.

    :param settled: the UUIDs of the domains that are not being started;
        None means all.
    """
    names: dict[int, str] = {}
    starting: set[int] = set()
    for guest in guests:
        pids = (guest.pid, *guest.vhost)
        names |= dict.fromkeys(pids, guest.name or guest.uuid)
        if settled is not None and guest.uuid not in settled:
            starting |= {*pids}
    return Neighbours(tasks=tasks, names=names, starting=frozenset(starting))


def _to_stranger(task: Task, guest: str) -> Stranger:
    return Stranger(
        pid=task.pid,
        tid=task.tid,
        name=task.name,
        process=task.process,
        guest=guest,
        role=classify(task.name)[0] if guest else None,
        scheduling=Scheduling(
            cpus=task.allowed,
            policy=policy_name(task),
            priority=task.priority,
        ),
    )

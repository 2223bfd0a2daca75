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


class Neighbours:
    """All threads of a host that are strangers where a guest is.

    :param tasks: the threads of the host.
    :param guests: the domains that some of them work for.
    :param settled: the UUIDs of the domains that are not just being started:
        of the others libvirt has not pinned the threads yet. None means all.
    """

    def __init__(
        self,
        tasks: tuple[Task, ...] | Missing,
        guests: Iterable[Guest],
        *,
        settled: Container[str] | None = None,
    ) -> None:
        names: dict[int, str] = {}
        starting: set[int] = set()
        for guest in guests:
            pids = (guest.pid, *guest.vhost)
            names |= dict.fromkeys(pids, guest.name or guest.uuid)
            if settled is not None and guest.uuid not in settled:
                starting |= {*pids}
        # Once for all domains: most of them ask for the same few.
        self._strangers: tuple[Stranger, ...] | Missing = (
            tasks
            if isinstance(tasks, Missing)
            else tuple(
                _to_stranger(task, names.get(task.pid, ''))
                for task in _put_somewhere(tasks, names)
                if task.pid not in starting
            )
        )

    def find_strangers(
        self, guest: Guest, cpus: CPUSet
    ) -> tuple[Stranger, ...] | Missing:
        """Return the threads of others that may run on a domain's pCPUs."""
        if isinstance(self._strangers, Missing):
            return self._strangers
        own = {guest.pid, *guest.vhost}
        mask = cpus.mask
        return tuple(
            stranger
            for stranger in self._strangers
            if stranger.scheduling.cpus.mask & mask and stranger.pid not in own
        )


def _put_somewhere(
    tasks: Iterable[Task], names: Mapping[int, str]
) -> Iterator[Task]:
    """Yield who works for a domain, or was put where it is."""
    tasks = tuple(tasks)
    usual = next((t.allowed for t in tasks if t.tid == _INIT), CPUSet())
    for task in tasks:
        if task.pid in names:
            # It only touches memory, before its guest starts.
            if classify(task.name)[0] is not ThreadRole.PREALLOC:
                yield task
        elif not task.kernel and (
            task.allowed != usual or policy_name(task) in _REALTIME
        ):
            yield task


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

# SPDX-License-Identifier: Apache-2.0
"""How many I/O threads there are."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

from rtvirt.libvirtxml.cputune import IOThreadSched
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.plan import Plan


class IOThreadsConfigurator:
    """Sets the number of I/O threads, numbered from 1.

    Ids and schedulers of others are taken out: an id that somebody chose
    takes the place of one of the plan's, and libvirt refuses the scheduler
    of a thread that is not there.
    """

    owns = frozenset({'iothreads', 'iothreadids', 'cputune/iothreadsched'})

    def configure(self, plan: Plan, domain: Domain) -> None:
        count = plan.guest.iothreads
        domain.iothreads = count or None
        ids = domain.iothreadids
        if max(ids, default=0) > count:
            domain.iothreadids = FrozenDict(
                {key: ids[key] for key in ids if key <= count}
            )
        scheds = domain.cputune.iothreadscheds
        if any(max(sched.cpus) > count for sched in scheds):
            domain.cputune = domain.cputune.but(
                iothreadscheds=tuple(_limit(scheds, count))
            )


def _limit(
    scheds: Iterable[IOThreadSched], count: int
) -> Iterator[IOThreadSched]:
    """Return what the entries say of the threads from 1 to ``count``."""
    there = CPUSet(range(1, count + 1))
    for sched in scheds:
        if left := sched.cpus & there:
            yield sched.but(cpus=left)

# SPDX-License-Identifier: Apache-2.0
"""How many I/O threads there are."""

from __future__ import annotations

from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.plan import Plan


class IOThreadsConfigurator:
    """Sets the number of I/O threads, numbered from 1."""

    owns = frozenset({'iothreads', 'iothreadids'})

    def configure(self, plan: Plan, domain: Domain) -> None:
        count = plan.guest.iothreads
        domain.iothreads = count or None
        # What others numbered otherwise would take one of the numbers away.
        ids = domain.iothreadids
        if max(ids, default=0) > count:
            domain.iothreadids = FrozenDict(
                {key: ids[key] for key in ids if key <= count}
            )

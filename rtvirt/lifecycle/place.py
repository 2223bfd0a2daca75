# SPDX-License-Identifier: Apache-2.0
"""Place a guest beside everybody who is on a host already."""

from __future__ import annotations

import time
from typing import Any
from typing import Final

from rtvirt.conf.settings import Settings
from rtvirt.exception import FitError
from rtvirt.fitting.engine import fit
from rtvirt.host.live import Survey
from rtvirt.host.live import survey
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.holder import Holder
from rtvirt.model.host import HostTopology
from rtvirt.model.pages import ORDINARY_KIB
from rtvirt.model.pages import format_kib
from rtvirt.model.partition import partition
from rtvirt.model.plan import Plan

_GLANCE_S: Final = 0.2
_MAX_HOLDERS: Final = 8


def place(
    connection: Any,
    guest: GuestRequirement,
    settings: Settings,
    *,
    pinned: CPUSet = CPUSet(),
    without: str = '',
) -> Plan:
    """Place a guest on the host behind a connection.

    While a domain starts, some of its pages count twice: that a guest does
    not fit is said only when nobody is starting.

    :param settings: how the host's pCPUs and pages are dealt out.
    :param pinned: dedicated pCPUs that are taken, beside what libvirt says.
    :param without: name of a domain that counts as if it were not there.
    :raises FitError: if it does not fit; its hint names who holds what.
    """
    deadline = time.monotonic() + settings.lock_timeout
    while True:
        seen = survey(connection, without=without)
        host = dealt(seen, settings, pinned)
        try:
            return fit(
                guest,
                host,
                limits=settings.limits,
                strategy=settings.strategy,
                smt_isolate=settings.smt_isolate,
            )
        except FitError as error:
            if not seen.starting or time.monotonic() > deadline:
                error.hint = _name_holders(host) or error.hint
                raise
        time.sleep(_GLANCE_S)


def dealt(
    seen: Survey, settings: Settings, pinned: CPUSet = CPUSet()
) -> HostTopology:
    """Return a host with its pCPUs and pages dealt out.

    :raises ConfigError: if the settings name what is not there.
    """
    return partition(
        seen.host,
        dedicated=settings.cpu_dedicated_set,
        shared=settings.cpu_shared_set,
        pinned=pinned,
        reserved=settings.reserved_huge_pages,
    )


def _name_holders(host: HostTopology) -> str:
    """Return who holds dedicated pCPUs and huge pages, in a line."""
    dedicated = CPUSet(cpu for cell in host.cells for cpu in cell.dedicated)
    known = [(h.name, _holds(h, dedicated)) for h in host.holders]
    told = [f'{name} holds {what}' for name, what in known if what]
    if not told:
        return ''
    more = len(told) - _MAX_HOLDERS
    rest = [f'{more} more hold something'] if more > 0 else []
    return '; '.join(told[:_MAX_HOLDERS] + rest) + (
        '; "rtvirt explain" tells what would make room'
    )


def _holds(holder: Holder, dedicated: CPUSet) -> str:
    cpus = CPUSet(cpu for one in holder.holdings for cpu in one.cpus)
    cpus &= dedicated
    parts = [f'pCPU{"s" if len(cpus) > 1 else ""} {cpus}'] if cpus else []
    parts += [
        f'{one.pages} x {format_kib(one.page_size_kib)} of cell '
        f'{one.host_cell}'
        for one in holder.holdings
        if one.page_size_kib > ORDINARY_KIB and one.pages
    ]
    return ' and '.join(parts)

# SPDX-License-Identifier: Apache-2.0
"""A host as its libvirt tells it, and what its domains hold already."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

from rtvirt.exception import DomainXMLError
from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.connection import translated
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.model.pages import PagePool

LOG = logging.getLogger(__name__)


def read_live(uri: str) -> HostTopology:
    """Read a host from a libvirt connection.

    Every pCPU is both dedicated and shared. Taken are the pCPUs that
    domains, running or not, have for themselves; used are the huge pages
    that are not free.

    :raises HostError: if libvirt does not answer.
    """
    with connect(uri) as connection:
        with translated(f'cannot read the host behind {uri}'):
            name = connection.getHostname()
            capabilities = connection.getCapabilities()
        host = HostTopology.from_capabilities(capabilities)
        held = read_held(connection)
        return dataclasses.replace(
            host,
            name=name,
            cells=tuple(
                dataclasses.replace(
                    cell,
                    pinned=cell.dedicated & held,
                    pages=_count_used(cell, _read_free(connection, cell)),
                )
                for cell in host.cells
            ),
        )


def read_held(connection: Any) -> CPUSet:
    """Return the pCPUs that the domains on a connection hold."""
    with translated('cannot list the domains'):
        domains = connection.listAllDomains()
    held = CPUSet()
    for domain in domains:
        try:
            with translated(f'cannot read domain {domain.name()}'):
                text = domain.XMLDesc()
        except HostError as error:
            # One that was undefined meanwhile holds nothing.
            LOG.warning('%s; it is left out', error)
        else:
            held |= held_by(parse_domain(text))
    return held


def held_by(domain: Domain) -> CPUSet:
    """Return the pCPUs that a domain has for itself.

    Those of its plan, where rtvirt made it; else each pCPU that is the
    only one of a vCPU, for that is how a dedicated vCPU is pinned.
    """
    held = CPUSet()
    for cpus in domain.cputune.vcpupins.values():
        if len(cpus) == 1:
            held |= cpus
    try:
        plan = plan_of(domain)
    except DomainXMLError as error:
        LOG.warning('%s', error)
    else:
        held |= plan.claimed if plan else CPUSet()
    return held


def _read_free(connection: Any, cell: HostCell) -> dict[int, int]:
    """Return the free pages of a cell by size; none where libvirt cannot.

    The smallest are left out: most of what fills ordinary pages (the page
    cache) gives way to a guest.
    """
    sizes = [pool.size_kib for pool in cell.pages[1:]]
    if not sizes:
        return {}
    try:
        with translated(f'the free pages of host cell {cell.id}'):
            free = connection.getFreePages(sizes, cell.id, 1)
    except HostError as error:
        LOG.warning('%s; all of them count as free', error)
        return {}
    found: dict[int, int] = free.get(cell.id, {})
    return found


def _count_used(cell: HostCell, free: dict[int, int]) -> tuple[PagePool, ...]:
    return tuple(
        dataclasses.replace(
            pool,
            used=max(0, pool.total - free.get(pool.size_kib, pool.total)),
        )
        for pool in cell.pages
    )

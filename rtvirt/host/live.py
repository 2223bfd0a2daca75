# SPDX-License-Identifier: Apache-2.0
"""A host as its libvirt tells it, and what its domains hold already."""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Final

from rtvirt.exception import DomainXMLError
from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.connection import translated
from rtvirt.host.holding import held_by
from rtvirt.host.holding import holder_of
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.holder import Holder
from rtvirt.model.holder import Holding
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.model.pages import PagePool

LOG = logging.getLogger(__name__)

# libvirt's VIR_DOMAIN_XML_INACTIVE, VIR_DOMAIN_PAUSED and
# VIR_DOMAIN_PAUSED_STARTING_UP.
_INACTIVE: Final = 2
STARTING: Final = (3, 11)
"""The state and its reason of a domain that is about to run."""

Place = tuple[int, int]
"""A host cell and a size of pages in KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A domain that libvirt knows, and what it holds.

    :ivar domain: its document: of a running one, as it runs.
    :ivar holder: what it holds by its document; by that of the next start
        too, where it runs and is kept.
    :ivar is_active: whether it runs.
    :ivar is_starting: whether it is about to: the kernel counts only some
        of its pages as used.
    """

    domain: Domain
    holder: Holder
    is_active: bool
    is_starting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A host, and the domains of which it says what is taken.

    :ivar host: every pCPU is both dedicated and shared.
    """

    host: HostTopology
    tenants: tuple[Tenant, ...]

    @property
    def starting(self) -> tuple[str, ...]:
        """Who is about to start, and has its pages counted twice."""
        return tuple(t.domain.name for t in self.tenants if t.is_starting)


def read_live(uri: str) -> HostTopology:
    """Read a host from a libvirt connection.

    Every pCPU is both dedicated and shared. What domains hold is taken,
    whether they run or not and whoever made them.

    :raises HostError: if libvirt does not answer.
    """
    with connect(uri) as connection:
        return survey(connection).host


def read_live_domains(uri: str) -> tuple[Domain, ...]:
    """Read the documents of all domains on a libvirt connection, by name.

    :raises HostError: if libvirt does not answer.
    """
    with connect(uri) as connection:
        tenants = survey(connection).tenants
    return tuple(sorted((t.domain for t in tenants), key=lambda d: d.name))


def survey(connection: Any, *, without: str = '') -> Survey:
    """Read a host and everybody on it.

    :param connection: to libvirt; it may be read-only.
    :param without: name of a domain that counts as if it were not there.
    :raises HostError: if libvirt does not answer.
    """
    with translated('cannot read the host'):
        name = connection.getHostname()
        capabilities = connection.getCapabilities()
    bare = HostTopology.from_capabilities(capabilities)
    tenants = tuple(_read_tenants(connection, bare, without))
    free = {
        (cell.id, size): count
        for cell in bare.cells
        for size, count in _read_free(connection, cell).items()
    }
    return Survey(
        host=_occupied(bare, name, tenants, free),
        tenants=tenants,
    )


def _read_tenants(
    connection: Any, host: HostTopology, without: str
) -> Iterator[Tenant]:
    with translated('cannot list the domains'):
        domains = connection.listAllDomains()
    for domain in domains:
        if domain.name() == without:
            continue
        try:
            tenant = _read_tenant(domain, host)
        except HostError as error:
            # One that was undefined meanwhile holds nothing.
            LOG.warning('%s; it is left out', error)
        else:
            yield tenant


def _read_tenant(domain: Any, host: HostTopology) -> Tenant:
    with translated(f'cannot read domain {domain.name()!r:.80}'):
        is_active = bool(domain.isActive())
        state = tuple(domain.state())
        text = domain.XMLDesc()
        later = (
            domain.XMLDesc(_INACTIVE)
            if is_active and domain.isPersistent()
            else None
        )
    parsed = _parse(text)
    holder = holder_of(parsed, host)
    if later is not None:
        cells = [cell.cpus for cell in host.cells]
        holder = _with_cpus(holder, host, held_by(_parse(later), cells))
    return Tenant(
        domain=parsed,
        holder=holder,
        is_active=is_active,
        is_starting=is_active and state == STARTING,
    )


def _parse(text: str) -> Domain:
    """Read what libvirt wrote.

    :raises DomainXMLError: unknown is what such a domain holds: to go on
        would be to guess.
    """
    try:
        return parse_domain(text)
    except DomainXMLError as error:
        raise DomainXMLError(
            f'what a domain holds cannot be told: {error}', hint=error.hint
        ) from error


def _with_cpus(holder: Holder, host: HostTopology, cpus: CPUSet) -> Holder:
    """Return the holder with pCPUs that it will have at its next start."""
    holdings = list(holder.holdings)
    for cell in host.cells:
        known = CPUSet()
        for holding in holder.holdings:
            if holding.host_cell == cell.id:
                known |= holding.cpus
        if more := (cpus & cell.cpus) - known:
            holdings.append(Holding(host_cell=cell.id, cpus=more))
    return Holder(name=holder.name, holdings=tuple(holdings))


def _occupied(
    bare: HostTopology,
    name: str,
    tenants: Iterable[Tenant],
    free: Mapping[Place, int],
) -> HostTopology:
    """Return the host with all of them on it."""
    here: dict[int, list[tuple[Tenant, Holding]]] = {}
    for tenant in tenants:
        for holding in tenant.holder.holdings:
            here.setdefault(holding.host_cell, []).append((tenant, holding))
    host = dataclasses.replace(
        bare,
        name=name,
        cells=tuple(
            _occupied_cell(cell, here.get(cell.id, ()), free)
            for cell in bare.cells
        ),
        holders=tuple(t.holder for t in tenants if t.holder.holdings),
    )
    return _controlled(host, [tenant.domain for tenant in tenants])


def _occupied_cell(
    cell: HostCell,
    holdings: Iterable[tuple[Tenant, Holding]],
    free: Mapping[Place, int],
) -> HostCell:
    cpus = CPUSet()
    shared = memory_mib = 0
    running: Counter[int] = Counter()
    waiting: Counter[int] = Counter()
    for tenant, holding in holdings:
        cpus |= holding.cpus
        shared += holding.shared_vcpus
        memory_mib += holding.memory_mib
        is_counted = tenant.is_active and not tenant.is_starting
        pages = running if is_counted else waiting
        pages[holding.page_size_kib] += holding.pages
    return dataclasses.replace(
        cell,
        pinned=cell.dedicated & cpus,
        shared_usage=shared,
        memory_used_mib=memory_mib,
        pages=tuple(
            _used_pool(
                pool,
                running[pool.size_kib],
                waiting[pool.size_kib],
                free.get((cell.id, pool.size_kib), pool.total),
            )
            for pool in cell.pages
        ),
    )


def _used_pool(
    pool: PagePool, running: int, waiting: int, free: int
) -> PagePool:
    """Return the pool with what is used of it.

    The kernel counts what running domains use, and everybody else; it knows
    nothing of those that are defined only.
    """
    seen = max(0, pool.total - free)
    return dataclasses.replace(pool, used=max(seen, running) + waiting)


def _controlled(host: HostTopology, domains: Iterable[Domain]) -> HostTopology:
    """Return the host with the caches and bandwidth of domains taken.

    libvirt makes one resctrl group for each set of vCPUs.
    """
    caches: Counter[Place] = Counter()
    percents: Counter[int] = Counter()
    groups = 0
    for domain in domains:
        tune = domain.cputune
        sets = {cache.vcpus for cache in tune.cachetunes}
        groups += len(sets | {memory.vcpus for memory in tune.memorytunes})
        for cache in tune.cachetunes:
            for part in cache.caches:
                caches[part.level, part.id] += part.size_kib
        for memory in tune.memorytunes:
            for node in memory.nodes:
                percents[node.id] += node.bandwidth
    if not groups:
        return host
    return dataclasses.replace(
        host,
        control_groups=groups,
        caches=tuple(
            dataclasses.replace(bank, used_kib=caches[bank.level, bank.id])
            for bank in host.caches
        ),
        bandwidths=tuple(
            dataclasses.replace(node, used=min(100, percents[node.id]))
            for node in host.bandwidths
        ),
    )


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
        LOG.info('%s; only what domains hold counts as used', error)
        return {}
    found: dict[int, int] = free.get(cell.id, {})
    return found

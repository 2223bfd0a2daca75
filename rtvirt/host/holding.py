# SPDX-License-Identifier: Apache-2.0
"""What a domain holds of a host, by its document, whoever made it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Final

from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.holder import Holder
from rtvirt.model.holder import Holding
from rtvirt.model.host import HostTopology
from rtvirt.model.observed import ThreadRole
from rtvirt.model.pages import ORDINARY_KIB
from rtvirt.model.plan import Plan
from rtvirt.verifiers.wanted import backing_of_domain
from rtvirt.verifiers.wanted import threads_of_domain

LOG = logging.getLogger(__name__)

Place = tuple[int, int]
"""A host cell and a size of pages in KiB."""

_DEFAULT_HUGE_KIB: Final = 2048


def held_by(domain: Domain, cells: Iterable[CPUSet] = ()) -> CPUSet:
    """Return the pCPUs that a domain has for itself.

    Those of its plan, where rtvirt made it, and each pCPU that one of its
    threads is confined to: a real-time vCPU would not be alone there. A
    thread that may use all of a cell floats over it and holds nothing, nor
    does one that nobody pinned.

    :param cells: the pCPUs of each host cell. Where they are not known, a
        thread that has several pCPUs is taken to float.
    """
    every = [cpus for cpus in cells if cpus]
    held = CPUSet()
    for cpus in _allowed(domain):
        if len(cpus) == 1 or (every and not _floats(cpus, every)):
            held |= cpus
    plan = _plan_of(domain)
    return held | plan.claimed if plan else held


def holder_of(domain: Domain, host: HostTopology) -> Holder:
    """Return what a domain holds of each host cell."""
    held = held_by(domain, [cell.cpus for cell in host.cells])
    pages = _pages_of(domain, host)
    floating = _floating_of(domain, host)
    holdings = []
    for cell in host.cells:
        cpus = held & cell.cpus
        shared = floating.get(cell.id, 0)
        sizes = [size for here, size in sorted(pages) if here == cell.id]
        if (cpus or shared) and not sizes:
            sizes = [ORDINARY_KIB]
        for size in sizes:
            count = pages.get((cell.id, size), 0)
            holdings.append(
                Holding(
                    host_cell=cell.id,
                    cpus=cpus,
                    shared_vcpus=shared,
                    memory_mib=-(-count * size // 1024),
                    page_size_kib=size,
                )
            )
            cpus, shared = CPUSet(), 0
    return Holder(name=domain.name, holdings=tuple(holdings))


def _plan_of(domain: Domain) -> Plan | None:
    try:
        return plan_of(domain)
    except DomainXMLError as error:
        LOG.warning('%s', error)
        return None


def _allowed(domain: Domain) -> Iterator[CPUSet]:
    """Yield the pCPUs of each thread; a vCPU may yet be plugged in."""
    yield from domain.cputune.vcpupins.values()
    for _, scheduling in threads_of_domain(domain).all():
        yield scheduling.cpus


def _floats(cpus: CPUSet, cells: Iterable[CPUSet]) -> bool:
    """Whether pCPUs are all of every cell that they are in."""
    return all(cell <= cpus for cell in cells if cell & cpus)


def _floating_of(domain: Domain, host: HostTopology) -> Mapping[int, int]:
    """Return how many vCPUs float over a part of one host cell or all of it.

    Those that float over several cells are not counted, as in nova.
    """
    counts: Counter[int] = Counter()
    plan = _plan_of(domain)
    if plan is not None:
        for planned, want in zip(plan.cells, plan.guest.cells, strict=True):
            counts[planned.host_cell] += len(want.shared)
        return counts
    for (role, _), scheduling in threads_of_domain(domain).numbered.items():
        if role is ThreadRole.VCPU and len(scheduling.cpus) > 1:
            for cell in host.cells:
                if scheduling.cpus <= cell.cpus:
                    counts[cell.id] += 1
    return counts


def _pages_of(domain: Domain, host: HostTopology) -> Mapping[Place, int]:
    """Return the pages of each size that a domain has on each cell.

    Memory that may come from several cells is taken to come from all of
    them alike.
    """
    counts: Counter[Place] = Counter()
    # libvirt's test driver has hosts of which it tells no cells.
    if not host.cells:
        return counts
    backing = backing_of_domain(domain)
    if backing is None:
        kib = domain.memory_kib or 0
        pages = domain.memory_backing.hugepages
        size = ORDINARY_KIB
        if pages is not None:
            size = max((p.size_kib for p in pages), default=_DEFAULT_HUGE_KIB)
        wanted = [(CPUSet(), size, -(-kib // size))]
    else:
        wanted = [(want.nodes, want.size_kib, want.count) for want in backing]
    for nodes, size, count in wanted:
        cells = _cells_of(domain, host, nodes)
        share, rest = divmod(count, len(cells))
        for number, cell in enumerate(cells):
            if pages_here := share + (number < rest):
                counts[cell, size] += pages_here
    return counts


def _cells_of(domain: Domain, host: HostTopology, nodes: CPUSet) -> list[int]:
    """Return the host cells that memory comes from.

    Those that it is bound to, else those that all threads are confined to,
    for the kernel takes memory that lies near.
    """
    ids = [cell.id for cell in host.cells]
    if bound := [one for one in ids if one in nodes]:
        return bound
    allowed = [*_allowed(domain)]
    if all(allowed):
        near = CPUSet(cpu for cpus in allowed for cpu in cpus)
        if found := [cell.id for cell in host.cells if cell.cpus & near]:
            return found
    return ids

# SPDX-License-Identifier: Apache-2.0
"""What a plan, or a domain document, wants of threads and memory."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from operator import or_
from typing import Final

from rtvirt.libvirtxml.cputune import EmulatorSched
from rtvirt.libvirtxml.cputune import IOThreadSched
from rtvirt.libvirtxml.cputune import VCPUSched
from rtvirt.libvirtxml.domain import Domain
from rtvirt.lint_rules.view import MAX_VCPUS
from rtvirt.lint_rules.view import REALTIME
from rtvirt.lint_rules.view import emulator_cpus
from rtvirt.lint_rules.view import iothread_ids
from rtvirt.lint_rules.view import pin_of
from rtvirt.lint_rules.view import vcpu_count
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.model.plan import Plan

Key = tuple[ThreadRole, int | None]
"""Which thread: its role and its number."""

_ORDINARY_KIB: Final = 4
_ANY: Final = CPUSet()


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPages:
    """Huge pages of one size that lie on some host nodes.

    :ivar nodes: empty means any.
    """

    nodes: CPUSet
    size_kib: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedMemory:
    """How the guest's memory is to be backed.

    :ivar huge: its huge pages, by size and node; empty where it has
        ordinary ones, None where that cannot be told.
    :ivar nodes: the host nodes that all of it is bound to; empty where
        some of it may lie anywhere.
    :ivar locked: whether it must stay in RAM.
    """

    memory_kib: int
    huge: tuple[WantedPages, ...] | None
    nodes: CPUSet = _ANY
    locked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedThreads:
    """Where the threads are to run. No pCPUs mean any.

    :ivar numbered: the vCPU and I/O threads; each must be there.
    :ivar main: QEMU's main loop, for which ``<emulatorsched>`` is.
    :ivar helpers: the other emulator threads.
    """

    numbered: Mapping[Key, Scheduling]
    main: Scheduling
    helpers: Scheduling

    @property
    def realtime_cpus(self) -> CPUSet:
        """The pCPUs of real-time vCPUs."""
        cpus = CPUSet()
        for (role, _number), planned in self.numbered.items():
            if role is ThreadRole.VCPU and planned.policy in REALTIME:
                cpus |= planned.cpus
        return cpus

    def all(self) -> Iterator[tuple[Key, Scheduling]]:
        """Yield every thread that must be there."""
        yield from self.numbered.items()
        yield (ThreadRole.EMULATOR, None), self.main


def threads_of_plan(plan: Plan) -> WantedThreads:
    """Return where the threads of a guest with this plan run."""
    guest = plan.guest
    pins = plan.pins
    numbered: dict[Key, Scheduling] = {}
    for vcpu in range(guest.vcpus):
        priority = plan.priorities.get(vcpu, 0)
        numbered[ThreadRole.VCPU, vcpu] = Scheduling(
            cpus=pins.get(vcpu, plan.floating),
            policy=str(guest.scheduler) if priority else 'other',
            priority=priority,
        )
    others = plan.emulator or plan.floating
    for number in range(1, guest.iothreads + 1):
        cpus = plan.iothreads.get(number, others)
        numbered[ThreadRole.IOTHREAD, number] = Scheduling(cpus=cpus)
    priority = guest.emulator_priority
    return WantedThreads(
        numbered=numbered,
        main=Scheduling(
            cpus=others,
            policy='fifo' if priority else 'other',
            priority=priority,
        ),
        helpers=Scheduling(cpus=others),
    )


def threads_of_domain(domain: Domain) -> WantedThreads:
    """Return where libvirt puts the threads of this domain.

    A thread without a pin of its own follows ``<vcpu cpuset="...">``
    (libvirt: ``qemuProcessSetupPid``).
    """
    tune = domain.cputune
    floor = (domain.vcpu and domain.vcpu.cpuset) or _ANY
    numbered: dict[Key, Scheduling] = {}
    scheds = _by_thread(tune.vcpuscheds)
    for vcpu in _plugged(domain):
        numbered[ThreadRole.VCPU, vcpu] = _under(
            pin_of(domain, vcpu) or _ANY, scheds.get(vcpu)
        )
    scheds = _by_thread(tune.iothreadscheds)
    for number in sorted(iothread_ids(domain)):
        numbered[ThreadRole.IOTHREAD, number] = _under(
            tune.iothreadpins.get(number) or floor, scheds.get(number)
        )
    emulator = emulator_cpus(domain) or _ANY
    return WantedThreads(
        numbered=numbered,
        main=_under(emulator, tune.emulatorsched),
        helpers=Scheduling(cpus=emulator),
    )


def memory_of_plan(plan: Plan) -> WantedMemory:
    """Return how the memory of a guest with this plan is backed."""
    return WantedMemory(
        memory_kib=plan.guest.memory_mib * 1024,
        huge=_add_up(
            WantedPages(
                nodes=CPUSet([cell.host_cell]),
                size_kib=cell.page_size_kib,
                count=cell.pages,
            )
            for cell in plan.huge_cells
        ),
        nodes=CPUSet(cell.host_cell for cell in plan.cells),
        locked=plan.guest.locked_memory or bool(plan.realtime),
    )


def memory_of_domain(domain: Domain) -> WantedMemory:
    """Return how libvirt backs the memory of this domain.

    The huge pages cannot be told where the document leaves their size to
    the host, or where memory is plugged in beside the guest's cells.
    """
    backing = backing_of_domain(domain)
    huge: tuple[WantedPages, ...] | None = ()
    if domain.memory_backing.hugepages is not None:
        huge = (
            None
            if backing is None
            else tuple(p for p in backing if p.size_kib > _ORDINARY_KIB)
        )
    return WantedMemory(
        memory_kib=domain.memory_kib or 0,
        huge=huge,
        nodes=_bound_nodes(domain),
        locked=domain.memory_backing.locked,
    )


def backing_of_domain(domain: Domain) -> tuple[WantedPages, ...] | None:
    """Return the pages that back the memory of this domain.

    None where the document leaves the size of huge pages to the host, or
    where memory is plugged in beside the guest's cells.
    """
    memory_kib = domain.memory_kib or 0
    cells = {i: c.memory_kib for i, c in domain.cpu.cells.items()}
    cells = cells or {0: memory_kib}
    if domain.memory_backing.hugepages == ():
        return None
    if sum(cells.values()) != memory_kib:
        return None
    return _add_up(_backed_cells(domain, cells))


def _plugged(domain: Domain) -> Iterable[int]:
    """Return the vCPUs that are plugged in."""
    if domain.vcpus:
        return [v for v, state in domain.vcpus.items() if state.enabled]
    current = domain.vcpu.current if domain.vcpu else None
    return range(min(current or vcpu_count(domain), MAX_VCPUS))


def _by_thread(
    scheds: Iterable[VCPUSched | IOThreadSched],
) -> dict[int, VCPUSched | IOThreadSched]:
    return {number: sched for sched in scheds for number in sched.cpus}


def _under(
    cpus: CPUSet, sched: VCPUSched | IOThreadSched | EmulatorSched | None
) -> Scheduling:
    if sched is None:
        return Scheduling(cpus=cpus)
    return Scheduling(
        cpus=cpus, policy=sched.scheduler, priority=sched.priority or 0
    )


def _backed_cells(
    domain: Domain, cells: Mapping[int, int]
) -> Iterator[WantedPages]:
    """Yield the pages of each guest cell."""
    sizes: dict[int, int] = {}
    default = _ORDINARY_KIB
    for page in domain.memory_backing.hugepages or ():
        if page.nodeset is None:
            default = page.size_kib
        else:
            sizes.update(dict.fromkeys(page.nodeset, page.size_kib))
    for cell, memory_kib in cells.items():
        size_kib = sizes.get(cell, default)
        yield WantedPages(
            nodes=_nodes(domain, cell),
            size_kib=size_kib,
            count=-(-memory_kib // size_kib),
        )


def _bound_nodes(domain: Domain) -> CPUSet:
    """Return the host nodes of all cells; empty if one is not bound."""
    bound = [_nodes(domain, cell) for cell in domain.cpu.cells or (0,)]
    return functools.reduce(or_, bound) if all(bound) else _ANY


def _nodes(domain: Domain, cell: int) -> CPUSet:
    """Return the host nodes that a guest cell is bound to."""
    tune = domain.numatune
    rule = tune.memnodes.get(cell) or tune.memory
    if rule is None or rule.mode != 'strict':
        return _ANY
    return rule.nodeset or _ANY


def _add_up(pages: Iterable[WantedPages]) -> tuple[WantedPages, ...]:
    counts: Counter[tuple[CPUSet, int]] = Counter()
    for page in pages:
        counts[page.nodes, page.size_kib] += page.count
    return tuple(
        WantedPages(nodes=nodes, size_kib=size, count=count)
        for (nodes, size), count in sorted(
            counts.items(), key=lambda item: (tuple(item[0][0]), item[0][1])
        )
    )

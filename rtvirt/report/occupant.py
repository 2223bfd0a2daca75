# SPDX-License-Identifier: Apache-2.0
"""A guest on a host, as pictures show it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.holder import Holder
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.model.plan import Plan
from rtvirt.verifiers.wanted import Key
from rtvirt.verifiers.wanted import threads_of_domain
from rtvirt.verifiers.wanted import threads_of_plan
from rtvirt.verifiers.words import say_cpus
from rtvirt.verifiers.words import say_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupant:
    """A guest.

    :ivar threads: where its vCPU, emulator and I/O threads may run.
    :ivar held: pCPUs it holds where its threads are not known.
    :ivar idle: siblings it keeps idle.
    :ivar reserved: pCPUs reserved for its emulator threads.
    :ivar pages: by host cell and page size in KiB, how many it takes.
    :ivar is_planned: whether it is yet to come, so that the host's own
        figures do not count it.
    """

    name: str
    threads: Mapping[Key, Scheduling] = FrozenDict()
    held: CPUSet = CPUSet()
    idle: CPUSet = CPUSet()
    reserved: CPUSet = CPUSet()
    pages: Mapping[tuple[int, int], int] = FrozenDict()
    is_planned: bool = False

    @classmethod
    def of_plan(cls, plan: Plan, name: str = '') -> Self:
        """Return the guest that a plan places."""
        idle = reserved = CPUSet()
        pages: Counter[tuple[int, int]] = Counter()
        for cell in plan.cells:
            idle |= cell.idle
            reserved |= cell.emulator
            pages[cell.host_cell, cell.page_size_kib] += cell.pages
        return cls(
            name=name or plan.guest.name,
            threads=FrozenDict(dict(threads_of_plan(plan).all())),
            idle=idle,
            reserved=reserved,
            pages=FrozenDict(pages),
            is_planned=True,
        )

    @classmethod
    def of_domain(cls, domain: Domain) -> Self:
        """Return the guest that a domain's document describes.

        A plan that the document carries and that cannot be read is left
        out: the document itself says where the threads run.
        """
        idle = reserved = CPUSet()
        with contextlib.suppress(DomainXMLError):
            plan = plan_of(domain)
            for cell in plan.cells if plan else ():
                idle |= cell.idle
                reserved |= cell.emulator
        return cls(
            name=domain.name,
            threads=FrozenDict(dict(threads_of_domain(domain).all())),
            idle=idle,
            reserved=reserved,
        )

    @classmethod
    def of_holder(cls, holder: Holder) -> Self:
        """Return a guest of which is known what it holds, and no more."""
        held = CPUSet()
        for holding in holder.holdings:
            held |= holding.cpus
        return cls(name=holder.name, held=held)

    def sentences(self) -> Iterator[str]:
        """Yield where its threads run, alike ones together."""
        ordinary: dict[int, Scheduling] = {}
        realtime: dict[int, Scheduling] = {}
        for (role, number), scheduling in self.threads.items():
            if role is ThreadRole.VCPU and number is not None:
                chosen = realtime if scheduling.priority else ordinary
                chosen[number] = scheduling
        yield from _say_vcpus('', ordinary)
        yield from _say_vcpus('real-time ', realtime)
        for (role, number), scheduling in self.threads.items():
            if role is ThreadRole.EMULATOR:
                yield f'emulator threads on {say_cpus(scheduling)}'
            elif role is ThreadRole.IOTHREAD:
                yield f'I/O thread {number} on {say_cpus(scheduling)}'
        if self.held:
            yield f'holds {_pcpus(self.held)}'
        if self.idle:
            yield f'keeps {_pcpus(self.idle)} idle'


def _say_vcpus(kind: str, vcpus: Mapping[int, Scheduling]) -> Iterator[str]:
    if not vcpus:
        return
    numbers = CPUSet(vcpus)
    plural = 's' if len(numbers) > 1 else ''
    cpus = CPUSet()
    for scheduling in vcpus.values():
        cpus |= scheduling.cpus
    where = _pcpus(cpus) if cpus else 'any pCPU'
    text = f'{kind}vCPU{plural} {numbers} on {where}'
    policies = dict.fromkeys(map(say_policy, vcpus.values()))
    yield f'{text}, {", ".join(policies)}' if kind else text


def _pcpus(cpus: CPUSet) -> str:
    return f'pCPU {cpus}' if len(cpus) == 1 else f'pCPUs {cpus}'

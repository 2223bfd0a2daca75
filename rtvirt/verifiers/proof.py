# SPDX-License-Identifier: Apache-2.0
"""Each thread of a domain, and its memory, beside what the plan said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rtvirt.configurators.pages import huge_cells
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedPages
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.model.plan import Plan

_HELPERS: Final = frozenset(
    {
        ThreadRole.EMULATOR,
        ThreadRole.MONITOR,
        ThreadRole.WORKER,
        ThreadRole.VHOST,
    }
)
"""What runs where <emulatorpin> says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadProof:
    """One thread: planned and actual.

    :ivar subject: what it is, as in ``vCPU 1``.
    :ivar planned: None where no plan speaks of such a thread.
    :ivar thread: None where there is no such thread.
    :ivar ok: whether it is as planned.
    """

    subject: str
    planned: Scheduling | None
    thread: ObservedThread | None
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryProof:
    """The guest's memory: planned and actual.

    :ivar planned: the huge pages of the plan; empty where it takes
        ordinary pages.
    :ivar actual: the huge pages of the process; None where the kernel does
        not tell.
    :ivar locked_kib: memory that cannot be swapped out; None where it may
        not be read.
    :ivar pages_ok: whether the pages are as planned.
    :ivar locked_ok: whether at least the guest's memory is locked, where
        the plan wants it to be.
    """

    planned: tuple[ObservedPages, ...]
    actual: tuple[ObservedPages, ...] | None
    locked_kib: int | None
    pages_ok: bool
    locked_ok: bool


def prove_threads(
    plan: Plan, observed: ObservedDomain
) -> tuple[ThreadProof, ...]:
    """Compare every thread with the plan.

    A vCPU or I/O thread that is planned and not there fails, as does one
    that is there and not planned. No plan speaks of a thread that touches
    the guest's memory before the guest starts: it is idle ever after.
    """
    wanted = dict(_wanted(plan))
    proofs = []
    for thread in observed.threads:
        planned = wanted.pop((thread.role, thread.number), None)
        if thread.role in _HELPERS:
            # libvirt's <emulatorsched> is for the main loop alone.
            is_main = thread.tid == observed.pid
            planned = _emulator(plan, is_main=is_main)
        proofs.append(
            ThreadProof(
                subject=_subject(thread.role, thread.number),
                planned=planned,
                thread=thread,
                ok=thread.role is ThreadRole.PREALLOC
                or (planned is not None and _holds(planned, thread)),
            )
        )
    proofs += [
        ThreadProof(
            subject=_subject(role, number),
            planned=planned,
            thread=None,
            ok=False,
        )
        for (role, number), planned in wanted.items()
    ]
    return tuple(proofs)


def prove_memory(plan: Plan, memory: ObservedMemory | None) -> MemoryProof:
    """Compare the guest's memory with the plan.

    :param memory: None where it may not be read; then nothing is proved.
    """
    counts: Counter[tuple[int, int]] = Counter()
    for cell in huge_cells(plan):
        counts[cell.host_cell, cell.page_size_kib] += cell.pages
    planned = tuple(
        ObservedPages(node=node, size_kib=size, count=count)
        for (node, size), count in sorted(counts.items())
    )
    actual = memory.huge if memory else None
    locked_kib = memory.locked_kib if memory else None
    return MemoryProof(
        planned=planned,
        actual=actual,
        locked_kib=locked_kib,
        pages_ok=planned == actual,
        locked_ok=not plan.guest.locked_memory
        or (locked_kib or 0) >= plan.guest.memory_mib * 1024,
    )


def _wanted(
    plan: Plan,
) -> Iterator[tuple[tuple[ThreadRole, int | None], Scheduling]]:
    """Yield the threads that a domain of this plan must have."""
    guest = plan.guest
    pins = plan.pins
    for vcpu in range(guest.vcpus):
        priority = plan.priorities.get(vcpu, 0)
        yield (
            (ThreadRole.VCPU, vcpu),
            Scheduling(
                cpus=pins.get(vcpu, plan.floating),
                policy=str(guest.scheduler) if priority else 'other',
                priority=priority,
            ),
        )
    others = plan.emulator or plan.floating
    for number in range(1, guest.iothreads + 1):
        cpus = plan.iothreads.get(number, others)
        yield (ThreadRole.IOTHREAD, number), Scheduling(cpus=cpus)
    yield (ThreadRole.EMULATOR, None), _emulator(plan, is_main=True)


def _emulator(plan: Plan, *, is_main: bool) -> Scheduling:
    priority = plan.guest.emulator_priority if is_main else 0
    return Scheduling(
        cpus=plan.emulator or plan.floating,
        policy='fifo' if priority else 'other',
        priority=priority,
    )


def _holds(planned: Scheduling, thread: ObservedThread) -> bool:
    """Return whether a thread is as planned; no pCPUs are any pCPUs."""
    actual = thread.scheduling
    return (
        actual.policy == planned.policy
        and actual.priority == planned.priority
        and (not planned.cpus or actual.cpus == planned.cpus)
    )


def _subject(role: ThreadRole, number: int | None) -> str:
    words = {ThreadRole.VCPU: 'vCPU', ThreadRole.IOTHREAD: 'I/O thread'}
    word = words.get(role, str(role))
    return word if number is None else f'{word} {number}'

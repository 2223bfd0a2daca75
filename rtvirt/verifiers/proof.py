# SPDX-License-Identifier: Apache-2.0
"""Each thread of a domain, and its memory, beside what the plan said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedPages
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.verifiers.wanted import Key
from rtvirt.verifiers.wanted import WantedMemory
from rtvirt.verifiers.wanted import WantedPages
from rtvirt.verifiers.wanted import WantedThreads

HELPERS: Final = frozenset(
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

    :ivar planned: what is wanted of it.
    :ivar actual: the huge pages of the process, or why the kernel does not
        tell.
    :ivar locked_kib: memory that cannot be swapped out, or why that is not
        known.
    :ivar sizes_ok: whether there are as many pages of each size as planned.
    :ivar pages_ok: whether they lie on the nodes planned, too.
    :ivar locked_ok: whether at least the guest's memory is locked, where
        it is to be.
    """

    planned: WantedMemory
    actual: tuple[ObservedPages, ...] | Missing
    locked_kib: int | Missing
    sizes_ok: bool
    pages_ok: bool
    locked_ok: bool


def prove_threads(
    wanted: WantedThreads, observed: ObservedDomain
) -> tuple[ThreadProof, ...]:
    """Compare every thread with what is wanted.

    A vCPU or I/O thread that is planned and not there fails, as does one
    that is there and not planned, and one of the others that may run on a
    real-time vCPU's pCPU, whatever is wanted of it. No plan speaks of a
    thread that touches the guest's memory before the guest starts: it is
    idle ever after.
    """
    missing = dict(wanted.all())
    realtime = wanted.realtime_cpus
    proofs = []
    for thread in observed.threads:
        planned = missing.pop((thread.role, thread.number), None)
        if thread.role in HELPERS:
            # libvirt gives <emulatorsched> to the main loop alone, and what
            # that starts from then on inherits it (sched(7)).
            is_main = thread.tid == observed.pid
            inherits = is_scheduled(wanted.main, thread)
            planned = wanted.main if is_main or inherits else wanted.helpers
        proofs.append(
            ThreadProof(
                subject=name_thread((thread.role, thread.number)),
                planned=planned,
                thread=thread,
                ok=thread.role is ThreadRole.PREALLOC
                or (
                    planned is not None
                    and is_placed(planned, thread)
                    and not overlap(thread, realtime)
                    and is_scheduled(planned, thread)
                ),
            )
        )
    proofs += [
        ThreadProof(
            subject=name_thread(key), planned=planned, thread=None, ok=False
        )
        for key, planned in missing.items()
    ]
    return tuple(proofs)


def prove_memory(
    wanted: WantedMemory, memory: ObservedMemory | Missing
) -> MemoryProof:
    """Compare the guest's memory with what is wanted.

    :param memory: where it may not be read, nothing is proved.
    """
    actual = memory if isinstance(memory, Missing) else memory.huge
    locked_kib = memory if isinstance(memory, Missing) else _locked(memory)
    pages = value_or(actual, ())
    sizes_ok = (
        wanted.huge is not None
        and not isinstance(actual, Missing)
        and _count(wanted.huge) == _count(actual)
    )
    return MemoryProof(
        planned=wanted,
        actual=actual,
        locked_kib=locked_kib,
        sizes_ok=sizes_ok,
        pages_ok=sizes_ok and _lies_well(wanted.huge or (), pages),
        locked_ok=not wanted.locked
        or value_or(locked_kib, 0) >= wanted.memory_kib,
    )


def _locked(memory: ObservedMemory) -> int:
    """Return the KiB that cannot be swapped out.

    The kernel does not count huge pages as locked (mm/mlock.c,
    mlock_fixup), and never swaps them. QEMU locks all of its memory or
    nothing.
    """
    if not memory.locked_kib:
        return 0
    return memory.locked_kib + value_or(memory.hugetlb_kib, 0)


def is_placed(planned: Scheduling, thread: ObservedThread) -> bool:
    """Whether a thread may run where it is to; no pCPUs are any pCPUs."""
    return not planned.cpus or thread.scheduling.cpus == planned.cpus


def overlap(thread: ObservedThread, realtime: CPUSet) -> CPUSet:
    """Return the real-time vCPUs' pCPUs that another thread may run on.

    Two vCPUs on one pCPU are the business of the document's pins.
    """
    if thread.role in (ThreadRole.VCPU, ThreadRole.PREALLOC):
        return CPUSet()
    return thread.scheduling.cpus & realtime


def is_scheduled(planned: Scheduling, thread: ObservedThread) -> bool:
    """Whether a thread has its policy and its priority."""
    actual = thread.scheduling
    return (actual.policy, actual.priority) == (
        planned.policy,
        planned.priority,
    )


def name_thread(key: Key) -> str:
    """Return what a person calls a thread: ``vCPU 1``."""
    role, number = key
    words = {ThreadRole.VCPU: 'vCPU', ThreadRole.IOTHREAD: 'I/O thread'}
    word = words.get(role, str(role))
    return word if number is None else f'{word} {number}'


def _count(pages: Iterable[WantedPages | ObservedPages]) -> Counter[int]:
    """Return how many pages there are of each size."""
    counts: Counter[int] = Counter()
    for page in pages:
        counts[page.size_kib] += page.count
    return counts


def _lies_well(
    wanted: Iterable[WantedPages], actual: Iterable[ObservedPages]
) -> bool:
    """Whether pages that are enough lie on the right nodes.

    None may lie where no cell wants it, and a node that a cell wants for
    its only one has at least that cell's.
    """
    least: Counter[tuple[int, int]] = Counter()
    allowed: dict[int, int] = {}
    for want in wanted:
        if len(want.nodes) == 1:
            least[min(want.nodes), want.size_kib] += want.count
        mask = want.nodes.mask or -1
        allowed[want.size_kib] = allowed.get(want.size_kib, 0) | mask
    found: Counter[tuple[int, int]] = Counter()
    for page in actual:
        found[page.node, page.size_kib] += page.count
    return all(
        allowed.get(size, 0) >> node & 1 for node, size in found
    ) and all(found[place] >= count for place, count in least.items())

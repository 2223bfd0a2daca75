# SPDX-License-Identifier: Apache-2.0
"""Scheduling and pages as a person reads them, and how to mend them."""

from __future__ import annotations

from collections.abc import Iterable

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.observed import ObservedPages
from rtvirt.model.observed import Scheduling
from rtvirt.verifiers.wanted import WantedMemory
from rtvirt.verifiers.wanted import WantedPages


def say_scheduling(scheduling: Scheduling) -> str:
    """Return ``pCPU 3, FIFO 1``."""
    return f'{say_cpus(scheduling)}, {say_policy(scheduling)}'


def say_cpus(scheduling: Scheduling) -> str:
    """Return ``pCPU 3``, ``pCPUs 2-3`` or ``any pCPU``."""
    cpus = scheduling.cpus
    if not cpus:
        return 'any pCPU'
    return name_cpus(cpus)


def name_cpus(cpus: CPUSet) -> str:
    """Return ``pCPU 3`` or ``pCPUs 2-3``."""
    return f'pCPU {cpus}' if len(cpus) == 1 else f'pCPUs {cpus}'


def say_policy(scheduling: Scheduling) -> str:
    """Return ``FIFO 1``, or ``other``."""
    if scheduling.priority:
        return f'{scheduling.policy.upper()} {scheduling.priority}'
    return scheduling.policy


def say_pages(pages: Iterable[WantedPages | ObservedPages]) -> str:
    """Return ``512 x 2 MiB on node 0``."""
    texts = []
    for page in pages:
        if isinstance(page, ObservedPages):
            where = f' on node {page.node}'
        else:
            where = f' on node {page.nodes}' if page.nodes else ''
        texts.append(f'{page.count} x {_say_kib(page.size_kib)}{where}')
    return ', '.join(texts) or 'ordinary pages'


def say_memory(memory: WantedMemory) -> str:
    """Return ``1024 MiB, 512 x 2 MiB on node 0, locked``."""
    pages = (
        'huge pages of the host\'s size'
        if memory.huge is None
        else say_pages(memory.huge)
    )
    if not memory.huge and memory.nodes:
        pages += f' on node {memory.nodes}'
    locked = 'locked' if memory.locked else 'not locked'
    return f'{memory.memory_kib >> 10} MiB, {pages}, {locked}'


def mend_cpus(scheduling: Scheduling, tid: int) -> str:
    """Return the command that puts a thread where it is to run."""
    return f'taskset -pc {scheduling.cpus} {tid}'


def mend_policy(scheduling: Scheduling, tid: int) -> str:
    """Return the command that gives a thread its scheduler back."""
    return f'chrt --{scheduling.policy} -p {scheduling.priority} {tid}'


def _say_kib(kib: int) -> str:
    return f'{kib} KiB' if kib % 1024 else f'{kib // 1024} MiB'

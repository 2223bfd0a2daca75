# SPDX-License-Identifier: Apache-2.0
"""QEMU's processes, and what each of their threads is there for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rtvirt.exception import HostError
from rtvirt.host.facts.task import read_process_ids
from rtvirt.host.facts.task import read_threads
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.task import Policy
from rtvirt.model.facts.task import Task
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedPages
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole

_ROLES: Final = (
    (re.compile(r'CPU ([0-9]{1,5})/\w+'), ThreadRole.VCPU),
    (re.compile(r'IO iothread([0-9]{1,5})'), ThreadRole.IOTHREAD),
    (re.compile(r'IO mon_iothread'), ThreadRole.MONITOR),
    (re.compile(r'worker'), ThreadRole.WORKER),
    (re.compile(r'vhost-[0-9]+'), ThreadRole.VHOST),
    (re.compile(r'TC .*'), ThreadRole.PREALLOC),
)
_ORDER: Final = {role: place for place, role in enumerate(ThreadRole)}
_UUID: Final = re.compile(rb'\0-uuid\0([0-9a-f-]{36})\0')
_VHOST: Final = re.compile(r'vhost-([0-9]{1,9})\s*')
_CMDLINE_LIMIT: Final = 1 << 21
_NUMA_MAPS_LIMIT: Final = 1 << 24
_SIZE: Final = re.compile(r' kernelpagesize_kB=([0-9]{1,12})')
_NODE: Final = re.compile(r' N([0-9]{1,5})=([0-9]{1,15})')
_AMOUNT: Final = re.compile(r'^(VmLck|VmRSS):\s+([0-9]{1,15}) kB', re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """The process of a running domain.

    :ivar vhost: processes of the kernel that work for it; since Linux 6.4
        there are none, for vhost threads are threads of QEMU itself.
    """

    uuid: str
    pid: int
    vhost: tuple[int, ...] = ()


def find_guests(tree: Tree) -> Mapping[str, Guest]:
    """Return the process of every running domain, by the domain's UUID.

    libvirt names the UUID on QEMU's command line (``-uuid``), which every
    user may read.
    """
    pids: dict[str, int] = {}
    vhost: dict[int, list[int]] = {}
    for pid in read_process_ids(tree):
        cmdline = tree.read(f'/proc/{pid}/cmdline', _CMDLINE_LIMIT)
        if isinstance(cmdline, Missing):
            continue
        if match := _UUID.search(cmdline):
            pids[match[1].decode()] = pid
        elif not cmdline:
            name = read_text(tree, f'/proc/{pid}/comm')
            if isinstance(name, str) and (owner := _VHOST.fullmatch(name)):
                vhost.setdefault(int(owner[1]), []).append(pid)
    return {
        uuid: Guest(uuid=uuid, pid=pid, vhost=tuple(vhost.get(pid, ())))
        for uuid, pid in pids.items()
    }


def observe(tree: Tree, guest: Guest) -> ObservedDomain:
    """Read the threads and the memory of a running domain.

    Threads that end meanwhile are left out.

    :raises HostError: if the process has ended.
    """
    tasks = [*read_threads(tree, guest.pid)]
    if not tasks:
        raise HostError(
            f'process {guest.pid} of domain {guest.uuid} has ended',
            hint='look into the log that libvirt keeps of the domain',
        )
    for pid in guest.vhost:
        tasks += read_threads(tree, pid)
    return ObservedDomain(
        uuid=guest.uuid,
        pid=guest.pid,
        threads=tuple(sorted(map(_to_thread, tasks), key=_order)),
        memory=_read_memory(tree, guest.pid),
    )


def classify(name: str) -> tuple[ThreadRole, int | None]:
    """Return what a thread is there for, and its number, by its name."""
    for pattern, role in _ROLES:
        if match := pattern.fullmatch(name):
            return role, int(match[1]) if match.groups() else None
    return ThreadRole.EMULATOR, None


def _to_thread(task: Task) -> ObservedThread:
    role, number = classify(task.name)
    try:
        policy = Policy(task.policy).name.lower()
    except ValueError:
        policy = f'policy-{task.policy}'
    return ObservedThread(
        tid=task.tid,
        name=task.name,
        role=role,
        number=number,
        scheduling=Scheduling(
            cpus=task.allowed, policy=policy, priority=task.priority
        ),
        last_cpu=task.last,
    )


def _order(thread: ObservedThread) -> tuple[int, int, int]:
    return _ORDER[thread.role], thread.number or 0, thread.tid


def _read_memory(tree: Tree, pid: int) -> ObservedMemory | None:
    status = read_text(tree, f'/proc/{pid}/status')
    if isinstance(status, Missing):
        return None
    amounts = {name: int(kib) for name, kib in _AMOUNT.findall(status)}
    if len(amounts) != 2:
        return None
    maps = read_text(tree, f'/proc/{pid}/numa_maps', _NUMA_MAPS_LIMIT)
    return ObservedMemory(
        huge=(None if isinstance(maps, Missing) else _sum(maps.splitlines())),
        locked_kib=amounts['VmLck'],
        resident_kib=amounts['VmRSS'],
    )


def _sum(mappings: Iterable[str]) -> tuple[ObservedPages, ...]:
    """Add up the huge pages of a process's mappings.

    A mapping of hugetlbfs has the word ``huge``; its page size counts, for
    a transparent huge page is shown as ordinary ones.
    """
    counts: Counter[tuple[int, int]] = Counter()
    for line in mappings:
        size = _SIZE.search(line)
        if size and ' huge ' in line:
            for node, pages in _NODE.findall(line):
                counts[int(node), int(size[1])] += int(pages)
    return tuple(
        ObservedPages(node=node, size_kib=size, count=count)
        for (node, size), count in sorted(counts.items())
    )

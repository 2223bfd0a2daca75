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
from rtvirt.host.cpuset import Cpusets
from rtvirt.host.facts.task import read_process_ids
from rtvirt.host.facts.task import read_threads
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.host.resctrl_group import Resctrl
from rtvirt.host.resctrl_group import read_resctrl
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.missing import malformed
from rtvirt.model.facts.task import Policy
from rtvirt.model.facts.task import Task
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedPages
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import ResctrlGroup
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.model.observed import ThreadSource

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
_NAME: Final = re.compile(rb'\0-name\0guest=([^,\0]{1,255})')
_VHOST: Final = re.compile(r'vhost-([0-9]{1,9})\s*')
_CMDLINE_LIMIT: Final = 1 << 21
_NUMA_MAPS_LIMIT: Final = 1 << 24
_SIZE: Final = re.compile(r' kernelpagesize_kB=([0-9]{1,12})')
_NODE: Final = re.compile(r' N([0-9]{1,5})=([0-9]{1,15})')
_AMOUNT: Final = re.compile(
    r'^(VmLck|VmRSS|HugetlbPages):\s+([0-9]{1,15}) kB', re.M
)
_SWITCHES: Final = re.compile(
    r'^nonvoluntary_ctxt_switches:\s+([0-9]{1,18})$', re.M
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """The process of a running domain.

    :ivar name: of the domain, as QEMU was told it.
    :ivar vhost: processes of the kernel that work for it; since Linux 6.4
        there are none, for vhost threads are threads of QEMU itself.
    """

    uuid: str
    pid: int
    name: str = ''
    vhost: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which threads run which vCPUs and I/O threads.

    :ivar known: by thread; the names of the others tell what they are.
    """

    source: ThreadSource = ThreadSource.NAME
    known: Mapping[int, tuple[ThreadRole, int]] = FrozenDict()


def find_guests(tree: Tree) -> Mapping[str, Guest]:
    """Return the process of every running domain, by the domain's UUID.

    libvirt names the UUID on QEMU's command line (``-uuid``), which every
    user may read.
    """
    found: dict[str, tuple[int, str]] = {}
    vhost: dict[int, list[int]] = {}
    for pid in read_process_ids(tree):
        cmdline = tree.read(f'/proc/{pid}/cmdline', _CMDLINE_LIMIT)
        if isinstance(cmdline, Missing):
            continue
        if match := _UUID.search(cmdline):
            name = _NAME.search(cmdline)
            found[match[1].decode()] = (
                pid,
                name[1].decode(errors='replace') if name else '',
            )
        elif not cmdline:
            comm = read_text(tree, f'/proc/{pid}/comm')
            if isinstance(comm, str) and (owner := _VHOST.fullmatch(comm)):
                vhost.setdefault(int(owner[1]), []).append(pid)
    return {
        uuid: Guest(
            uuid=uuid, pid=pid, name=name, vhost=tuple(vhost.get(pid, ()))
        )
        for uuid, (pid, name) in found.items()
    }


def observe(
    tree: Tree,
    guest: Guest,
    *,
    identity: Identity | None = None,
    cpusets: Cpusets | None = None,
    resctrl: Resctrl | None = None,
) -> ObservedDomain:
    """Read the threads and the memory of a running domain.

    Threads that end meanwhile are left out.

    :param identity: which threads run its vCPUs, where QEMU or libvirt was
        asked; else their names tell.
    :param cpusets: kept from one domain to the next, as is ``resctrl``.
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
    identity = identity or Identity()
    cpusets = cpusets or Cpusets(tree)
    resctrl = resctrl or read_resctrl(tree)
    threads = [
        _to_thread(tree, task, identity, cpusets, resctrl) for task in tasks
    ]
    return ObservedDomain(
        uuid=guest.uuid,
        pid=guest.pid,
        threads=tuple(sorted(threads, key=_order)),
        source=identity.source,
        memory=_read_memory(tree, guest.pid),
        resctrl=_groups_of(threads, resctrl),
    )


def classify(name: str) -> tuple[ThreadRole, int | None]:
    """Return what a thread is there for, and its number, by its name."""
    for pattern, role in _ROLES:
        if match := pattern.fullmatch(name):
            return role, int(match[1]) if match.groups() else None
    return ThreadRole.EMULATOR, None


def policy_name(task: Task) -> str:
    """Return the policy of a thread as :class:`Scheduling` has it."""
    try:
        return Policy(task.policy).name.lower()
    except ValueError:
        return f'policy-{task.policy}'


def _to_thread(
    tree: Tree,
    task: Task,
    identity: Identity,
    cpusets: Cpusets,
    resctrl: Resctrl,
) -> ObservedThread:
    known = identity.known.get(task.tid)
    role, number = known or classify(task.name)
    group = cpusets.group_of(task.pid, task.tid)
    return ObservedThread(
        tid=task.tid,
        name=task.name,
        role=role,
        number=number,
        scheduling=Scheduling(
            cpus=task.allowed,
            policy=policy_name(task),
            priority=task.priority,
        ),
        last_cpu=task.last,
        involuntary_switches=_read_switches(tree, task),
        cgroup=group,
        cgroup_cpus=(
            group if isinstance(group, Missing) else cpusets.cpus_of(group)
        ),
        resctrl=resctrl.group_of(task.tid),
    )


def _order(thread: ObservedThread) -> tuple[int, int, int]:
    return _ORDER[thread.role], thread.number or 0, thread.tid


def _read_switches(tree: Tree, task: Task) -> int | Missing:
    path = f'/proc/{task.pid}/task/{task.tid}/status'
    text = read_text(tree, path)
    if isinstance(text, Missing):
        return text
    match = _SWITCHES.search(text)
    return int(match[1]) if match else absent(path)


def _groups_of(
    threads: Iterable[ObservedThread], resctrl: Resctrl
) -> tuple[ResctrlGroup, ...] | Missing:
    if isinstance(resctrl.groups, Missing):
        return resctrl.groups
    names = sorted({t.resctrl for t in threads if isinstance(t.resctrl, str)})
    return tuple(resctrl.groups[name] for name in names)


def _read_memory(tree: Tree, pid: int) -> ObservedMemory | Missing:
    path = f'/proc/{pid}/status'
    status = read_text(tree, path)
    if isinstance(status, Missing):
        return status
    amounts = {name: int(kib) for name, kib in _AMOUNT.findall(status)}
    if 'VmLck' not in amounts or 'VmRSS' not in amounts:
        # The memory of a process that is about to end.
        return malformed(path, 'it has no memory any more')
    maps = read_text(tree, f'/proc/{pid}/numa_maps', _NUMA_MAPS_LIMIT)
    huge: tuple[ObservedPages, ...] | Missing
    ordinary: tuple[ObservedPages, ...] | Missing
    if isinstance(maps, Missing):
        huge = ordinary = maps
    else:
        huge, ordinary = _sum(maps.splitlines())
    hugetlb_kib = amounts.get('HugetlbPages')
    return ObservedMemory(
        huge=huge,
        ordinary=ordinary,
        hugetlb_kib=absent(path) if hugetlb_kib is None else hugetlb_kib,
        locked_kib=amounts['VmLck'],
        resident_kib=amounts['VmRSS'],
    )


def _sum(
    mappings: Iterable[str],
) -> tuple[tuple[ObservedPages, ...], tuple[ObservedPages, ...]]:
    """Add up the huge and the other pages of a process's mappings.

    A mapping of hugetlbfs has the word ``huge``; its page size counts, for
    a transparent huge page is shown as ordinary ones.
    """
    huge: Counter[tuple[int, int, str]] = Counter()
    ordinary: Counter[tuple[int, int, str]] = Counter()
    for line in mappings:
        size = _SIZE.search(line)
        if size is None:
            continue
        policy = line.split(' ', 2)[1]
        counts = huge if ' huge ' in line else ordinary
        for node, pages in _NODE.findall(line):
            counts[int(node), int(size[1]), policy] += int(pages)
    return _to_pages(huge), _to_pages(ordinary)


def _to_pages(
    counts: Counter[tuple[int, int, str]],
) -> tuple[ObservedPages, ...]:
    return tuple(
        ObservedPages(node=node, size_kib=size, count=count, policy=policy)
        for (node, size, policy), count in sorted(counts.items())
    )

# SPDX-License-Identifier: Apache-2.0
"""A host's topology as its kernel shows it, without libvirt.

The same figures that libvirt gives in its capabilities, because libvirt
reads the same files; what is taken of the huge pages comes with them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final

from rtvirt.exception import HostError
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.facts.tree import Tree
from rtvirt.host.resctrl import read_bandwidths
from rtvirt.host.resctrl import read_caches
from rtvirt.host.value import numbered
from rtvirt.host.value import value_of
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.facts.parse import parse_list
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.model.pages import PagePool

_CPU: Final = '/sys/devices/system/cpu'
_NODE: Final = '/sys/devices/system/node'
_PAGES: Final = '/sys/kernel/mm/hugepages'
_MEMORY: Final = re.compile(r'MemTotal:\s+([0-9]{1,18}) kB')


def read_topology(
    tree: Tree | None = None, *, base_page_kib: int | None = None
) -> HostTopology:
    """Read the cells of a host from /sys.

    Every online pCPU is both dedicated and shared; a huge page that is not
    free counts as used. A kernel without NUMA gives one cell.

    :param tree: where to read; the local machine without it.
    :param base_page_kib: size of the ordinary pages; the local machine's
        without it.
    :raises HostError: if there is no /sys, or it holds nonsense.
    """
    tree = tree or DirectoryTree()
    base_kib = base_page_kib or os.sysconf('SC_PAGE_SIZE') // 1024
    online = _read_online(tree)
    cores = _read_cores(tree, online)
    caches = read_caches(tree, online)
    nodes = _read_nodes(tree, online)
    # The pools of the machine tell more than a node's: what is promised.
    pools = f'{_NODE}/node{{}}/hugepages' if len(nodes) > 1 else _PAGES
    return HostTopology(
        cells=tuple(
            HostCell(
                id=node,
                dedicated=cpus,
                shared=cpus,
                siblings=_within(cores, cpus),
                memory_mib=memory_kib // 1024,
                pages=_read_pages(
                    tree, pools.format(node), memory_kib, base_kib
                ),
                l3=_within((bank.cpus for bank in caches), cpus),
                socket=_read_socket(tree, cpus),
            )
            for node, cpus, memory_kib in nodes
        ),
        caches=caches,
        bandwidths=read_bandwidths(tree, caches),
    )


def _within(groups: Iterable[CPUSet], cpus: CPUSet) -> tuple[CPUSet, ...]:
    return tuple(group & cpus for group in groups if group & cpus)


def _read_nodes(tree: Tree, online: CPUSet) -> list[tuple[int, CPUSet, int]]:
    """Return id, pCPUs and KiB of memory of each node.

    A kernel without NUMA is one node of all there is.
    """
    ids = numbered(tree, _NODE, 'node')
    if not ids:
        return [(0, online, _read_memory(tree, '/proc/meminfo'))]
    return [
        (
            node,
            online
            & value_of(
                tree, f'{_NODE}/node{node}/cpulist', parse_list, CPUSet()
            ),
            _read_memory(tree, f'{_NODE}/node{node}/meminfo'),
        )
        for node in ids
    ]


def _read_online(tree: Tree) -> CPUSet:
    """Return the online pCPUs.

    A kernel without CPU hotplug has no list: all that have a directory.
    """
    online = value_of(tree, f'{_CPU}/online', parse_list, CPUSet())
    online = online or CPUSet(numbered(tree, _CPU, 'cpu'))
    if not online:
        raise HostError(
            f'there is no pCPU in {_CPU}',
            hint='name the root of a Linux machine, or a copy that has its '
            '/sys',
        )
    return online


def _read_cores(tree: Tree, online: CPUSet) -> list[CPUSet]:
    """Return the sets of siblings, asking one pCPU of each."""
    cores = []
    left = online
    while left:
        cpu = min(left)
        path = f'{_CPU}/cpu{cpu}/topology/thread_siblings_list'
        core = value_of(tree, path, parse_list, CPUSet()) & left | {cpu}
        cores.append(core)
        left -= core
    return cores


def _read_socket(tree: Tree, cpus: CPUSet) -> int | None:
    """Return the package of the pCPUs; None where there are several."""
    found = {
        value_of(
            tree,
            f'{_CPU}/cpu{cpu}/topology/physical_package_id',
            parse_int,
            -1,
        )
        for cpu in cpus
    }
    socket = found.pop() if len(found) == 1 else -1
    return socket if socket >= 0 else None


def _read_memory(tree: Tree, path: str) -> int:
    """Return the memory in KiB of a node, or of the machine."""
    memory_kib = value_of(tree, path, _parse_memory, -1)
    if memory_kib < 0:
        raise HostError(
            f'there is no {path}',
            hint='name the root of a Linux machine, or a copy that has it',
        )
    return memory_kib


def _parse_memory(text: str) -> int:
    match = _MEMORY.search(text)
    if match is None:
        raise ValueError('no MemTotal')
    return int(match[1])


def _read_pages(
    tree: Tree, path: str, memory_kib: int, base_kib: int
) -> tuple[PagePool, ...]:
    """Return the pools of a node, or of the machine.

    Ordinary pages are what huge pages leave; none of them counts as used,
    because most of what fills them (the page cache) gives way to a guest.
    """
    pools = [
        _read_pool(tree, f'{path}/{name}', int(name[10:-2]))
        for name in tree.names(path)
        if re.fullmatch(r'hugepages-[0-9]{1,12}kB', name)
    ]
    huge_kib = sum(pool.size_kib * pool.total for pool in pools)
    left = max(0, memory_kib - huge_kib) // base_kib
    return (PagePool(size_kib=base_kib, total=left), *pools)


def _read_pool(tree: Tree, path: str, size_kib: int) -> PagePool:
    """Return a pool of huge pages.

    A page that is promised to a mapping (``resv_hugepages``) still counts
    as free in the kernel, but nobody else gets it.
    """
    total, free, promised = (
        value_of(tree, f'{path}/{name}_hugepages', parse_int, 0)
        for name in ('nr', 'free', 'resv')
    )
    used = total - free + promised
    return PagePool(
        size_kib=size_kib, total=total, used=min(max(used, 0), total)
    )

# SPDX-License-Identifier: Apache-2.0
"""Read memory: NUMA nodes, huge pages, mounts and swap."""

from __future__ import annotations

import re
from typing import Final

from rtvirt.host.facts.single import read_fields
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.host.facts.tree import read_value
from rtvirt.host.value import numbered
from rtvirt.model.facts.memory import HugetlbMount
from rtvirt.model.facts.memory import MemoryFacts
from rtvirt.model.facts.memory import NodeFacts
from rtvirt.model.facts.memory import PageCount
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.missing import value_or
from rtvirt.model.facts.parse import parse_int

NODES: Final = '/sys/devices/system/node'

MOUNT_TYPES: Final = frozenset({'cgroup', 'cgroup2', 'hugetlbfs'})
"""The file systems that the readers look for."""

_POOL: Final = re.compile(r'hugepages-(\d{1,12})kB')
_SIZE: Final = re.compile(r'pagesize=(\d{1,12})([KMG]?)')
_AMOUNT: Final = re.compile(r'(\w+):\s+(\d{1,15}) kB')
_UNIT_KIB: Final = {'': 1 / 1024, 'K': 1, 'M': 1024, 'G': 1024 * 1024}


def read_memory_facts(tree: Tree) -> MemoryFacts:
    """Read nodes, pools of huge pages and what uses them."""
    return MemoryFacts(
        **read_fields(tree, MemoryFacts),
        nodes=_read_nodes(tree),
        pages=_read_pages(tree, '/sys/kernel/mm/hugepages'),
        mounts=_read_hugetlb_mounts(tree),
        swaps=_read_swaps(tree),
        balloons=_read_balloons(tree),
    )


def read_mounts(tree: Tree) -> tuple[tuple[str, str, str], ...] | Missing:
    """Return point, type and options of the mounts of kernel interfaces."""
    text = read_text(tree, '/proc/mounts')
    if isinstance(text, Missing):
        return text
    rows = (line.split() for line in text.splitlines())
    return tuple(
        (row[1], row[2], row[3])
        for row in rows
        if len(row) > 3 and row[2] in MOUNT_TYPES
    )


def _read_nodes(tree: Tree) -> tuple[NodeFacts, ...] | Missing:
    nodes = [_read_node(tree, node) for node in numbered(tree, NODES, 'node')]
    return tuple(nodes) if nodes else absent(NODES)


def _read_node(tree: Tree, id: int) -> NodeFacts:
    directory = f'{NODES}/node{id}'
    amounts = _read_amounts(tree, f'{directory}/meminfo')
    distances = value_or(read_text(tree, f'{directory}/distance'), '')
    return NodeFacts(
        id=id,
        free_kib=amounts.get('MemFree', 0),
        distances=tuple(
            int(word)
            for word in distances.split()
            if word.isdecimal() and len(word) < 10
        ),
        pages=value_or(_read_pages(tree, f'{directory}/hugepages'), ()),
    )


def _read_amounts(tree: Tree, path: str) -> dict[str, int]:
    """Read a ``meminfo`` file: KiB by name."""
    text = value_or(read_text(tree, path), '')
    return {name: int(amount) for name, amount in _AMOUNT.findall(text)}


def _read_pages(tree: Tree, directory: str) -> tuple[PageCount, ...] | Missing:
    """Read the pools of huge pages, of the host or of a node."""
    found = []
    for name in tree.names(directory):
        match = _POOL.fullmatch(name)
        if match is None:
            continue
        pool = f'{directory}/{name}'
        total = read_value(tree, f'{pool}/nr_hugepages', parse_int)
        free = read_value(tree, f'{pool}/free_hugepages', parse_int)
        # Not to know one pool is not to know what there is.
        if isinstance(total, Missing):
            return total
        if isinstance(free, Missing):
            return free
        found.append(
            PageCount(
                size_kib=int(match[1]),
                total=total,
                free=free,
                surplus=_count(tree, f'{pool}/surplus_hugepages'),
                reserved=_count(tree, f'{pool}/resv_hugepages'),
                overcommit=_count(tree, f'{pool}/nr_overcommit_hugepages'),
            )
        )
    found.sort(key=lambda pool: pool.size_kib)
    return tuple(found) if found else absent(directory)


def _count(tree: Tree, path: str) -> int:
    return value_or(read_value(tree, path, parse_int), 0)


def _read_hugetlb_mounts(tree: Tree) -> tuple[HugetlbMount, ...] | Missing:
    mounts = read_mounts(tree)
    if isinstance(mounts, Missing):
        return mounts
    found = []
    for path, kind, options in mounts:
        if kind != 'hugetlbfs':
            continue
        match = _SIZE.search(options)
        if match:
            size = int(int(match[1]) * _UNIT_KIB[match[2]])
        else:
            # Without the option the mount has the default size.
            size = _read_amounts(tree, '/proc/meminfo').get('Hugepagesize', 0)
        found.append(HugetlbMount(path=path, size_kib=size))
    return tuple(found)


def _read_swaps(tree: Tree) -> tuple[str, ...] | Missing:
    text = read_text(tree, '/proc/swaps')
    if isinstance(text, Missing):
        return text
    rows = [line.split() for line in text.splitlines()[1:]]
    return tuple(row[0] for row in rows if row)


def _read_balloons(tree: Tree) -> tuple[str, ...] | Missing:
    """Read the devices of the driver; it lists other things beside them."""
    path = '/sys/bus/virtio/drivers/virtio_balloon'
    names = tree.names(path)
    if not names:
        return absent(path)
    return tuple(name for name in names if name.startswith('virtio'))

# SPDX-License-Identifier: Apache-2.0
"""Read the processors: which there are and what they can do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from typing import Final

from rtvirt.host.facts.single import read_fields
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.host.value import numbered
from rtvirt.model.cpuset import MAX_CPU
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cpu import CPUFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.host import HostTopology

CPU: Final = '/sys/devices/system/cpu'

_CPUINFO_LIMIT: Final = 1 << 24


def read_cpu_ids(tree: Tree) -> tuple[int, ...]:
    """Return the ids of the CPUs that have a directory, ascending."""
    return tuple(cpu for cpu in numbered(tree, CPU, 'cpu') if cpu <= MAX_CPU)


def read_cpu_facts(tree: Tree) -> CPUFacts:
    """Read which CPUs there are and what they can do."""
    return CPUFacts(**read_fields(tree, CPUFacts), **_read_cpuinfo(tree))


def read_sockets(
    tree: Tree, topology: HostTopology | Missing
) -> FrozenDict[int, int] | Missing:
    """Return of each cell how many sockets its pCPUs are of.

    Where the topology knows the socket of a cell it is one.
    """
    if isinstance(topology, Missing):
        return topology
    counts = {}
    for cell in topology.cells:
        counts[cell.id] = 1
        if cell.socket is None:
            sockets = group_by_text(
                tree, cell.cpus, f'{CPU}/cpu{{}}/topology/physical_package_id'
            )
            if isinstance(sockets, Missing):
                return sockets
            counts[cell.id] = len(sockets)
    return FrozenDict(counts)


def group_by_text(
    tree: Tree, ids: Iterable[int], path: str
) -> FrozenDict[str, CPUSet] | Missing:
    """Return the CPUs that have each value of a per-CPU file.

    A CPU without the file is left out; one whose file cannot be read makes
    all of it unknown.

    :param path: with ``{}`` in place of the CPU's id.
    """
    masks: dict[str, int] = {}
    for cpu in ids:
        text = read_text(tree, path.format(cpu))
        if isinstance(text, str):
            bare = text.strip()
            masks[bare] = masks.get(bare, 0) | 1 << cpu
        elif not text.is_absent:
            return text
    if not masks:
        return absent(path.format('*'))
    return FrozenDict(
        {text: CPUSet.from_mask(mask) for text, mask in masks.items()}
    )


def _read_cpuinfo(tree: Tree) -> dict[str, Any]:
    """Read the first processor: the others of a socket are like it."""
    text = read_text(tree, '/proc/cpuinfo', _CPUINFO_LIMIT)
    if isinstance(text, Missing):
        return dict.fromkeys(('vendor', 'model', 'flags'), text)
    first = text.partition('\n\n')[0]
    values = {}
    for line in first.splitlines():
        key, colon, value = line.partition(':')
        if colon:
            values[key.strip().lower()] = value.strip()
    nothing = absent('/proc/cpuinfo')
    flags = values.get('flags', values.get('features'))
    return {
        'vendor': values.get('vendor_id', nothing),
        'model': values.get('model name', nothing),
        'flags': nothing if flags is None else tuple(flags.split()),
    }

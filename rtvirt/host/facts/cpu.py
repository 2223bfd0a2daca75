# SPDX-License-Identifier: Apache-2.0
"""Read the processors: cores, caches, frequency and idle states."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any
from typing import Final

from rtvirt.host.facts.single import read_fields
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.host.facts.tree import read_value
from rtvirt.model.cpuset import MAX_CPU
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cpu import CPUFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.facts.parse import parse_list
from rtvirt.model.facts.parse import parse_text
from rtvirt.model.frozendict import FrozenDict

CPU: Final = '/sys/devices/system/cpu'

_NUMBERED: Final = re.compile(r'cpu(\d{1,5})')
_CPUINFO_LIMIT: Final = 1 << 24


def read_cpu_ids(tree: Tree) -> tuple[int, ...]:
    """Return the ids of the CPUs that have a directory, ascending."""
    found = [_NUMBERED.fullmatch(name) for name in tree.names(CPU)]
    ids = sorted(int(match[1]) for match in found if match)
    return tuple(cpu for cpu in ids if cpu <= MAX_CPU)


def read_cpu_facts(tree: Tree, ids: Iterable[int]) -> CPUFacts:
    """Read which CPUs there are and what they share."""
    ids = tuple(ids)
    return CPUFacts(
        **read_fields(tree, CPUFacts),
        **_read_cpuinfo(tree),
        cores=_read_groups(tree, ids, _core_path, f'{CPU}/cpu*/topology'),
        packages=_read_packages(tree, ids),
        l3=_read_groups(tree, ids, _l3_path, f'{CPU}/cpu*/cache'),
    )


def group_by_text(
    tree: Tree, ids: Iterable[int], path: str
) -> FrozenDict[str, CPUSet] | Missing:
    """Return the CPUs that have each value of a per-CPU file.

    :param path: with ``{}`` in place of the CPU's id.
    """
    masks: dict[str, int] = {}
    missing: Missing | None = None
    for cpu in ids:
        text = read_text(tree, path.format(cpu))
        if isinstance(text, Missing):
            missing = missing or text
        else:
            bare = text.strip()
            masks[bare] = masks.get(bare, 0) | 1 << cpu
    if not masks:
        return missing or absent(path.format('*'))
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


def _core_path(_tree: Tree, cpu: int) -> str:
    return f'{CPU}/cpu{cpu}/topology/thread_siblings_list'


def _l3_path(tree: Tree, cpu: int) -> str:
    """Return the path of the list of CPUs that share the L3 of a CPU."""
    for name in _by_preference(tree.names(f'{CPU}/cpu{cpu}/cache')):
        cache = f'{CPU}/cpu{cpu}/cache/{name}'
        if read_value(tree, f'{cache}/level', parse_int) == 3:
            return f'{cache}/shared_cpu_list'
    return f'{CPU}/cpu{cpu}/cache/index3/shared_cpu_list'


def _by_preference(names: Iterable[str]) -> Iterator[str]:
    """Yield the caches, the one first that is the L3 on x86."""
    indices = [name for name in names if name.startswith('index')]
    yield from sorted(indices, key=lambda name: (name != 'index3', name))


def _read_groups(
    tree: Tree, ids: tuple[int, ...], path_of: Any, where: str
) -> tuple[CPUSet, ...] | Missing:
    """Read the sets that CPUs form, one file for each set."""
    groups = []
    seen = 0
    missing: Missing | None = None
    for cpu in ids:
        if seen >> cpu & 1:
            continue
        cpus = read_value(tree, path_of(tree, cpu), parse_list)
        if isinstance(cpus, Missing):
            missing = missing or cpus
        elif cpus.mask & ~seen:
            # A CPU in two sets would contradict itself: the first counts.
            groups.append(CPUSet.from_mask(cpus.mask & ~seen))
            seen |= cpus.mask
    return tuple(groups) if groups else missing or absent(where)


def _read_packages(
    tree: Tree, ids: tuple[int, ...]
) -> FrozenDict[int, CPUSet] | Missing:
    path = f'{CPU}/cpu{{}}/topology/physical_package_id'
    grouped = group_by_text(tree, ids, path)
    if isinstance(grouped, Missing):
        return grouped
    packages = {}
    for text, cpus in grouped.items():
        bare = parse_text(text)
        # The kernel's -1 is a CPU that does not know its socket.
        if bare.isascii() and bare.isdigit() and len(bare) < 10:
            packages[int(bare)] = cpus
    return FrozenDict(packages)

# SPDX-License-Identifier: Apache-2.0
"""Read control groups, of either version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rtvirt.host.facts.memory import read_mounts
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.host.facts.tree import read_value
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cgroup import CgroupFacts
from rtvirt.model.facts.cgroup import Partition
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.facts.parse import parse_list
from rtvirt.model.facts.parse import parse_text
from rtvirt.model.frozendict import FrozenDict

_ROOT: Final = '/sys/fs/cgroup'
_MAX_GROUPS: Final = 4096

# The groups libvirt puts guests below: with systemd, and without.
_ABOVE_GUESTS: Final = ('machine.slice', 'machine')
_GUEST_PREFIXES: Final = ('machine-qemu', 'qemu-')

_INTERFACE_FILES: Final = (
    'cgroup.',
    'cpu.',
    'cpuset.',
    'hugetlb.',
    'io.',
    'irq.',
    'memory.',
    'misc.',
    'pids.',
    'rdma.',
)


def read_cgroup_facts(tree: Tree) -> CgroupFacts:
    """Read controllers, partitions, CPU sets and real-time runtime."""
    mounts = read_mounts(tree)
    if isinstance(mounts, Missing):
        return CgroupFacts(version=mounts, controllers=mounts)
    v1 = {
        controller: path
        for path, kind, options in mounts
        if kind == 'cgroup'
        for controller in options.split(',')
    }
    if 'cpu' in v1:
        return CgroupFacts(
            version=1,
            controllers=_read_v1_controllers(tree),
            rt_runtime_us=_read_rt_runtime(tree, v1['cpu']),
            machine_cpus=_read_machine_cpus(
                tree, v1.get('cpuset', ''), 'cpuset.effective_cpus'
            ),
        )
    if not any(kind == 'cgroup2' for _, kind, _ in mounts):
        return CgroupFacts()
    return CgroupFacts(
        version=2,
        controllers=_read_words(tree, f'{_ROOT}/cgroup.controllers'),
        delegated=_read_words(tree, f'{_ROOT}/cgroup.subtree_control'),
        partitions=_read_partitions(tree),
        isolated=read_value(tree, f'{_ROOT}/cpuset.cpus.isolated', parse_list),
        machine_cpus=_read_machine_cpus(tree, _ROOT, 'cpuset.cpus.effective'),
    )


def _read_words(tree: Tree, path: str) -> tuple[str, ...] | Missing:
    text = read_text(tree, path)
    return text if isinstance(text, Missing) else tuple(text.split())


def _read_v1_controllers(tree: Tree) -> tuple[str, ...] | Missing:
    """Read ``/proc/cgroups``: name, hierarchy, groups, enabled."""
    text = read_text(tree, '/proc/cgroups')
    if isinstance(text, Missing):
        return text
    rows = (line.split() for line in text.splitlines())
    return tuple(row[0] for row in rows if len(row) == 4 and row[3] == '1')


def _read_rt_runtime(tree: Tree, root: str) -> FrozenDict[str, int] | Missing:
    """Read what each group above and of guests may use of real time."""
    groups = ['/']
    for parent in _ABOVE_GUESTS:
        groups.append(f'/{parent}')
        groups.extend(
            f'/{parent}/{name}'
            for name in tree.names(f'{root}/{parent}')[:_MAX_GROUPS]
            if name.startswith(_GUEST_PREFIXES)
        )
    found = {}
    for group in groups:
        path = f'{root}/{group.strip("/")}'.rstrip('/')
        value = read_value(tree, f'{path}/cpu.rt_runtime_us', parse_int)
        if isinstance(value, int):
            found[group] = value
    if not found:
        return absent(f'{root}/cpu.rt_runtime_us')
    return FrozenDict(found)


def _read_machine_cpus(
    tree: Tree, root: str, file: str
) -> FrozenDict[str, CPUSet] | Missing:
    found = {}
    for group in _ABOVE_GUESTS:
        cpus = read_value(tree, f'{root}/{group}/{file}', parse_list)
        if isinstance(cpus, Missing) and not cpus.is_absent:
            return cpus
        # A group that no guest was in yet has none of its own.
        if isinstance(cpus, CPUSet) and cpus:
            found[f'/{group}'] = cpus
    if not found:
        return absent(f'{root}/machine.slice/{file}')
    return FrozenDict(found)


def _read_partitions(tree: Tree) -> tuple[Partition, ...] | Missing:
    """Find the groups, two levels deep, that want to be a partition."""
    found = []
    for group in _groups(tree):
        state = read_value(
            tree, f'{_ROOT}{group}/cpuset.cpus.partition', parse_text
        )
        if isinstance(state, Missing):
            if state.is_absent:
                continue
            return state
        if state == 'member':
            continue
        cpus = read_value(
            tree, f'{_ROOT}{group}/cpuset.cpus.effective', parse_list
        )
        found.append(
            Partition(
                path=group,
                state=state,
                cpus=CPUSet() if isinstance(cpus, Missing) else cpus,
            )
        )
    return tuple(found)


def _groups(tree: Tree) -> Iterator[str]:
    count = 0
    for name in _children(tree, ''):
        yield f'/{name}'
        for child in _children(tree, f'/{name}'):
            count += 1
            if count > _MAX_GROUPS:
                return
            yield f'/{name}/{child}'


def _children(tree: Tree, group: str) -> tuple[str, ...]:
    return tuple(
        name
        for name in tree.names(f'{_ROOT}{group}')
        if not name.startswith(_INTERFACE_FILES)
    )

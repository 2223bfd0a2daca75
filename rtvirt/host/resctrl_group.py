# SPDX-License-Identifier: Apache-2.0
"""The groups of resctrl: who is in them, and what they have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rtvirt.exception import HostError
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.host.facts.tree import read_value
from rtvirt.host.resctrl import read_caches
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import malformed
from rtvirt.model.facts.parse import parse_list
from rtvirt.model.observed import ResctrlGroup
from rtvirt.model.resctrl import CacheAllocation
from rtvirt.model.resctrl import CacheType

_ROOT: Final = '/sys/fs/resctrl'
_ONLINE: Final = '/sys/devices/system/cpu/online'
_RESOURCE: Final = re.compile(r'\s*(L3|L3CODE|L3DATA|MB):([0-9a-fA-F=; ]+)')
_TYPES: Final = {
    'L3': CacheType.BOTH,
    'L3CODE': CacheType.CODE,
    'L3DATA': CacheType.DATA,
}
_TASKS_LIMIT: Final = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Resctrl:
    """The groups of a host.

    :ivar groups: by name; why there are none where they cannot be read.
    :ivar members: of each thread that is in another group than the host's
        own, that group's name.
    """

    groups: Mapping[str, ResctrlGroup] | Missing
    members: Mapping[int, str]

    def group_of(self, tid: int) -> str | Missing:
        """Return the name of the group that a thread is in."""
        if isinstance(self.groups, Missing):
            return self.groups
        return self.members.get(tid, '')


def read_resctrl(tree: Tree) -> Resctrl:
    """Read the groups: empty where resctrl is not mounted, and told so."""
    own = read_text(tree, f'{_ROOT}/schemata')
    if isinstance(own, Missing):
        return Resctrl(groups=own, members={})
    steps = _read_steps(tree)
    if isinstance(steps, Missing):
        return Resctrl(groups=steps, members={})
    groups = {'': _parse_group('', own, steps)}
    members: dict[int, str] = {}
    for name in tree.names(_ROOT):
        text = read_text(tree, f'{_ROOT}/{name}/schemata')
        tasks = read_text(tree, f'{_ROOT}/{name}/tasks', _TASKS_LIMIT)
        if isinstance(text, Missing) or isinstance(tasks, Missing):
            continue  # no group (info, mon_data), or removed meanwhile
        groups[name] = _parse_group(name, text, steps)
        members |= {int(t): name for t in tasks.split() if t.isdecimal()}
    return Resctrl(groups=groups, members=members)


def _read_steps(tree: Tree) -> Mapping[int, int] | Missing:
    """Return the KiB behind each bit of a mask, by the cache's id."""
    online = read_value(tree, _ONLINE, parse_list)
    if isinstance(online, Missing):
        return online
    try:
        caches = read_caches(tree, CPUSet(online))
    except HostError as error:
        return malformed('/sys/devices/system/cpu/cpu*/cache', str(error))
    return {bank.id: bank.granularity_kib for bank in caches}


def _parse_group(
    name: str, schemata: str, steps: Mapping[int, int]
) -> ResctrlGroup:
    caches: list[CacheAllocation] = []
    bandwidth: dict[int, int] = {}
    for resource, values in _RESOURCE.findall(schemata):
        for bank, value in _parse_values(values):
            if resource == 'MB':
                # Some processors take MB/s here, which decimals tell alike.
                bandwidth[bank] = int(value) if value.isdecimal() else 0
                continue
            size_kib = int(value, 16).bit_count() * steps.get(bank, 0)
            if size_kib:
                caches.append(
                    CacheAllocation(
                        bank=bank, type=_TYPES[resource], size_kib=size_kib
                    )
                )
    return ResctrlGroup(name=name, caches=tuple(caches), bandwidth=bandwidth)


def _parse_values(text: str) -> Iterator[tuple[int, str]]:
    """Read ``0=7ff;1=3`` one by one; the kernel may pad numbers."""
    for item in text.replace(' ', '').split(';'):
        bank, _, value = item.partition('=')
        if bank.isdecimal() and len(bank) < 10 and 0 < len(value) <= 64:
            yield int(bank), value

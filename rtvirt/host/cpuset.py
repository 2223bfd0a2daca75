# SPDX-License-Identifier: Apache-2.0
"""The pCPUs that control groups leave to threads, in either version."""

from __future__ import annotations

from typing import Final

from rtvirt.host.facts.memory import read_mounts
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.host.facts.tree import read_value
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.parse import parse_list

_V1: Final = 'cpuset.effective_cpus'
_V2: Final = 'cpuset.cpus.effective'


class Cpusets:
    """The cpusets of a host's control groups, each read once.

    :param tree: the host's files.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._read: dict[str, CPUSet | Missing] = {}
        self._mount, self._file = _find_hierarchy(tree)

    def group_of(self, pid: int, tid: int) -> str | Missing:
        """Return the group that limits a thread's pCPUs.

        Where the controller is on the way down no more (version 2), that is
        a group above its own.
        """
        path = f'/proc/{pid}/task/{tid}/cgroup'
        text = read_text(self._tree, path)
        if isinstance(text, Missing):
            return text
        group = _own_group(text, is_v1=self._file == _V1)
        if not self._mount or group is None:
            return absent(path)
        while group and isinstance(self.cpus_of(group), Missing):
            group = group.rpartition('/')[0]
        return group or '/'

    def cpus_of(self, group: str) -> CPUSet | Missing:
        """Return the pCPUs that a group allows."""
        if group not in self._read:
            path = f'{self._mount}{group.rstrip("/")}/{self._file}'
            self._read[group] = read_value(self._tree, path, parse_list)
        return self._read[group]


def _find_hierarchy(tree: Tree) -> tuple[str, str]:
    """Return where the hierarchy with cpusets is, and its file of pCPUs."""
    mounts = read_mounts(tree)
    if isinstance(mounts, Missing):
        return '', _V2
    for path, kind, options in mounts:
        if kind == 'cgroup' and 'cpuset' in options.split(','):
            return path, _V1
    for path, kind, _options in mounts:
        if kind == 'cgroup2':
            return path, _V2
    return '', _V2


def _own_group(text: str, *, is_v1: bool) -> str | None:
    """Return the group that ``/proc/PID/cgroup`` names in the hierarchy.

    Its lines are ``number:controllers:path``; version 2 has no controllers
    there, and the number 0.
    """
    for line in text.splitlines():
        _number, _, rest = line.partition(':')
        controllers, _, path = rest.partition(':')
        if ('cpuset' in controllers.split(',')) if is_v1 else not controllers:
            return path.rstrip('/')
    return None

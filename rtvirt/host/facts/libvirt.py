# SPDX-License-Identifier: Apache-2.0
"""Read libvirt's daemon, its qemu.conf and the domains that run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from rtvirt.host.facts.config import parse_libvirt_conf
from rtvirt.host.facts.domain import read_held
from rtvirt.host.facts.domain import read_running_domains
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_names
from rtvirt.host.facts.tree import read_text
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.libvirt import LibvirtFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.missing import malformed
from rtvirt.model.facts.task import Task

QEMU_CONF: Final = '/etc/libvirt/qemu.conf'
QEMU_CONF_KEYS: Final = frozenset({'cgroup_controllers', 'hugetlbfs_mount'})
"""What is read of qemu.conf; a snapshot keeps nothing else."""

_DAEMONS: Final = ('virtqemud', 'libvirtd')
_KNOWN: Final = (1 << 48) - 1
"""Room for all capabilities that there are, and some more."""

_CAPABILITIES: Final = re.compile(r'^CapEff:\s*([\da-f]{1,16})$', re.MULTILINE)
_MEMLOCK: Final = re.compile(
    r'^Max locked memory\s+(\d{1,18}|unlimited)\b', re.MULTILINE
)


def read_libvirt_facts(
    tree: Tree,
    tasks: tuple[Task, ...] | Missing,
    cells: Iterable[CPUSet] = (),
) -> LibvirtFacts:
    """Read libvirt's QEMU driver.

    :param tasks: the threads of the host, where the daemon is looked for.
    :param cells: the pCPUs of each host cell, where they are known.
    """
    conf = read_text(tree, QEMU_CONF)
    pid = _daemon(() if isinstance(tasks, Missing) else tasks)
    return LibvirtFacts(
        sockets=read_names(tree, '/run/libvirt'),
        controllers=_setting(conf, 'cgroup_controllers'),
        hugetlbfs_mount=_setting(conf, 'hugetlbfs_mount'),
        capabilities=_read_capabilities(tree, pid),
        memlock_bytes=_read_memlock(tree, pid),
        domains=read_running_domains(tree),
        held=read_held(tree, cells),
    )


def _daemon(tasks: Iterable[Task]) -> int | None:
    for name in _DAEMONS:
        for task in tasks:
            if task.process == name and task.tid == task.pid:
                return task.pid
    return None


def _setting(conf: str | Missing, key: str) -> tuple[str, ...] | Missing:
    if isinstance(conf, Missing):
        return conf
    settings = parse_libvirt_conf(conf)
    return settings.get(key, absent(f'{QEMU_CONF} {key}'))


def _read_capabilities(tree: Tree, pid: int | None) -> int | Missing:
    path = f'/proc/{pid}/status'
    text = absent(path) if pid is None else read_text(tree, path)
    if isinstance(text, Missing):
        return text
    match = _CAPABILITIES.search(text)
    if match is None:
        return malformed(path, 'no CapEff')
    return int(match[1], 16) & _KNOWN


def _read_memlock(tree: Tree, pid: int | None) -> int | Missing:
    path = f'/proc/{pid}/limits'
    text = absent(path) if pid is None else read_text(tree, path)
    if isinstance(text, Missing):
        return text
    match = _MEMLOCK.search(text)
    if match is None:
        return malformed(path, 'no limit of locked memory')
    return -1 if match[1] == 'unlimited' else int(match[1])

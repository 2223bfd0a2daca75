# SPDX-License-Identifier: Apache-2.0
"""Read which daemons run, and how systemd and tuned are set up."""

from __future__ import annotations

import re
import shlex
from typing import Final

from rtvirt.host.facts.config import parse_ini
from rtvirt.host.facts.single import read_fields
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.host.facts.tree import read_value
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cmdline import CommandLine
from rtvirt.model.facts.cmdline import parse_cmdline
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.missing import malformed
from rtvirt.model.facts.parse import parse_list
from rtvirt.model.facts.service import DAEMONS
from rtvirt.model.facts.service import ServiceFacts
from rtvirt.model.facts.service import TunedFacts
from rtvirt.model.facts.task import Task

SYSTEMD: Final = '/etc/systemd/system.conf'
TUNED_VARIABLES: Final = re.compile(
    r'^\s*(isolated_cores)\s*=\s*(\S*)\s*$', re.M
)

PROCESS_LISTS: Final = (
    '/sos_commands/process/ps_auxwwwm',
    '/sos_commands/process/ps_auxwww',
    '/sos_commands/process/ps_alxwww',
)

_TIMERS: Final = '/etc/systemd/system/timers.target.wants'
_NAME_LENGTH: Final = 15
"""How much of a thread's name the kernel keeps (``TASK_COMM_LEN``)."""

_ALLOWED: Final = re.compile(r'^Cpus_allowed_list:\t(.*)$', re.M)
TUNED_BOOT: Final = re.compile(r'^\s*TUNED_BOOT_CMDLINE=(.*)$', re.M)


def read_service_facts(
    tree: Tree, tasks: tuple[Task, ...] | Missing
) -> ServiceFacts:
    """Read daemons and where systemd puts what it starts."""
    return ServiceFacts(
        running=_find_daemons(tree, tasks),
        timers=tree.names(_TIMERS) or absent(_TIMERS),
        cpu_affinity=_read_cpu_affinity(tree),
        init_cpus=_read_init_cpus(tree),
    )


def _find_daemons(
    tree: Tree, tasks: tuple[Task, ...] | Missing
) -> tuple[str, ...] | Missing:
    if isinstance(tasks, Missing):
        return _find_listed_daemons(tree)
    names = {task.process for task in tasks if not task.kernel}
    return tuple(
        sorted(name for name in DAEMONS if name[:_NAME_LENGTH] in names)
    )


def _find_listed_daemons(tree: Tree) -> tuple[str, ...] | Missing:
    """Read the list of processes that a sosreport has."""
    for path in PROCESS_LISTS:
        text = read_text(tree, path, 1 << 24)
        if not isinstance(text, Missing):
            words = set(re.findall(r'[\w.-]+', text))
            return tuple(sorted(DAEMONS & words))
    return absent('/proc/*/comm')


def _read_cpu_affinity(tree: Tree) -> CPUSet | Missing:
    """Read ``CPUAffinity``: the file, then its drop-ins.

    Values add up until an empty one begins anew (systemd-system.conf(5)).
    """
    found: CPUSet | None = None
    for path in _systemd_files(tree):
        text = read_text(tree, path)
        if isinstance(text, Missing):
            if text.is_absent:
                continue
            return text
        for section, key, value in parse_ini(text):
            if (section, key) != ('Manager', 'CPUAffinity'):
                continue
            try:
                cpus = CPUSet.parse(','.join(value.split()))
            except ValueError:
                return malformed(path, repr(value[:60]))
            found = (found or CPUSet()) | cpus if value else None
    return absent(SYSTEMD) if found is None else found


def _systemd_files(tree: Tree) -> tuple[str, ...]:
    drop_ins = f'{SYSTEMD}.d'
    return (
        SYSTEMD,
        *(
            f'{drop_ins}/{name}'
            for name in tree.names(drop_ins)
            if name.endswith('.conf')
        ),
    )


def _read_init_cpus(tree: Tree) -> CPUSet | Missing:
    path = '/proc/1/status'
    text = read_text(tree, path)
    if isinstance(text, Missing):
        return text
    match = _ALLOWED.search(text)
    try:
        return parse_list(match[1] if match else '?')
    except ValueError:
        return malformed(path, 'no Cpus_allowed_list')


def read_tuned_facts(tree: Tree) -> TunedFacts:
    """Read tuned's profile and what it was told to isolate."""
    single = read_fields(tree, TunedFacts)
    profile = single['profile']
    if isinstance(profile, Missing):
        return TunedFacts(**single)
    return TunedFacts(
        profile=profile,
        isolated=_read_isolated_cores(tree, profile),
        cmdline=_read_boot_cmdline(tree),
    )


def _read_isolated_cores(tree: Tree, profile: str) -> CPUSet | Missing:
    """Read ``isolated_cores``; the last profile named has its say."""
    for name in reversed(profile.split()):
        if '/' in name:
            continue
        path = f'/etc/tuned/{name}-variables.conf'
        text = read_text(tree, path)
        if isinstance(text, Missing):
            if text.is_absent:
                continue
            return text
        values = TUNED_VARIABLES.findall(text)
        if values:
            try:
                return CPUSet.parse(values[-1][1])
            except ValueError:
                return malformed(path, repr(values[-1][1][:60]))
    return absent('/etc/tuned/*-variables.conf')


def _read_boot_cmdline(tree: Tree) -> CommandLine | Missing:
    """Read the shell variable that the boot loader's script sources."""

    def parse(text: str) -> CommandLine:
        values = TUNED_BOOT.findall(text)
        last = values[-1] if values else ''
        return parse_cmdline(''.join(shlex.split(last)))

    return read_value(tree, '/etc/tuned/bootcmdline', parse)

# SPDX-License-Identifier: Apache-2.0
"""Read the kernel: how it was built and booted, what it complained of."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from typing import Final

from rtvirt.host.facts.cpu import CPU
from rtvirt.host.facts.cpu import group_by_text
from rtvirt.host.facts.single import read_fields
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.model.facts.kernel import CONFIG_OPTIONS
from rtvirt.model.facts.kernel import KernelFacts
from rtvirt.model.facts.kernel import SchedulerFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.missing import malformed
from rtvirt.model.frozendict import FrozenDict

_CONFIG_LIMIT: Final = 1 << 22
_LOG_LIMIT: Final = 1 << 23
_VULNERABILITIES: Final = f'{CPU}/vulnerabilities'

LOST_TIME: Final = re.compile(
    r'RT throttling activated'
    r'|Marking clocksource .*unstable'
    r'|clocksource: .*(?:unstable|skewed|wd-nsec)'
    r'|hrtimer: interrupt took'
    r'|perf: interrupt took too long'
    r'|self-detected stall|detected stalls on CPUs'
    r'|soft lockup|hard LOCKUP|Hard LOCKUP'
    r'|Broke affinity for irq'
)
"""Lines of the kernel's log that tell of lost time."""

LOG_PATHS: Final = (
    '/dev/kmsg',
    '/var/log/dmesg',
    '/sos_commands/kernel/dmesg',
    '/sos_commands/kernel/dmesg_-T',
)


def read_kernel_facts(tree: Tree) -> KernelFacts:
    """Read what was booted."""
    single = read_fields(tree, KernelFacts)
    return KernelFacts(
        **single,
        config=_read_config(tree, single['release']),
        vulnerabilities=_read_vulnerabilities(tree),
        log=_read_log(tree),
    )


def read_scheduler_facts(tree: Tree, ids: Iterable[int]) -> SchedulerFacts:
    """Read the scheduler's knobs."""
    return SchedulerFacts(
        **read_fields(tree, SchedulerFacts),
        fair_server_ns=group_by_text(
            tree, ids, '/sys/kernel/debug/sched/fair_server/cpu{}/runtime'
        ),
    )


def _read_config(
    tree: Tree, release: str | Missing
) -> FrozenDict[str, str] | Missing:
    """Read the build's configuration from where distributions keep it."""
    path = '/proc/config.gz'
    content = tree.read(path, _CONFIG_LIMIT)
    if not isinstance(content, Missing):
        try:
            # A ceiling on what comes out, whatever went in.
            content = zlib.decompressobj(wbits=31).decompress(
                content, _CONFIG_LIMIT
            )
        except zlib.error as error:
            return malformed(path, str(error))
        return _parse_config(content.decode(errors='replace'))
    if isinstance(release, Missing) or '/' in release:
        return content
    for path in (
        f'/boot/config-{release}',
        f'/lib/modules/{release}/config',
        f'/usr/lib/modules/{release}/config',
    ):
        text = read_text(tree, path, _CONFIG_LIMIT)
        if not isinstance(text, Missing):
            return _parse_config(text)
    return content


def _parse_config(text: str) -> FrozenDict[str, str]:
    found = {}
    for line in text.splitlines():
        name, equals, value = line.partition('=')
        if equals and name in CONFIG_OPTIONS:
            found[name] = value.strip('"')
    return FrozenDict(found)


def _read_vulnerabilities(tree: Tree) -> FrozenDict[str, str] | Missing:
    found = {}
    for name in tree.names(_VULNERABILITIES):
        text = read_text(tree, f'{_VULNERABILITIES}/{name}')
        if isinstance(text, str):
            found[name] = text.strip()
    return FrozenDict(found) if found else absent(_VULNERABILITIES)


def _read_log(tree: Tree) -> tuple[str, ...] | Missing:
    """Read the kernel's log, or what a copy of the host has of it."""
    missing: Missing | None = None
    for path in LOG_PATHS:
        text = read_text(tree, path, _LOG_LIMIT)
        if not isinstance(text, Missing):
            return tuple(
                line.partition(';')[2].strip()
                if path == '/dev/kmsg'
                else line.strip()
                for line in text.splitlines()
                if LOST_TIME.search(line)
            )
        if missing is None or not text.is_absent:
            missing = text
    return missing or absent(LOG_PATHS[0])

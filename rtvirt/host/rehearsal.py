# SPDX-License-Identifier: Apache-2.0
"""A host as it would be with other files on it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Final

from rtvirt.checks import tune
from rtvirt.checks.base import Check
from rtvirt.checks.tune import TuningFile
from rtvirt.host.facts.read import read_tree
from rtvirt.host.facts.tree import LIMIT
from rtvirt.host.facts.tree import MappingTree
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cmdline import CommandLine
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or

_CPU: Final = '/sys/devices/system/cpu'
_SYSCTL: Final = re.compile(r'^([\w.]+)=(.*)$', re.MULTILINE)
_OPTION: Final = re.compile(r'^options (\w+) (\w+)=(\w+)$', re.MULTILINE)
_AFFINITY: Final = re.compile(r'^CPUAffinity=(.*)$', re.MULTILINE)


class _Overlay:
    """Files over those of a tree."""

    def __init__(self, tree: Tree, files: Mapping[str, bytes]) -> None:
        self._below = tree
        self._above = MappingTree(files)

    def read(self, path: str, limit: int = LIMIT) -> bytes | Missing:
        """Return what a file holds."""
        content = self._above.read(path, limit)
        if isinstance(content, Missing):
            return self._below.read(path, limit)
        return content

    def names(self, path: str) -> tuple[str, ...]:
        """Return the entries of a directory, sorted."""
        names = {*self._above.names(path), *self._below.names(path)}
        return tuple(sorted(names))


def rehearse(
    tree: Tree, files: Iterable[TuningFile], rows: Mapping[str, Check]
) -> HostFacts:
    """Read the facts of a host as if these files were installed.

    The files are read as they are printed, by the readers of a host. What
    only the kernel can tell after a boot follows from its command line and
    from the settings.

    :param rows: the table of checks by code.
    """
    by_path = {file.path: file for file in files}
    texts = {path: file.text(rows) for path, file in by_path.items()}
    line = _command_line(tree, by_path[tune.GRUB])
    texts['/proc/cmdline'] = line
    texts['/etc/tuned/active_profile'] = 'realtime-virtual-host'
    texts |= _booted(CommandLine(line))
    for name, value in _SYSCTL.findall(texts[tune.SYSCTL]):
        texts[f'/proc/sys/{name.replace(".", "/")}'] = value
    for module, name, value in _OPTION.findall(texts[tune.MODPROBE]):
        texts[f'/sys/module/{module}/parameters/{name}'] = value
    for cpus in _AFFINITY.findall(texts[tune.SYSTEMD]):
        first = f'Cpus_allowed_list:\t{",".join(cpus.split())}\n'
        texts['/proc/1/status'] = f'Name:\tsystemd\n{first}'
    return read_tree(
        _Overlay(tree, {path: text.encode() for path, text in texts.items()})
    )


def _command_line(tree: Tree, file: TuningFile) -> str:
    """Return the command line: the one there is, with the new parameters."""
    added = CommandLine(tune.boot_parameters(file))
    names = {name for name, _ in added.parameters()}
    present = CommandLine(value_or(read_text(tree, '/proc/cmdline'), ''))
    kept = [
        f'{name}={value}' if value else name
        for name, value in present.parameters()
        if name not in names
    ]
    return ' '.join([*kept, added.text])


def _booted(line: CommandLine) -> dict[str, str]:
    """Return what the kernel would show after a boot with these."""
    isolated = (line.value('isolcpus') or '').removeprefix(
        'managed_irq,domain,'
    )
    affinity = CPUSet.parse(line.value('irqaffinity') or '')
    return {
        f'{_CPU}/isolated': isolated,
        f'{_CPU}/nohz_full': line.value('nohz_full') or '',
        '/proc/irq/default_smp_affinity': f'{affinity.mask:x}',
    }

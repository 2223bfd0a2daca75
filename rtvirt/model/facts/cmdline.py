# SPDX-License-Identifier: Apache-2.0
"""The kernel command line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rtvirt.model.cpuset import CPUSet

_WORD: Final = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_SECRET_NAME: Final = re.compile(
    r'passw|passphrase|secret|token|credential|api_?key', re.IGNORECASE
)
_SECRET_VALUE: Final = re.compile(r':[^@/]*@')
_CPU_LISTS: Final = frozenset(
    {'irqaffinity', 'isolcpus', 'nohz_full', 'rcu_nocbs'}
)
_FLAG: Final = re.compile(r'(?!all\b)[a-z_]+')
_STRIDED: Final = re.compile(r'(\d{1,5})-(\d{1,5}):(\d{1,5})/(\d{1,5})')


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Parameters the kernel was booted with.

    As the kernel does, a dash and an underscore in a name are taken for the
    same, double quotes protect white space, and what follows ``--`` is for
    the first process (``kernel/params.c``, ``parse_args``).
    """

    text: str

    def parameters(self) -> Iterator[tuple[str, str]]:
        """Yield name, with underscores, and value in the order given.

        A parameter without ``=`` has the value ``''``.
        """
        for word in _WORD.findall(self.text):
            if word == '--':
                return
            name, _, value = word.replace('"', '').partition('=')
            yield name.replace('-', '_'), value

    def values(self, name: str) -> tuple[str, ...]:
        """Return the values of a parameter in the order given."""
        wanted = name.replace('-', '_')
        return tuple(v for n, v in self.parameters() if n == wanted)

    def value(self, name: str) -> str | None:
        """Return the last value of a parameter, None where not given."""
        found = self.values(name)
        return found[-1] if found else None

    def has(self, *parameters: str) -> bool:
        """Whether one of these (``nosoftlockup``, ``tsc=reliable``) is in.

        A parameter with a value must have that value, as its last one or,
        for those that take a list, as an item of it.
        """
        for parameter in parameters:
            name, equals, value = parameter.partition('=')
            found = self.value(name)
            if found is not None and (not equals or value in found.split(',')):
                return True
        return False


def parse_cmdline(text: str) -> CommandLine:
    """Read a command line, leaving out what may be a secret.

    Parameters whose name or value looks like one (``rd.iscsi.password=``,
    ``netroot=iscsi:user:password@server``) and what is for the first
    process: no check needs them, and facts are passed around.
    """
    words = []
    for word in _WORD.findall(text):
        if word == '--':
            break
        name, _, value = word.partition('=')
        if not _SECRET_NAME.search(name) and not _SECRET_VALUE.search(value):
            words.append(word)
    return CommandLine(' '.join(words))


def parameter_meaning(name: str, value: str, last: int) -> object:
    """Return a value so that two which mean the same are equal.

    ``0,1`` and ``0-1`` name the same CPUs, and the flags of ``isolcpus=``
    have no order. A value that is no list of CPUs, or no valid one, stands
    for itself.

    :param last: the last possible CPU.
    """
    if name not in _CPU_LISTS or not value:
        return value
    items = value.split(',')
    flags = {item for item in items if _FLAG.fullmatch(item)}
    try:
        cpus = parse_boot_list(
            ','.join(item for item in items if item not in flags), last
        )
    except ValueError:
        return value
    return frozenset(flags), cpus


def parse_boot_list(text: str, last: int) -> CPUSet:
    """Read a CPU list as boot parameters take them.

    Beside ``0-3,8`` there are ``all``, ``N`` for the last CPU, and
    ``0-31:2/8``: the first two of every eight
    (Documentation/admin-guide/kernel-parameters.rst, "cpu lists").

    :param last: the last possible CPU.
    :raises ValueError: if the text is none.
    """
    found = CPUSet()
    for item in text.split(','):
        bare = re.sub(r'\bN\b', str(last), item.strip())
        if bare == 'all':
            bare = f'0-{last}'
        strided = _STRIDED.fullmatch(bare)
        if strided is None:
            found |= CPUSet.parse(bare)
            continue
        first, end, used, group = map(int, strided.groups())
        if group == 0 or used > group:
            raise ValueError(f'{item!r} is no range of groups')
        found |= CPUSet(
            cpu
            for cpu in range(first, end + 1)
            if (cpu - first) % group < used
        )
    return found

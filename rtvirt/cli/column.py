# SPDX-License-Identifier: Apache-2.0
"""Values that a person and a program read in different forms."""

from __future__ import annotations

from typing import Any

from cliff.columns import FormattableColumn

from rtvirt.model.cpuset import CPUSet

ABSENT = '-'
"""What a table shows where there is no value."""


class CPUs(FormattableColumn[Any]):
    """A set of CPUs: ``0-3,8`` in a table, a list of ids elsewhere.

    :param note: what a table says beside it.
    """

    def __init__(self, cpus: CPUSet, note: str = '') -> None:
        super().__init__(list(cpus))
        self.text = str(cpus)
        self._note = note

    def human_readable(self) -> str:
        """Return what a table shows."""
        return ' '.join(filter(None, [self.text, self._note])) or ABSENT


class CPUGroups(FormattableColumn[Any]):
    """Sets of CPUs, as cores are: ``0,4 1,5`` in a table."""

    def __init__(self, groups: tuple[CPUSet, ...]) -> None:
        super().__init__([list(group) for group in groups])
        self.text = ' '.join(map(str, groups))

    def human_readable(self) -> str:
        """Return what a table shows."""
        return self.text or ABSENT


class KiB(FormattableColumn[int]):
    """A size in KiB: ``1 GiB`` in a table, the number elsewhere."""

    def human_readable(self) -> str:
        """Return what a table shows."""
        return format_kib(self._value)


class MiB(FormattableColumn[int]):
    """A size in MiB: ``4 GiB`` in a table, the number elsewhere."""

    def human_readable(self) -> str:
        """Return what a table shows."""
        return format_kib(self._value * 1024)


def format_kib(kib: int) -> str:
    """Return a size in the largest unit that keeps it a whole number."""
    if not kib:
        return '0'
    unit = 0
    while kib % 1024 == 0 and unit < len(_UNITS) - 1:
        kib //= 1024
        unit += 1
    return f'{kib} {_UNITS[unit]}'


_UNITS = ('KiB', 'MiB', 'GiB', 'TiB')


def count(number: int, noun: str) -> str:
    """Return ``1 cell``, ``2 cells``."""
    return f'{number} {noun}' if number == 1 else f'{number} {noun}s'

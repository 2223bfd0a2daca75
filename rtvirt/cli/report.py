# SPDX-License-Identifier: Apache-2.0
"""What a command answers, for a person and for a program."""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Container
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import TextIO

from cliff.columns import FormattableColumn

from rtvirt.cli import column
from rtvirt.cli.exitcode import ExitCode
from rtvirt.exception import ConfigError

if TYPE_CHECKING:
    from rich.text import Text

DOCUMENTS: Final = frozenset({'json', 'yaml'})
"""Formats that print the whole answer as one mapping."""

FLAT: Final = frozenset({'csv', 'value'})
"""Formats that print one line per row, for a shell to cut up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of values.

    :ivar columns: of each column its name for programs and its heading. A
        name says its unit (``memory_mib``), the values of a heading do.
    :ivar rows: texts, whole numbers, None, or columns of cliff.
    :ivar optional: columns that a person does not see while all of their
        values are nought.
    """

    title: str = ''
    columns: Mapping[str, str]
    rows: Sequence[Sequence[Any]]
    optional: Container[str] = ()

    def select(self, names: Iterable[str]) -> Table:
        """Return the table with these columns only.

        :param names: names or headings, in any case.
        :raises ConfigError: if a column is not there.
        """
        wanted = {
            _find(name, self.columns, 'column') for name in names
        } or set(self.columns)
        kept = [name in wanted for name in self.columns]
        return Table(
            title=self.title,
            columns={k: v for k, v in self.columns.items() if k in wanted},
            rows=[
                [value for value, keep in zip(row, kept, strict=True) if keep]
                for row in self.rows
            ],
            optional=self.optional,
        )

    def trim(self) -> Table:
        """Return the table without optional columns that say nothing."""
        return self.select(
            name
            for index, name in enumerate(self.columns)
            if name not in self.optional
            or any(_machine(row[index]) for row in self.rows)
        )

    def for_person(self) -> Iterator[list[Any]]:
        """Return the rows as a table shows them."""
        for row in self.rows:
            yield [_for_person(value) for value in row]

    def for_shell(self) -> Iterator[list[Any]]:
        """Return the rows with CPUs in list format and numbers bare."""
        for row in self.rows:
            yield [_for_shell(value) for value in row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An answer.

    :ivar document: all of it as plain data, with its ``schema_version``.
    :ivar headline: the gist in a sentence.
    :ivar preface: a table that only a person sees, before the others.
    :ivar tables: the same for a person; the first is what csv prints.
    :ivar lines: what a person sees below the tables, drawn for so many
        columns.
    :ivar code: how the command ends.
    """

    document: Mapping[str, Any]
    headline: str = ''
    preface: Table | None = None
    tables: Sequence[Table]
    lines: Callable[[int], Iterable[Text]] | None = None
    code: ExitCode = ExitCode.DONE

    def part(self, names: Iterable[str]) -> Mapping[str, Any]:
        """Return the document with these keys only, or all of it.

        :raises ConfigError: if a key is not there.
        """
        keys = dict.fromkeys(self.document, '')
        wanted = {_find(name, keys, 'key') for name in names}
        if not wanted:
            return self.document
        return {k: v for k, v in self.document.items() if k in wanted}


def heading(text: str, stream: TextIO) -> str:
    """Return a heading, bold where the stream is a terminal with colour."""
    if (
        stream.isatty()
        and not os.environ.get('NO_COLOR')
        and os.environ.get('TERM', 'dumb') != 'dumb'
    ):
        return f'\033[1m{text}\033[0m'
    return text


def printable(text: str) -> str:
    """Escape what would steer a terminal or break the line."""
    return ''.join(
        char if char.isprintable() else f'\\x{ord(char):02x}' for char in text
    )


def _for_person(value: Any) -> Any:
    if value is None or value == '':
        return column.ABSENT
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, FormattableColumn):
        value = value.human_readable()
    return printable(value) if isinstance(value, str) else value


def _for_shell(value: Any) -> Any:
    if isinstance(value, column.CPUs | column.CPUGroups):
        return value.text
    value = _machine(value)
    if value is None:
        return ''
    return printable(value) if isinstance(value, str) else value


def _machine(value: Any) -> Any:
    if isinstance(value, FormattableColumn):
        return value.machine_readable()
    return value


def _find(name: str, titles: Mapping[str, str], what: str) -> str:
    bare = name.strip().lower().replace(' ', '_')
    for key, title in titles.items():
        if bare in {key.lower(), title.lower().replace(' ', '_')}:
            return key
    raise ConfigError(
        f'--column {name!r}: there is no such {what}',
        hint=f'choose one of {", ".join(titles)}',
    )

# SPDX-License-Identifier: Apache-2.0
"""A parser of a tool's output, and what parsers share."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from typing import Final
from typing import NoReturn

from rtvirt.exception import LatencyFormatError
from rtvirt.exception import ModelError
from rtvirt.latency.result import LatencyResult
from rtvirt.model.check import MAX_INT
from rtvirt.model.check import shown

HEAD: Final = 8192
"""So many characters of a text tell what wrote it."""

_DIGITS: Final = re.compile(r'[0-9]{1,19}\Z', re.ASCII)
_WHOLE: Final = 'give all that {tool} wrote, as it wrote it'


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyParser:
    """What an entry point of ``rtvirt.latency_parsers`` names.

    :ivar tool: what it reads, for messages.
    :ivar recognizes: whether a text, of which it gets the first
        :data:`HEAD` characters, was written by the tool.
    :ivar parse: all of the text and the command line that printed it, which
        is empty where it is not known, to the result. It raises
        :class:`~rtvirt.exception.LatencyFormatError` that names the line.
    """

    tool: str
    recognizes: Callable[[str], bool]
    parse: Callable[[str, str], LatencyResult]


def parse_text(
    text: str, parsers: Iterable[LatencyParser], command: str = ''
) -> LatencyResult:
    """Read a text with the parser that recognizes it.

    :raises LatencyFormatError: if none does, or it finds something wrong.
    """
    parsers = tuple(parsers)
    head = text[:HEAD]
    for parser in parsers:
        if parser.recognizes(head):
            return _parse(parser, text, command)
    known = ', '.join(parser.tool for parser in parsers)
    first = next(filter(str.strip, head.splitlines()), '').strip()
    raise LatencyFormatError(
        'line 1: this is not what a latency tool prints'
        + (f': {shown(first)}' if first else ': it is empty'),
        line=1,
        hint=f'give what the tool wrote, as it wrote it; known are {known}',
    )


def _parse(parser: LatencyParser, text: str, command: str) -> LatencyResult:
    """Parse; numbers that cannot be together are an error of the text."""
    try:
        return parser.parse(text, command)
    except ModelError as error:
        raise LatencyFormatError(
            f'the output of {parser.tool} contradicts itself: {error}',
            line=1,
            tool=parser.tool,
            hint=error.hint or _WHOLE.format(tool=parser.tool),
        ) from error


class Lines:
    """A text, line by line, for errors that say where.

    :param tool: whose output it is taken for.
    """

    def __init__(self, text: str, tool: str) -> None:
        self._lines = text.split('\n')
        self._tool = tool
        self._place = 0
        self.is_whole = self._lines[-1] == ''
        if self.is_whole:
            del self._lines[-1]

    @property
    def number(self) -> int:
        """The number of the line that comes next, from 1."""
        return self._place + 1

    def peek(self) -> str | None:
        """Return the next line, None at the end."""
        if self._place < len(self._lines):
            return self._lines[self._place].rstrip('\r')
        return None

    def skip(self) -> None:
        """Go to the next line."""
        self._place += 1

    def take(self, expected: str) -> str:
        """Return the next line and go on; the end is an error."""
        line = self.peek()
        if line is None:
            self.fail(f'the text ends; expected {expected}', self.number)
        self.skip()
        return line

    def fail(self, what: str, number: int | None = None) -> NoReturn:
        """Raise an error about a line, by default the one taken last."""
        fail(self._tool, what, number or self._place)


def fail(tool: str, what: str, line: int) -> NoReturn:
    """Raise an error about a line of a tool's output."""
    raise LatencyFormatError(
        f'line {line}: {what}',
        line=line,
        tool=tool,
        hint=_WHOLE.format(tool=tool),
    )


def whole(text: str) -> int | None:
    """Return a number of decimal digits; None where it is none."""
    if not _DIGITS.match(text):
        return None
    number = int(text)
    return number if number <= MAX_INT else None


def load_json(text: str, tool: str) -> dict[str, Any]:
    """Read a JSON object; a broken one is an error that names the line."""
    try:
        data = json.loads(
            text, object_pairs_hook=_distinct, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        fail(tool, f'this is no JSON: {error.msg}', error.lineno)
    except (ValueError, RecursionError) as error:
        fail(tool, f'this is no JSON of {tool}: {error}', 1)
    if not isinstance(data, dict):
        fail(tool, 'this is no JSON object', 1)
    return data


def line_of(text: str, needle: str) -> int:
    """Return the number of the first line with this in it, else 1."""
    place = text.find(needle)
    return text.count('\n', 0, place) + 1 if place >= 0 else 1


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError('a key is there twice')
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f'{constant} is no number')

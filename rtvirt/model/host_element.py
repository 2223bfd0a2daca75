# SPDX-License-Identifier: Apache-2.0
"""The element ``<host>`` of libvirt's capabilities, as a small tree.

Read with expat alone: no entity is ever declared, because a document type
is refused; nothing outside the document is looked at.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from dataclasses import field
from typing import Final
from typing import TypeVar
from xml.parsers import expat

from rtvirt.exception import HostError
from rtvirt.exception import ModelError
from rtvirt.model.cpuset import CPUSet

E = TypeVar('E', bound=enum.StrEnum)

MAX_SIZE: Final = 1 << 23
"""Bytes of a document; a host with 16384 pCPUs takes about 2 MiB."""

_MAX_ELEMENTS: Final = 1 << 16
_MAX_DEPTH: Final = 16
_CAPABILITIES: Final = 'give what "virsh capabilities" prints'
_MAX_DIGITS: Final = 15
_KEPT: Final = frozenset({'cpu', 'topology', 'cache', 'memory_bandwidth'})
"""The children of <host> that say something about its topology."""

_BYTES: Final = {
    'b': 1,
    'bytes': 1,
    'KB': 1000,
    'k': 1024,
    'KiB': 1024,
    'MiB': 1 << 20,
    'GiB': 1 << 30,
    'TiB': 1 << 40,
}
_SHOWN: Final = 60


@dataclass(slots=True)
class Element:
    """One element.

    :ivar line: where it begins, for messages.
    """

    name: str
    attributes: dict[str, str]
    line: int
    text: str = ''
    children: list[Element] = field(default_factory=list)

    def find(self, path: str) -> list[Element]:
        """Return the descendants under a path of names."""
        found = [self]
        for name in path.split('/'):
            found = [c for e in found for c in e.children if c.name == name]
        return found

    def wrong(self, why: str) -> HostError:
        """Return the error about this element."""
        return HostError(
            f'line {self.line} of the capabilities: <{self.name}> {why}',
            hint=_CAPABILITIES,
        )

    def number(self, attribute: str, default: int | None = None) -> int:
        """Return a whole number; without a default it must be there."""
        text = self.attributes.get(attribute)
        if text is not None:
            return self._to_int(text, attribute)
        if default is None:
            raise self.wrong(f'lacks the attribute {attribute}')
        return default

    def word(self, attribute: str, kind: type[E], default: E) -> E:
        """Return an attribute that is a word of an enumeration."""
        text = self.attributes.get(attribute, default.value)
        try:
            return kind(text)
        except ValueError:
            raise self.wrong(
                f'has the {attribute} {text!r:.{_SHOWN}}: expected one of '
                f'{", ".join(kind)}'
            ) from None

    def kib(self, attribute: str = '') -> int:
        """Return an attribute, or the text, in KiB by ``unit``."""
        number = self.number(attribute) if attribute else self.count()
        unit = self.attributes.get('unit', 'KiB')
        if unit not in _BYTES:
            raise self.wrong(
                f'has the unit {unit!r:.{_SHOWN}}: expected one of '
                f'{", ".join(_BYTES)}'
            )
        return number * _BYTES[unit] // 1024

    def count(self) -> int:
        """Return the text as a whole number."""
        return self._to_int(self.text.strip(), 'text')

    def cpus(self, attribute: str) -> CPUSet:
        """Return a list of CPUs; the empty set where there is none."""
        try:
            return CPUSet.parse(self.attributes.get(attribute, ''))
        except ModelError as error:
            raise self.wrong(f'has a bad {attribute}: {error}') from None

    def _to_int(self, text: str, what: str) -> int:
        if not text.isascii() or not text.isdigit():
            raise self.wrong(
                f'has the {what} {text!r:.{_SHOWN}}: expected a whole number'
            )
        if len(text) > _MAX_DIGITS:
            raise self.wrong(f'has a {what} of more than {_MAX_DIGITS} digits')
        return int(text)


class _Builder:
    """Makes the tree of the elements that matter and skips the rest."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.root: Element | None = None
        self._open: list[Element] = []
        self._depth = 0
        self._elements = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > len(self._open) + 1 or not self._wanted(name):
            return
        line = self.parser.CurrentLineNumber
        self._elements += 1
        if self._elements > _MAX_ELEMENTS or self._depth > _MAX_DEPTH:
            raise HostError(
                f'line {line} of the capabilities: more elements than any '
                'host has',
                hint=_CAPABILITIES,
            )
        element = Element(name, attributes, line)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _wanted(self, name: str) -> bool:
        if self._depth == 2:
            return name == 'host'
        return self._depth != 3 or name in _KEPT

    def _end(self, _name: str) -> None:
        if self._depth == len(self._open):
            self._open.pop()
        self._depth -= 1

    def _characters(self, text: str) -> None:
        if self._depth == len(self._open):
            self._open[-1].text += text

    def _doctype(self, *_details: object) -> None:
        raise HostError(
            f'line {self.parser.CurrentLineNumber} of the capabilities: a '
            'document type is not allowed',
            hint='take the <!DOCTYPE ...> out: libvirt writes none',
        )


def read_host_element(xml: str | bytes) -> Element:
    """Return the element ``<host>`` of a capabilities document.

    :raises HostError: naming what is wrong, and the line.
    """
    if len(xml) > MAX_SIZE:
        raise HostError(
            f'the capabilities are longer than {MAX_SIZE >> 20} MiB',
            hint=_CAPABILITIES,
        )
    builder = _Builder()
    try:
        builder.parser.Parse(xml, True)
    except (expat.ExpatError, UnicodeError, LookupError) as error:
        raise HostError(
            f'these capabilities are no XML: {error}',
            hint=_CAPABILITIES,
        ) from None
    root = builder.root
    if root is None or root.name != 'capabilities':
        raise HostError(
            f'the XML begins with <{root.name if root else ""}>: expected '
            '<capabilities>',
            hint=_CAPABILITIES,
        )
    hosts = root.find('host')
    if len(hosts) != 1:
        raise root.wrong(f'has {len(hosts)} elements <host>: expected one')
    return hosts[0]

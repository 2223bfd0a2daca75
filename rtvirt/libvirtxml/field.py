# SPDX-License-Identifier: Apache-2.0
"""How the fields of an element stand in XML.

A typed element is a frozen dataclass; each field says by its annotation
where it is written, and that alone reads, writes and changes it::

    shares: Annotated[int | None, Leaf('shares', INT)] = None

Attributes are fields of :class:`Attribute`, the element's own text is one of
:class:`Content`, all others are child elements.

What is written has libvirt's own style, ``'`` around values; no ``'`` stands
in it but as such a quote.
"""

from __future__ import annotations

import dataclasses
import functools
from abc import ABC
from abc import abstractmethod
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

from rtvirt.libvirtxml.document import Node
from rtvirt.libvirtxml.edit import Edits
from rtvirt.libvirtxml.kind import Kind
from rtvirt.libvirtxml.kind import to_kib
from rtvirt.libvirtxml.program import Program
from rtvirt.model.check import shown
from rtvirt.model.frozendict import FrozenDict


class Field(ABC):
    """What all fields have.

    :ivar name: the field's name in its dataclass.
    :ivar default: what it is where XML says nothing;
        ``dataclasses.MISSING`` where XML must say it.
    """

    name: str
    default: Any

    def bind(self, name: str, default: Any) -> None:
        """Say whose field it is. Called once, by the codec."""
        self.name = name
        self.default = default

    @property
    def required(self) -> bool:
        """Whether XML must say it."""
        return self.default is dataclasses.MISSING

    @abstractmethod
    def read(self, node: Node) -> Any:
        """Return the value in ``node``.

        Called where something is there, and where something must be.

        :raises DomainXMLError: naming the line and what is wrong there.
        """


def read_value(node: Node, what: str, text: str, kind: Kind[Any]) -> Any:
    """Return the value of a text in ``node``.

    :raises DomainXMLError: naming the line, the element and ``what``.
    """
    try:
        return kind.read(text)
    except ValueError:
        raise node.error(
            f'has {what} {shown(text)}: expected {kind.expected}'
        ) from None


def read_attribute(node: Node, attribute: str, kind: Kind[Any]) -> Any:
    """Return the value of an attribute that must be there.

    :raises DomainXMLError: naming the line, the element and the attribute.
    """
    text = node.attributes.get(attribute)
    if text is None:
        raise node.error(f'lacks the attribute {attribute}')
    return read_value(node, attribute, text, kind)


def _to_kib(node: Node, what: str, number: int, unit: str) -> int:
    try:
        return to_kib(number, unit)
    except ValueError:
        raise node.error(
            f'has {what} {number} with unit {shown(unit)}: expected a size '
            'and a unit of libvirt, as in 4 GiB'
        ) from None


class Attribute(Field):
    """An attribute of the element itself.

    :param always: whether it is written even where it is the default.
    """

    def __init__(
        self, attribute: str, kind: Kind[Any], *, always: bool = False
    ) -> None:
        self.attribute = attribute
        self.kind = kind
        self.always = always

    def read(self, node: Node) -> Any:
        return read_attribute(node, self.attribute, self.kind)

    def code(self, program: Program, item: str) -> str:
        """Return what writes ``item``, a set value, inside an f-string."""
        return f" {self.attribute}='{program.written(self.kind.write, item)}'"

    def edit(self, edits: Edits, node: Node, new: Any) -> None:
        """Change ``node`` so that it reads ``new``."""
        gone = new is None or (new == self.default and not self.always)
        text = None if gone else self.kind.write(new)
        edits.attribute(node, self.attribute, text)


class Amount(Attribute):
    """A size in an attribute, its unit in another one; in KiB here.

    :param unit: what a number without a unit counts.
    """

    def __init__(
        self, attribute: str, kind: Kind[int], *, unit: str = 'KiB'
    ) -> None:
        super().__init__(attribute, kind)
        self.unit = unit

    def read(self, node: Node) -> Any:
        unit = node.attributes.get('unit', self.unit)
        number = read_attribute(node, self.attribute, self.kind)
        return _to_kib(node, self.attribute, number, unit)

    def code(self, program: Program, item: str) -> str:
        return super().code(program, item) + " unit='KiB'"

    def edit(self, edits: Edits, node: Node, new: Any) -> None:
        super().edit(edits, node, new)
        edits.attribute(node, 'unit', 'KiB')


class Content(Field):
    """The text of the element itself."""

    def __init__(self, kind: Kind[Any]) -> None:
        self.kind = kind

    def read(self, node: Node) -> Any:
        return read_value(node, 'the text', node.text, self.kind)

    def edit(self, edits: Edits, node: Node, new: Any) -> None:
        """Change ``node`` so that it reads ``new``."""
        edits.content(node, self.kind.write(new))


class Child(Field):
    """A field that is one child element or several.

    :ivar tag: their name; ``{uri}name`` in a namespace.
    """

    tag: str
    nested: ClassVar[bool] = False
    """Whether equal values may differ in what comparison leaves out."""

    @abstractmethod
    def code(self, program: Program) -> tuple[str, ...]:
        """Return the lines that write ``item``.

        They add to ``body``. ``pad`` is what stands before each element:
        a line end and indentation, or nothing where all is one line.
        """

    @functools.cached_property
    def write(self) -> Callable[[Any, str], str]:
        """The same as a function of ``item`` and ``pad``."""
        program = Program()
        program.add("body = ''", *self.code(program), 'return body')
        return program.compile(f'write_{self.name}', 'item, pad')

    @abstractmethod
    def edit(
        self, edits: Edits, node: Node, pad: str, old: Any, new: Any
    ) -> str:
        """Change ``node``, the parent, so that it reads ``new``.

        :returns: the text of the elements to be put in.
        """


class Flag(Child):
    """True where there is an empty element of that name."""

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def read(self, node: Node) -> bool:
        return node.only(self.tag) is not None

    def code(self, _program: Program) -> tuple[str, ...]:
        return (f"if item: body += f'{{pad}}<{self.tag}/>'",)

    def edit(
        self, edits: Edits, node: Node, pad: str, old: Any, new: Any
    ) -> str:
        if old:
            edits.delete(next(node.all(self.tag)))
        return self.write(new, pad)


class Leaf(Child):
    """A value that is the text of an element, or an attribute of one.

    :param attribute: the attribute that holds it; the text where None.
    :param absent: what the element means without that attribute.
    :param prefix: of an element in a namespace, as it is written.
    """

    def __init__(
        self,
        tag: str,
        kind: Kind[Any],
        attribute: str | None = None,
        *,
        absent: Any = dataclasses.MISSING,
        prefix: str = '',
    ) -> None:
        self.tag = tag
        self.kind = kind
        self.attribute = attribute
        self._absent = absent
        self._prefix = prefix

    def read(self, node: Node) -> Any:
        child = node.one(self.tag)
        if self.attribute is None:
            return read_value(child, 'the text', child.text, self.kind)
        if (
            self._absent is not dataclasses.MISSING
            and self.attribute not in child.attributes
        ):
            return self._absent
        return read_attribute(child, self.attribute, self.kind)

    def code(self, program: Program) -> tuple[str, ...]:
        return self._code(program.written(self.kind.write, 'item'))

    def _code(self, text: str, attributes: str = '') -> tuple[str, ...]:
        uri, _, name = self.tag.rpartition('}')
        if self._prefix:
            name = f'{self._prefix}:{name}'
            attributes = f" xmlns:{self._prefix}='{uri[1:]}'"
        if self.attribute is None:
            element = f'<{name}{attributes}>{text}</{name}>'
        else:
            element = f"<{name} {self.attribute}='{text}'/>"
        return (f'if item is not None: body += f"{{pad}}{element}"',)

    def edit(
        self, edits: Edits, node: Node, pad: str, _old: Any, new: Any
    ) -> str:
        child = node.only(self.tag)
        if child is None:
            return self.write(new, pad)
        if new is None:
            edits.delete(child)
        elif self.attribute is None:
            edits.content(child, self.kind.write(new))
        else:
            edits.attribute(child, self.attribute, self.kind.write(new))
        return ''


class Quantity(Leaf):
    """A size that is the text of an element, with its unit; in KiB here."""

    def read(self, node: Node) -> Any:
        child = node.one(self.tag)
        unit = child.attributes.get('unit', 'KiB')
        number = read_value(child, 'the text', child.text, self.kind)
        return _to_kib(child, 'the size', number, unit)

    def code(self, _program: Program) -> tuple[str, ...]:
        return self._code('{item}', " unit='KiB'")

    def edit(
        self, edits: Edits, node: Node, pad: str, old: Any, new: Any
    ) -> str:
        child = node.only(self.tag)
        if child is not None and new is not None:
            edits.attribute(child, 'unit', 'KiB')
        return super().edit(edits, node, pad, old, new)


class Table(Child):
    """A mapping with one element per entry, which has nothing else.

    :param key: the attribute that is the key, and its kind.
    :param value: the attribute that is the value, and its kind.
    """

    def __init__(
        self,
        tag: str,
        key: tuple[str, Kind[Any]],
        value: tuple[str, Kind[Any]],
    ) -> None:
        self.tag = tag
        self._key, self._key_kind = key
        self._value, self._value_kind = value

    def read(self, node: Node) -> Mapping[Any, Any]:
        found: dict[Any, Any] = {}
        for child in node.all(self.tag):
            key = read_attribute(child, self._key, self._key_kind)
            if key in found:
                raise child.error(f'has {self._key} {key} a second time')
            found[key] = read_attribute(child, self._value, self._value_kind)
        return FrozenDict(found) if found else self.default

    def code(self, program: Program) -> tuple[str, ...]:
        key = program.written(self._key_kind.write, 'k')
        value = program.written(self._value_kind.write, 'v')
        element = f"<{self.tag} {self._key}='{key}' {self._value}='{value}'/>"
        each = f'[f"{{pad}}{element}" for k, v in item.items()]'
        return (f"if item: body += ''.join({each})",)

    def edit(
        self, edits: Edits, node: Node, pad: str, old: Any, new: Any
    ) -> str:
        for child, key in zip(node.all(self.tag), old, strict=True):
            if key not in new:
                edits.delete(child)
            elif new[key] != old[key]:
                text = self._value_kind.write(new[key])
                edits.attribute(child, self._value, text)
        return self.write(
            {key: new[key] for key in new if key not in old}, pad
        )

# SPDX-License-Identifier: Apache-2.0
"""XML read into nodes that know where in the text they stand.

Expat reads the document: it tells the offset of every element, so that what
changes can be replaced in the text itself and all the rest (comments,
quotes, white space, elements nobody here knows) stays byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from typing import NoReturn
from xml.parsers import expat

from rtvirt.exception import DomainXMLError
from rtvirt.model.check import shown

MAX_BYTES: Final = 4 << 20
"""The longest document read. A domain of 512 vCPUs takes 64 KiB."""

MAX_DEPTH: Final = 64
"""The deepest nesting of elements read. libvirt's own is below ten."""

MAX_ELEMENTS: Final = 100_000
"""The most elements read. A domain of 512 vCPUs has 600."""

_UTF_8: Final = 'save it as UTF-8, if it is the right file'

FORMAT: Final = (
    'see what libvirt takes there: https://libvirt.org/formatdomain.html'
)
"""The way out of a value that is wrong."""


class Node:
    """One element.

    :ivar tag: its name; ``{uri}name`` in a namespace.
    :ivar attributes: names, ``{uri}name`` in a namespace, to values.
    :ivar children: the elements in it.
    :ivar text: the text that stands directly in it.
    :ivar line: where it begins, counted from 1.
    :ivar start: offset of its start tag.
    :ivar stop: offset of its end tag, or behind it where ``<tag/>`` is all.
    """

    __slots__ = (
        'attributes',
        'children',
        'line',
        'start',
        'stop',
        'tag',
        'text',
    )

    def __init__(
        self, tag: str, attributes: dict[str, str], line: int, start: int
    ) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Node] = []
        self.text = ''
        self.line = line
        self.start = start
        self.stop = start

    def all(self, tag: str) -> Iterator[Node]:
        """Return the children of that name."""
        return (child for child in self.children if child.tag == tag)

    def only(self, tag: str) -> Node | None:
        """Return the one child of that name, or None.

        :raises DomainXMLError: if there are more.
        """
        found = list(self.all(tag))
        if len(found) > 1:
            raise found[1].error('stands there a second time')
        return found[0] if found else None

    def one(self, tag: str) -> Node:
        """Return the one child of that name.

        :raises DomainXMLError: if there is none, or more.
        """
        found = self.only(tag)
        if found is None:
            raise self.error(f'lacks the element <{tag:.60}>')
        return found

    def error(self, what: str) -> DomainXMLError:
        """Return an error that says where this element is."""
        name = self.tag.rpartition('}')[2]
        return DomainXMLError(
            f'line {self.line}: <{name:.60}> {what}', hint=FORMAT
        )


class Document:
    """A text and its elements.

    :param text: a document; bytes must be UTF-8.
    :raises DomainXMLError: if it is not well-formed, is larger than
        :data:`MAX_BYTES`, :data:`MAX_DEPTH` and :data:`MAX_ELEMENTS`
        allow, or has a document type definition. Entities are therefore
        never expanded, and nothing outside is ever read.
    """

    __slots__ = ('root', 'source')

    def __init__(self, text: str | bytes) -> None:
        self.source = _to_bytes(text)
        self.root = _parse(self.source)


def _to_bytes(text: str | bytes) -> bytes:
    # The length first: encoding a long text takes its time.
    if len(text) <= MAX_BYTES:
        try:
            source = text.encode() if isinstance(text, str) else bytes(text)
            source.decode()
        except UnicodeError as error:
            raise DomainXMLError(
                f'not XML in UTF-8: {error}', hint=_UTF_8
            ) from None
        # Expat would take it for UTF-16, whatever it was told.
        if b'\0' in source:
            raise DomainXMLError(
                'not XML in UTF-8: there are zero bytes', hint=_UTF_8
            )
        if len(source) <= MAX_BYTES:
            return source
    raise DomainXMLError(
        f'the document is longer than {MAX_BYTES} bytes',
        hint='a domain of 512 vCPUs takes some 64 KiB: look whether it is '
        'the right file',
    )


def _refuse_doctype(*_args: object) -> NoReturn:
    raise DomainXMLError(
        'the document has a document type definition (<!DOCTYPE ...>), '
        'which is never read',
        hint='take it out: libvirt needs none',
    )


def _check_declaration(
    _version: str, encoding: str | None, _standalone: int
) -> None:
    if (encoding or 'utf-8').lower() not in {'utf-8', 'us-ascii', 'ascii'}:
        raise DomainXMLError(
            f'the document declares the encoding {shown(encoding)}: expected '
            'UTF-8',
            hint='convert it, for example with iconv, and change its first '
            'line',
        )


def _parse(source: bytes) -> Node:
    parser = expat.ParserCreate('UTF-8', '}')
    parser.buffer_text = True
    stack: list[Node] = []
    texts: list[list[str]] = []
    root: list[Node] = []
    count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        # Expat, given a separator, puts it between uri and name only.
        node = Node(
            '{' + tag if '}' in tag else tag,
            attributes,
            parser.CurrentLineNumber,
            parser.CurrentByteIndex,
        )
        if len(stack) >= MAX_DEPTH:
            raise node.error(f'stands deeper than {MAX_DEPTH} elements')
        if count > MAX_ELEMENTS:
            raise node.error(f'is one more than {MAX_ELEMENTS} elements')
        (stack[-1].children if stack else root).append(node)
        stack.append(node)
        texts.append([])

    def end(_tag: str) -> None:
        node = stack.pop()
        node.text = ''.join(texts.pop())
        node.stop = parser.CurrentByteIndex

    def data(text: str) -> None:
        texts[-1].append(text)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    parser.XmlDeclHandler = _check_declaration
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(source, True)
    except expat.ExpatError as error:
        raise DomainXMLError(
            f'line {error.lineno}: not well-formed XML: '
            f'{expat.ErrorString(error.code)}',
            hint='correct it there; "xmllint --noout FILE" shows the place',
        ) from None
    return root[0]

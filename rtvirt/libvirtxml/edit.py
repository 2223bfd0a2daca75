# SPDX-License-Identifier: Apache-2.0
"""Changes to the text of a document, each as small as can be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

from rtvirt.libvirtxml.document import Document
from rtvirt.libvirtxml.document import Node

_START_TAG: Final = re.compile(
    rb'<(?P<name>[^\s/>]+)'
    rb'(?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|\'[^\']*\'))*'
    rb'(?P<space>\s*)(?P<slash>/?)>'
)
_ATTRIBUTE: Final = re.compile(
    rb'\s+(?P<name>[^\s=]+)\s*=\s*(?P<quote>["\'])(?P<value>.*?)(?P=quote)',
    re.DOTALL,
)
_QUOTE: Final = re.compile(rb'=\s*(["\'])')
_REMARK: Final = re.compile(
    rb'(?:[ \t]*<!--(?:(?!-->)[^\r\n])*-->)+(?=[ \t]*\r?\n)'
)
_STEP: Final = '  '


class Edits:
    """Changes collected, then made all at once.

    No two may touch the same part of the text; what is inserted at one
    place stands in the order it was asked for.

    :param document: the text, and the nodes that were read from it.
    """

    def __init__(self, document: Document) -> None:
        self._source = document.source
        self._changes: list[tuple[int, int, str]] = []
        quote = _QUOTE.search(self._source, document.root.start)
        self._quote = quote[1].decode() if quote else "'"

    def attribute(self, node: Node, name: str, text: str | None) -> None:
        """Set an attribute to an escaped text, or take it off."""
        tag = self._start_tag(node)
        raw = name.encode()
        for found in _ATTRIBUTE.finditer(self._source, node.start, tag.end()):
            if found['name'] == raw:
                if text is None:
                    self._replace(found.start(), found.end(), '')
                else:
                    self._replace(*found.span('value'), text)
                return
        if text is not None:
            where = tag.start('space')
            quoted = f' {name}={self._quote}{text}{self._quote}'
            self._replace(where, where, quoted)

    def content(self, node: Node, text: str) -> None:
        """Replace all that stands between the tags by an escaped text."""
        tag = self._start_tag(node)
        if tag['slash']:
            self._open(tag, text)
        else:
            self._replace(tag.end(), node.stop, text)

    def delete(self, node: Node) -> None:
        """Take an element out, and the line it stood on."""
        self._replace(self._break(node.start)[0], self._end(node), '')

    def replace(self, node: Node, text: str) -> None:
        """Put another element where one was.

        :param text: as :meth:`insert` takes it.
        """
        text = self._quoted(text.lstrip())
        self._replace(node.start, self._end(node), text)

    def insert(
        self,
        parent: Node,
        texts: Sequence[tuple[int, str]],
        ranks: Mapping[str, int],
    ) -> None:
        """Put new elements where they belong among the children.

        Each goes behind the last child of its own rank, else behind the
        last that does not rank above it.

        :param texts: rank and text of each, by ascending rank; a text
            begins with what :meth:`pad` gave and has ``'`` as a quote
            alone, which becomes the document's own.
        :param ranks: of the children, by tag. Others have no say.
        """
        if not texts:
            return
        texts = [(rank, self._quoted(text)) for rank, text in texts]
        tag = self._start_tag(parent)
        if tag['slash']:
            self._open(tag, ''.join(text for _, text in texts), parent)
            return
        ends = [
            (ranks[child.tag], self._end(child))
            for child in parent.children
            if child.tag in ranks
        ]
        for rank, text in texts:
            same = [end for known, end in ends if known == rank]
            before = same or [end for known, end in ends if known < rank]
            where = self._past_remark(max(before, default=tag.end()), text)
            self._replace(where, where, text)

    def pad(self, parent: Node) -> str:
        """Return what stands before a new child: line end and indentation.

        Empty in a document that is not broken into lines.
        """
        if parent.children:
            return self._break(parent.children[0].start)[1]
        outer = self._break(parent.start)[1]
        return outer + _STEP if outer else ''

    def is_bare(self, node: Node) -> bool:
        """Whether there are only elements in it, and nothing in its tag."""
        tag = self._start_tag(node)
        if node.attributes:
            return False
        if tag['slash']:
            return True
        where = tag.end()
        for child in node.children:
            if self._source[where : child.start].strip():
                return False
            where = self._end(child)
        return not self._source[where : node.stop].strip()

    def apply(self) -> bytes:
        """Return the text with all changes made."""
        parts = []
        where = 0
        # The sort is stable: what is inserted at one place stays in order.
        for start, end, text in sorted(
            self._changes, key=lambda change: change[:2]
        ):
            parts.append(self._source[where:start])
            parts.append(text.encode())
            where = end
        parts.append(self._source[where:])
        return b''.join(parts)

    def _past_remark(self, where: int, text: str) -> int:
        """Return the end of the line, if only comments stand before it.

        A remark behind an element is about that element.
        """
        remark = _REMARK.match(self._source, where)
        return remark.end() if remark and text[0] in '\r\n' else where

    def _quoted(self, text: str) -> str:
        return text.replace("'", self._quote)

    def _replace(self, start: int, end: int, text: str) -> None:
        self._changes.append((start, end, text))

    def _open(
        self, tag: re.Match[bytes], text: str, node: Node | None = None
    ) -> None:
        """Turn ``<tag/>`` into ``<tag>text</tag>``."""
        name = tag['name'].decode()
        outer = self._break(node.start)[1] if node else ''
        inner = f'>{text}{outer}</{name}>'
        self._replace(tag.start('slash'), tag.end(), inner)

    def _start_tag(self, node: Node) -> re.Match[bytes]:
        found = _START_TAG.match(self._source, node.start)
        if found is None:  # expat would have refused it
            raise node.error('has no start tag')
        return found

    def _end(self, node: Node) -> int:
        if self._start_tag(node)['slash']:
            return node.stop
        return self._source.index(b'>', node.stop) + 1

    def _break(self, where: int) -> tuple[int, str]:
        """Return where the white space before ``where`` begins, and it.

        It is the line end and the indentation, where an element is the
        first on its line; else the offset is that of the blanks before it,
        and the text is empty.
        """
        # An indentation longer than this is none.
        head = self._source[max(0, where - 512) : where]
        bare = head.rstrip(b' \t')
        if bare.endswith(b'\n'):
            bare = bare[:-2] if bare.endswith(b'\r\n') else bare[:-1]
            return where - len(head) + len(bare), head[len(bare) :].decode()
        return where - len(head) + len(bare), ''

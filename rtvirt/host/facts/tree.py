# SPDX-License-Identifier: Apache-2.0
"""A host's files, wherever they lie."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Final
from typing import Protocol
from typing import TypeVar

from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.missing import malformed

T = TypeVar('T')

LIMIT: Final = 1 << 20
"""How many bytes a file may have, unless the reader expects more."""

_MAX_SHOWN: Final = 60


class Tree(Protocol):
    """Files by their path from the host's root (``/proc/cmdline``)."""

    def read(self, path: str, limit: int = LIMIT) -> bytes | Missing:
        """Return what a file holds.

        A file longer than ``limit`` bytes is malformed: nothing that is
        read here has a reason to be.
        """

    def names(self, path: str) -> tuple[str, ...]:
        """Return the entries of a directory, sorted; none if it is not."""


class MappingTree:
    """Files kept in memory.

    :param files: contents by path; a :class:`Missing` stands for a file
        that is known not to be readable.
    """

    def __init__(self, files: Mapping[str, bytes | Missing]) -> None:
        self._files = files
        self._names: dict[str, set[str]] = {}
        for path in files:
            self._add(path)

    def _add(self, path: str) -> None:
        while path:
            path, _, name = path.rpartition('/')
            known = self._names.setdefault(path, set())
            if name in known:
                return
            known.add(name)

    def read(self, path: str, limit: int = LIMIT) -> bytes | Missing:
        """Return what a file holds."""
        content = self._files.get(path)
        if content is None:
            return absent(path)
        if isinstance(content, bytes) and len(content) > limit:
            return too_long(path, limit)
        return content

    def names(self, path: str) -> tuple[str, ...]:
        """Return the entries of a directory, sorted."""
        return tuple(sorted(self._names.get(path.rstrip('/'), ())))


def too_long(path: str, limit: int) -> Missing:
    """Return that a file has more bytes than it may."""
    return malformed(path, f'it is longer than {limit} bytes')


def read_text(tree: Tree, path: str, limit: int = LIMIT) -> str | Missing:
    """Return a file's text; bytes that are no UTF-8 are replaced."""
    content = tree.read(path, limit)
    if isinstance(content, Missing):
        return content
    return content.decode(errors='replace')


def read_value(
    tree: Tree, path: str, parse: Callable[[str], T]
) -> T | Missing:
    """Return the value that a file holds.

    :param parse: text to value, raising ``ValueError``.
    """
    text = read_text(tree, path)
    if isinstance(text, Missing):
        return text
    try:
        return parse(text)
    except ValueError:
        bare = text.strip()
        shown = bare if len(bare) <= _MAX_SHOWN else bare[:_MAX_SHOWN] + '...'
        return malformed(path, repr(shown))


def read_names(tree: Tree, path: str) -> tuple[str, ...] | Missing:
    """Return a directory's entries, or why there are none to be seen."""
    names = tree.names(path)
    if names:
        return names
    # No directory can be read as a file: one that is there, and may be
    # entered, is absent as such.
    content = tree.read(path)
    return content if isinstance(content, Missing) else absent(path)

# SPDX-License-Identifier: Apache-2.0
"""Fields that are typed elements themselves."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Container
from collections.abc import Hashable
from collections.abc import Mapping
from typing import Any

from rtvirt.libvirtxml.codec import STEP
from rtvirt.libvirtxml.codec import codec_of
from rtvirt.libvirtxml.document import Node
from rtvirt.libvirtxml.edit import Edits
from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.field import Child
from rtvirt.libvirtxml.field import read_attribute
from rtvirt.libvirtxml.kind import Kind
from rtvirt.libvirtxml.program import Program
from rtvirt.model.frozendict import FrozenDict


def is_known(edits: Edits, node: Node, tags: Container[str]) -> bool:
    """Whether nothing but elements of these names is in ``node``."""
    return edits.is_bare(node) and all(
        child.tag in tags for child in node.children
    )


class Wrapped(Child):
    """A field whose elements have another one around them, and no more.

    :param child: the field.
    :param meaning: whether the outer element means something when it is
        empty; the field is None then where there is none.
    """

    nested = True

    def __init__(
        self, tag: str, child: Child, *, meaning: bool = False
    ) -> None:
        self.tag = tag
        self._child = child
        self._meaning = meaning

    def bind(self, name: str, default: Any) -> None:
        super().bind(name, default)
        self._child.bind(name, () if self._meaning else default)

    def read(self, node: Node) -> Any:
        inner = node.one(self.tag)
        if any(inner.all(self._child.tag)):
            return self._child.read(inner)
        return self._child.default

    def code(self, program: Program) -> tuple[str, ...]:
        empty = f'f"{{pad}}<{self.tag}/>"' if self._meaning else '""'
        whole = f'f"{{pad}}<{self.tag}>{{body}}{{pad}}</{self.tag}>"'
        return (
            f'if {program.unlike("item", self.default)}:',
            '    before, body, around = body, "", pad',
            f'    pad = pad and pad + "{STEP}"',
            *[f'    {line}' for line in self._child.code(program)],
            '    pad = around',
            f'    if body: body = {whole}',
            f'    body = before + (body or {empty})',
        )

    def edit(
        self, edits: Edits, node: Node, pad: str, old: Any, new: Any
    ) -> str:
        inner = node.only(self.tag)
        if inner is None:
            return self.write(new, pad)
        gone = self.write(old, '') and not self.write(new, '')
        if gone and is_known(edits, inner, {self._child.tag}):
            edits.delete(inner)
            return ''
        child = self._child
        if old == new and not child.nested:
            return ''
        empty = child.default
        text = child.edit(
            edits,
            inner,
            edits.pad(inner),
            empty if old is None else old,
            empty if new is None else new,
        )
        edits.insert(inner, [(0, text)] if text else [], {child.tag: 0})
        return ''


class Nested(Child):
    """One typed element, or None where there is none.

    :param identity: what makes two values the same thing; where it
        differs, the element is written anew and nothing of it is kept.
    """

    nested = True

    def __init__(
        self,
        cls: type[Element],
        *,
        identity: Callable[[Any], Hashable] = type,
    ) -> None:
        self.cls = cls
        self.tag = cls.TAG
        self._identity = identity

    def read(self, node: Node) -> Any:
        return codec_of(self.cls).read(node.one(self.tag))

    def code(self, program: Program) -> tuple[str, ...]:
        write = program.name(codec_of(self.cls).write)
        return (f'if item is not None: body += {write}(item, pad)',)

    def edit(
        self, edits: Edits, node: Node, pad: str, old: Any, new: Any
    ) -> str:
        child = node.only(self.tag)
        if child is None:
            return self.write(new, pad)
        if new is None:
            edits.delete(child)
        elif self._identity(old) != self._identity(new):
            edits.replace(child, self.write(new, pad))
        else:
            codec_of(self.cls).edit(edits, child, old, new)
        return ''


class Group(Nested):
    """One typed element that means nothing when it is empty.

    Its default is the empty one, and never written.
    """

    def code(self, program: Program) -> tuple[str, ...]:
        write = program.name(codec_of(self.cls).write_if_any)
        default = program.name(self.default)
        return (f'if item is not {default}: body += {write}(item, pad)',)

    def edit(
        self, edits: Edits, node: Node, pad: str, old: Any, new: Any
    ) -> str:
        child = node.only(self.tag)
        if child is None or self.write(new, '') or not self.write(old, ''):
            return super().edit(edits, node, pad, old, new)
        if is_known(edits, child, codec_of(self.cls).tags):
            edits.delete(child)
            return ''
        return super().edit(edits, node, pad, old, new)


class Repeated(Child):
    """Typed elements in the order of the document, as a tuple.

    :param identity: what makes two values the same thing, so that one can
        be changed into the other; the value itself where None.
    """

    nested = True

    def __init__(
        self,
        cls: type[Element],
        *,
        identity: Callable[[Any], Hashable] | None = None,
    ) -> None:
        self.cls = cls
        self.tag = cls.TAG
        self._identity = identity or (lambda value: value)

    def read(self, node: Node) -> tuple[Any, ...]:
        codec = codec_of(self.cls)
        return tuple([codec.read(child) for child in node.all(self.tag)])

    def code(self, program: Program) -> tuple[str, ...]:
        write = program.name(codec_of(self.cls).write)
        return (f'for one in item: body += {write}(one, pad)',)

    def edit(
        self, edits: Edits, node: Node, pad: str, _old: Any, new: Any
    ) -> str:
        wanted: dict[Hashable, list[Any]] = {}
        for item in new:
            wanted.setdefault(self._identity(item), []).append(item)
        codec = codec_of(self.cls)
        for child in node.all(self.tag):
            before = codec.read(child)
            same = wanted.get(self._identity(before))
            if same:
                codec.edit(edits, child, before, same.pop(0))
            else:
                edits.delete(child)
        left = [item for items in wanted.values() for item in items]
        return self.write(left, pad)


class Keyed(Child):
    """Typed elements by one of their attributes, as a mapping.

    :param key: the attribute, which is no field of the element.
    """

    nested = True

    def __init__(self, cls: type[Element], key: str, kind: Kind[Any]) -> None:
        self.cls = cls
        self.tag = cls.TAG
        self._key = key
        self._kind = kind

    def read(self, node: Node) -> Mapping[Any, Any]:
        codec = codec_of(self.cls)
        found: dict[Any, Any] = {}
        for child in node.all(self.tag):
            key = self._read_key(child, len(found))
            if key in found:
                raise child.error(f'has {self._key} {key} a second time')
            found[key] = codec.read(child)
        return FrozenDict(found) if found else self.default

    def _read_key(self, node: Node, _position: int) -> Any:
        """Return the key of an element, here one that must have it."""
        return read_attribute(node, self._key, self._kind)

    def code(self, program: Program) -> tuple[str, ...]:
        write = program.name(codec_of(self.cls).write)
        key = program.written(self._kind.write, 'k')
        head = f"{self.tag} {self._key}='{key}'"
        return (
            'for k, one in item.items():',
            f'    body += {write}(one, pad, f"{head}")',
        )

    def edit(
        self, edits: Edits, node: Node, pad: str, old: Any, new: Any
    ) -> str:
        codec = codec_of(self.cls)
        for child, key in zip(node.all(self.tag), old, strict=True):
            if key in new:
                codec.edit(edits, child, old[key], new[key])
            else:
                edits.delete(child)
        return self.write(
            {key: new[key] for key in new if key not in old}, pad
        )


class Numbered(Keyed):
    """Like :class:`Keyed`, by a number that is the position if not given."""

    def _read_key(self, node: Node, position: int) -> Any:
        if self._key in node.attributes:
            return super()._read_key(node, position)
        return position

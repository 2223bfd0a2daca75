# SPDX-License-Identifier: Apache-2.0
"""Reading, writing and changing the elements of one class."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any
from typing import Final
from typing import get_type_hints

from rtvirt.libvirtxml.document import Node
from rtvirt.libvirtxml.edit import Edits
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.field import Child
from rtvirt.libvirtxml.field import Content
from rtvirt.libvirtxml.program import Program

STEP: Final = '  '
"""The indentation of an element against that of its parent."""


class Codec:
    """Reads, writes and changes elements of one class.

    :param cls: the dataclass, its fields annotated.
    """

    def __init__(self, cls: type[Any]) -> None:
        self._cls = cls
        self.attributes: list[Attribute] = []
        self.content: Content | None = None
        self.children: list[Child] = []
        hints = get_type_hints(cls, include_extras=True)
        for item in dataclasses.fields(cls):
            if not hasattr(hints[item.name], '__metadata__'):
                continue
            field = hints[item.name].__metadata__[0]
            field.bind(item.name, item.default)
            if isinstance(field, Attribute):
                self.attributes.append(field)
            elif isinstance(field, Content):
                self.content = field
            else:
                self.children.append(field)
        self.tags = [child.tag for child in self.children]
        order = cls.ORDER or self.tags
        self._ranks = {tag: rank for rank, tag in enumerate(order)}

    def read(self, node: Node, **given: Any) -> Any:
        """Return the typed element.

        :param given: fields that do not come from the node.
        """
        for field in self.attributes:
            if field.required or field.attribute in node.attributes:
                given[field.name] = field.read(node)
        if self.content is not None:
            given[self.content.name] = self.content.read(node)
        present = {child.tag for child in node.children}
        for child in self.children:
            if child.required or child.tag in present:
                given[child.name] = child.read(node)
        return self._cls(**given)

    @functools.cached_property
    def write(self) -> Callable[..., str]:
        """The function that writes an element.

        Called with the element, what stands before its start tag (a line
        end and indentation, or nothing where all is one line), and, if
        there is more in its start tag, the start of that.
        """
        return self._compile('f"{pad}<{head}/>"')

    @functools.cached_property
    def write_if_any(self) -> Callable[..., str]:
        """The same, but it writes nothing if nothing is in the element."""
        return self._compile('f"{pad}<{head}/>" if head != TAG else ""')

    def _compile(self, empty: str) -> Callable[..., str]:
        tag = self._cls.TAG
        program = Program()
        for always, fields in itertools.groupby(
            self.attributes, lambda field: field.required or field.always
        ):
            if always:
                texts = [it.code(program, f'value.{it.name}') for it in fields]
                program.add(f'head += f"{"".join(texts)}"')
                continue
            for field in fields:
                program.add(
                    f'item = value.{field.name}',
                    f'if {program.unlike("item", field.default)}:',
                    f'    head += f"{field.code(program, "item")}"',
                )
        if self.content is not None:
            body = program.written(
                self.content.kind.write, f'value.{self.content.name}'
            )
            program.add(f'return f"{{pad}}<{{head}}>{body}</{tag}>"')
        else:
            self._add_children(program, empty)
        return program.compile(f'write_{tag}', f'value, pad, head="{tag}"')

    def _add_children(self, program: Program, empty: str) -> None:
        tag = self._cls.TAG
        if self.children:
            program.add(
                "body = ''",
                'outer = pad',
                f"pad = pad and pad + '{STEP}'",
            )
            for child in self.children:
                program.add(f'item = value.{child.name}')
                program.add(*child.code(program))
            program.add(
                f'if body: return f"{{outer}}<{{head}}>{{body}}{{outer}}'
                f'</{tag}>"',
                'pad = outer',
            )
        program.add(f'return {empty}'.replace('TAG', f'"{tag}"'))

    def edit(self, edits: Edits, node: Node, old: Any, new: Any) -> None:
        """Change ``node``, which reads ``old``, so that it reads ``new``.

        What reads the same is not touched, nor is what no field knows.
        """
        for field in self.attributes:
            item = getattr(new, field.name)
            if item != getattr(old, field.name):
                field.edit(edits, node, item)
        if self.content is not None:
            item = getattr(new, self.content.name)
            if item != getattr(old, self.content.name):
                self.content.edit(edits, node, item)
        pad = edits.pad(node)
        texts = []
        for child in self.children:
            before, after = getattr(old, child.name), getattr(new, child.name)
            if before is after or (not child.nested and before == after):
                continue
            text = child.edit(edits, node, pad, before, after)
            if text:
                texts.append((self._ranks[child.tag], text))
        edits.insert(node, sorted(texts), self._ranks)


_CODECS: Final[dict[type[Any], Codec]] = {}


def codec_of(cls: type[Any]) -> Codec:
    """Return the codec of a class, made when first asked for."""
    codec = _CODECS.get(cls)
    if codec is None:
        codec = _CODECS[cls] = Codec(cls)
    return codec

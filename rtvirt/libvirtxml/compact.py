# SPDX-License-Identifier: Apache-2.0
"""The model as the shortest JSON that :func:`~rtvirt.model.plain.load` reads.

For what is written often and read seldom: the plan that every domain
carries. ``dump`` and ``json`` would take longer than all the rest of the
document, so a function is made for each class, from the types of its fields.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Any
from typing import Final

from rtvirt.libvirtxml.program import Program
from rtvirt.model.cpuset import CPUSet


def to_compact_json(value: Any) -> str:
    """Return what ``dump`` makes of a dataclass, but for what goes unsaid.

    Fields that have their default are left out, and a CPU set is a text.

    :raises TypeError: if something in it has no plain form.
    """
    kind: Any = type(value)
    return _writer_of(kind)(value)


_SCALARS: Final[dict[Any, Callable[[Any], str]]] = {
    bool: {True: 'true', False: 'false'}.__getitem__,
    float: float.__repr__,
    int: str,
    str: encode_basestring_ascii,
    CPUSet: lambda cpus: f'"{cpus}"',
}


@functools.cache
def _writer_of(kind: Any) -> Callable[[Any], str]:
    """Return what writes values of a type."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        plain: Any = type(next(iter(kind)).value)
        write = _writer_of(plain)
        return {member: write(member.value) for member in kind}.__getitem__
    program = Program()
    if dataclasses.is_dataclass(kind):
        _add_dataclass(program, kind)
        return program.compile('write', 'value')
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {types.UnionType, typing.Union}:
        return _union_writer(arguments)
    if origin is tuple:
        program.add(f"items = [f'{_piece(program, arguments[0])}'")
        program.add('for it in value]', "return f'[{\",\".join(items)}]'")
    elif origin is Mapping:
        key, item = arguments
        # JSON has keys as texts only.
        name = '"{key}"' if key is int else _piece(program, key, 'key')
        program.add(f"items = [f'{name}:{_piece(program, item)}'")
        program.add('for key, it in value.items()]')
        program.add("return f'{{{\",\".join(items)}}}'")
    else:
        raise TypeError(f'{kind} has no plain form')
    return program.compile('write', 'value')


def _union_writer(kinds: tuple[Any, ...]) -> Callable[[Any], str]:
    rest = [kind for kind in kinds if kind is not types.NoneType]
    # None is most often the default, and left out as such.
    write = _writer_of(rest[0]) if len(rest) == 1 else to_compact_json
    return lambda value: 'null' if value is None else write(value)


def _add_dataclass(program: Program, cls: Any) -> None:
    hints = typing.get_type_hints(cls)
    program.add("text = ''")
    for item in dataclasses.fields(cls):
        if item.init:
            piece = _piece(program, hints[item.name])
            program.add(
                f'it = value.{item.name}',
                f'if {program.unlike("it", item.default)}:',
                f"    text += f',\"{item.name}\":{piece}'",
            )
    program.add("return f'{{{text[1:]}}}'")


def _piece(program: Program, kind: Any, item: str = 'it') -> str:
    """Return what writes ``item`` inside an f-string in single quotes."""
    if kind is int:
        return f'{{{item}}}'
    if kind is CPUSet:
        return f'"{{{item}!s}}"'
    return f'{{{program.name(_writer_of(kind))}({item})}}'

# SPDX-License-Identifier: Apache-2.0
"""The model as plain data (what JSON knows), and back."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any
from typing import Final
from typing import TypeVar

from rtvirt.exception import ModelError
from rtvirt.model.check import MAX_INT
from rtvirt.model.check import shown
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict

T = TypeVar('T')

_SCALARS: Final = {
    bool: 'true or false',
    float: 'a number',
    int: 'a whole number of at most 64 bits',
    str: 'a text',
    types.NoneType: 'nothing',
}


def dump(value: Any) -> Any:
    """Return ``value`` as numbers, texts, lists and dictionaries.

    A CPU set is the list of its ids, an enumeration its value, a mapping
    has texts as keys. A field that the constructor does not take is left
    out. A class with a plain form of its own has ``to_plain()`` and
    ``from_plain(data, path)``.

    :raises TypeError: if something in it has no plain form.
    """
    if isinstance(value, enum.Enum):
        return value.value
    if type(value) in _SCALARS:
        return value
    if isinstance(value, CPUSet):
        return list(value)
    if isinstance(value, tuple):
        return [dump(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): dump(item) for key, item in value.items()}
    if hasattr(value, 'to_plain'):
        return value.to_plain()
    if _is_dataclass(value):
        names = _fields(value.__class__)
        return {name: dump(getattr(value, name)) for name in names}
    raise TypeError(f'{shown(value)} has no plain form')


def load(cls: type[T], data: Any, *, schema_version: int) -> T:
    """Make a ``cls`` of what ``dump`` returned, checking every type.

    A CPU set may be a text, too, as the plan in a domain has it
    (:mod:`rtvirt.libvirtxml.compact`).

    :param schema_version: the version that ``data`` must name.
    :raises ModelError: naming the path of what is missing or wrong.
    """
    if not isinstance(data, Mapping):
        raise _wrong(cls, data, cls.__name__)
    found = data.get('schema_version')
    if type(found) is not int or found != schema_version:
        raise ModelError(
            f'schema_version of {cls.__name__} is {shown(found)}: expected '
            f'{schema_version}',
            path=cls.__name__,
            hint='it was written by another version of rtvirt',
        )
    bare = {k: v for k, v in data.items() if k != 'schema_version'}
    loaded: T = _load_dataclass(cls, bare, cls.__name__)
    return loaded


@functools.cache
def _fields(cls: type) -> dict[str, Any]:
    """Return the type of each field that the constructor takes."""
    hints = typing.get_type_hints(cls)
    return {
        field.name: hints[field.name]
        for field in dataclasses.fields(cls)
        if field.init
    }


@functools.cache
def _required(cls: type) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in dataclasses.fields(cls)
        if field.init
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    )


def _load(kind: Any, data: Any, path: str) -> Any:
    """Make a ``kind`` of what stands at ``path``."""
    if kind in _SCALARS:
        return _load_scalar(kind, data, path)
    if kind is CPUSet:
        return _load_cpuset(data, path)
    if _is_enum(kind):
        return _load_enum(kind, data, path)
    if hasattr(kind, 'from_plain'):
        return kind.from_plain(data, path)
    if _is_dataclass(kind):
        return _load_dataclass(kind, data, path)
    origin = typing.get_origin(kind)
    if origin is types.UnionType or origin is typing.Union:
        return _load_union(kind, data, path)
    if origin is tuple:
        return _load_tuple(kind, data, path)
    if origin is Mapping:
        return _load_mapping(kind, data, path)
    raise TypeError(f'{path} is of type {kind}, which has no plain form')


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _is_dataclass(kind: Any) -> bool:
    # Without the narrowing that mypy does: Any is what is wanted here.
    return dataclasses.is_dataclass(kind)


def _wrong(kind: Any, data: Any, path: str) -> ModelError:
    return ModelError(
        f'{path} is {shown(data)}: expected {_describe(kind)}', path=path
    )


def _describe(kind: Any) -> str:
    """Say what plain data of this kind is."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind is CPUSet:
        return 'a list of CPU ids, or a text as in 0-3,8'
    if _is_enum(kind):
        return f'one of {", ".join(str(member.value) for member in kind)}'
    if _is_dataclass(kind):
        return f'a mapping with the keys {", ".join(_fields(kind))}'
    if typing.get_origin(kind) is tuple:
        return 'a list'
    return 'a mapping'


def _load_scalar(kind: type, data: Any, path: str) -> Any:
    whole = type(data) is int and -MAX_INT <= data <= MAX_INT
    if whole and kind is float:
        return float(data)
    if type(data) is not kind or (kind is int and not whole):
        raise _wrong(kind, data, path)
    return data


def _load_cpuset(data: Any, path: str) -> CPUSet:
    if isinstance(data, str):
        parsed: CPUSet = _build(CPUSet.parse, path, data)
        return parsed
    if not isinstance(data, list):
        raise _wrong(CPUSet, data, path)
    built: CPUSet = _build(CPUSet, path, data)
    return built


def _load_enum(kind: type[enum.Enum], data: Any, path: str) -> Any:
    try:
        return kind(data)
    except ValueError:
        raise _wrong(kind, data, path) from None


def _load_union(kind: Any, data: Any, path: str) -> Any:
    """Load the first choice that does; blame the one that came furthest."""
    choices = typing.get_args(kind)
    if data is None and types.NoneType in choices:
        return None
    choices = tuple(c for c in choices if c is not types.NoneType)
    problems = []
    for choice in choices:
        try:
            return _load(choice, data, path)
        except ModelError as error:
            problems.append(error)
    furthest = max(problems, key=lambda error: len(error.path))
    if len(choices) == 1 or furthest.path != path:
        raise furthest
    expected = ' or '.join(map(_describe, choices))
    raise ModelError(
        f'{path} is {shown(data)}: expected {expected}', path=path
    )


def _load_tuple(kind: Any, data: Any, path: str) -> Any:
    if not isinstance(data, list):
        raise _wrong(kind, data, path)
    item_kind = typing.get_args(kind)[0]
    return tuple(
        _load(item_kind, item, f'{path}[{index}]')
        for index, item in enumerate(data)
    )


def _load_mapping(kind: Any, data: Any, path: str) -> Any:
    if not isinstance(data, Mapping):
        raise _wrong(kind, data, path)
    key_kind, item_kind = typing.get_args(kind)
    loaded = {}
    for key, item in data.items():
        name = _load_key(key_kind, key, path)
        if name in loaded:
            raise ModelError(
                f'{path} has the key {shown(name)} twice', path=path
            )
        loaded[name] = _load(item_kind, item, f'{path}[{shown(name)}]')
    return FrozenDict(loaded)


def _load_key(kind: Any, key: Any, path: str) -> Any:
    """Load a key, which JSON can keep only as a text."""
    if kind is int and isinstance(key, str):
        # The length first: int() on a long text of digits takes its time.
        if len(key) <= 19 and key.isascii() and key.isdigit():
            return _load_scalar(int, int(key), path)
    else:
        with contextlib.suppress(ModelError):
            return _load(kind, key, path)
    raise ModelError(
        f'{path} has the key {shown(key)}: expected {_describe(kind)}',
        path=path,
    )


def _load_dataclass(kind: Any, data: Any, path: str) -> Any:
    if not isinstance(data, Mapping):
        raise _wrong(kind, data, path)
    fields = _fields(kind)
    for name in data:
        if name not in fields:
            raise ModelError(
                f'{path} has an unknown key {shown(name)}', path=path
            )
    for name in _required(kind):
        if name not in data:
            raise ModelError(f'{path} lacks the key {name!r}', path=path)
    values = {
        name: _load(fields[name], item, f'{path}.{name}')
        for name, item in data.items()
    }
    return _build(kind, path, **values)


def _build(kind: Any, path: str, /, *args: Any, **values: Any) -> Any:
    """Call a constructor; what it refuses is named by its path."""
    try:
        return kind(*args, **values)
    except ModelError as error:
        raise ModelError(
            f'{path}: {error}', path=path, hint=error.hint
        ) from error

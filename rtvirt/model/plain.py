# SPDX-License-Identifier: Apache-2.0
"""The model as plain data (what JSON knows), and back."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

from rtvirt.exception import ModelError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict

T = TypeVar('T')


def dump(value: Any) -> Any:
    """Return ``value`` as numbers, texts, lists and dictionaries.

    A CPU set is the list of its ids, an enumeration its value, a mapping
    has texts as keys. Fields that begin with an underscore are left out.
    """
    if isinstance(value, CPUSet):
        return list(value)
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        names = _hints(value.__class__)
        return {name: dump(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): dump(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [dump(item) for item in value]
    return value


def load(cls: type[T], data: Any, *, schema_version: int) -> T:
    """Make a ``cls`` of what ``dump`` returned, checking every type.

    :param schema_version: the version that ``data`` must name.
    :raises ModelError: naming the path of what is missing or wrong.
    """
    if not isinstance(data, Mapping):
        raise ModelError(f'expected a mapping, not {data!r:.60}')
    found = data.get('schema_version')
    if found != schema_version:
        raise ModelError(
            f'schema_version is {found!r}: expected {schema_version}',
            hint='it was written by another version of rtvirt',
        )
    bare = {k: v for k, v in data.items() if k != 'schema_version'}
    loaded: T = _load(cls, bare, cls.__name__)
    return loaded


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {
        item.name: hints[item.name]
        for item in dataclasses.fields(cls)
        if not item.name.startswith('_')
    }


def _wrong(path: str, data: Any, expected: str) -> ModelError:
    return ModelError(f'{path} is {data!r:.60}: expected {expected}')


def _load(kind: Any, data: Any, path: str) -> Any:
    origin = typing.get_origin(kind)
    if origin is typing.Union or origin is types.UnionType:
        return _load_union(kind, data, path)
    if origin is tuple:
        return _load_tuple(kind, data, path)
    if origin is not None and issubclass(origin, Mapping):
        return _load_mapping(kind, data, path)
    if kind is CPUSet:
        if not isinstance(data, list):
            raise _wrong(path, data, 'a list of CPU ids')
        return CPUSet(data)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _load_enum(kind, data, path)
    if dataclasses.is_dataclass(kind):
        return _load_dataclass(kind, data, path)
    return _load_scalar(kind, data, path)


def _load_enum(kind: type[enum.Enum], data: Any, path: str) -> Any:
    try:
        return kind(data)
    except ValueError:
        words = ', '.join(str(member.value) for member in kind)
        raise _wrong(path, data, f'one of {words}') from None


def _load_scalar(kind: Any, data: Any, path: str) -> Any:
    if kind is float and type(data) is int:
        return float(data)
    if type(data) is not kind:
        raise _wrong(path, data, f'a value of type {kind.__name__}')
    return data


def _load_union(kind: Any, data: Any, path: str) -> Any:
    choices = typing.get_args(kind)
    if data is None and type(None) in choices:
        return None
    problem: ModelError | None = None
    for choice in choices:
        if choice is not type(None):
            try:
                return _load(choice, data, path)
            except ModelError as error:
                problem = problem or error
    raise problem or _wrong(path, data, 'another value')


def _load_tuple(kind: Any, data: Any, path: str) -> Any:
    if not isinstance(data, list):
        raise _wrong(path, data, 'a list')
    item_kind = typing.get_args(kind)[0]
    return tuple(
        _load(item_kind, item, f'{path}[{index}]')
        for index, item in enumerate(data)
    )


def _load_mapping(kind: Any, data: Any, path: str) -> Any:
    if not isinstance(data, Mapping):
        raise _wrong(path, data, 'a mapping')
    key_kind, item_kind = typing.get_args(kind)
    loaded = {}
    for key, item in data.items():
        if key_kind is int and not _is_number(str(key)):
            raise _wrong(path, key, 'a whole number as key')
        loaded[key_kind(key)] = _load(item_kind, item, f'{path}[{key}]')
    return FrozenDict(loaded)


def _is_number(text: str) -> bool:
    return len(text) <= 18 and text.isascii() and text.isdigit()


def _load_dataclass(kind: Any, data: Any, path: str) -> Any:
    if not isinstance(data, Mapping):
        raise _wrong(path, data, 'a mapping')
    hints = _hints(kind)
    if unknown := set(data) - set(hints):
        raise ModelError(f'{path} has an unknown key {min(unknown)!r:.60}')
    values = {
        name: _load(hints[name], item, f'{path}.{name}')
        for name, item in data.items()
    }
    for item in dataclasses.fields(kind):
        if (
            item.init
            and item.name not in values
            and item.default is dataclasses.MISSING
            and item.default_factory is dataclasses.MISSING
        ):
            raise ModelError(f'{path} lacks the key {item.name!r}')
    return kind(**values)

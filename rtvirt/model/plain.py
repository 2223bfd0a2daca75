# SPDX-License-Identifier: Apache-2.0
"""The model as plain data (what JSON knows), and back."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable
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

Path = tuple[Any, str | int]
"""Where something stands: what it is in, and the next step. A text is made
of it where something is wrong, and not for every value of a fleet."""

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
        raise _wrong(cls, data, (None, cls.__name__))
    found = data.get('schema_version')
    if type(found) is not int or found != schema_version:
        raise ModelError(
            f'schema_version of {cls.__name__} is {shown(found)}: expected '
            f'{schema_version}',
            path=cls.__name__,
            hint='read it with the version of rtvirt that wrote it, or have '
            'this one write it anew',
        )
    bare = {k: v for k, v in data.items() if k != 'schema_version'}
    loaded: T = _load_dataclass(cls, bare, (None, cls.__name__))
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


def _spell(path: Path) -> str:
    """Return a path as people write it: ``HostTopology.cells[0].id``."""
    steps: list[str] = []
    inside: Path | None = path
    while inside:
        inside, step = inside
        steps.append(f'[{step}]' if isinstance(step, int) else step)
    return ''.join(reversed(steps))


Loader = Callable[[Any, Any, Path], Any]


@functools.cache
def _loader(kind: Any) -> Loader:
    """Return what makes values of a kind."""
    origin = typing.get_origin(kind)
    if kind in _SCALARS:
        found: Loader = _load_scalar
    elif kind is CPUSet:
        found = _load_cpuset
    elif _is_enum(kind):
        found = _load_enum
    elif hasattr(kind, 'from_plain'):
        found = _load_own
    elif _is_dataclass(kind):
        found = _load_dataclass
    elif origin is types.UnionType or origin is typing.Union:
        found = _load_union
    elif origin is tuple:
        found = _load_tuple
    elif origin is Mapping:
        found = _load_mapping
    else:
        raise TypeError(f'of type {kind}, which has no plain form')
    return found


@functools.cache
def _field_loaders(cls: type) -> dict[str, tuple[Loader, Any, str]]:
    """Return of each field what loads it, its kind, and its step."""
    found = {}
    for name, kind in _fields(cls).items():
        try:
            found[name] = (_loader(kind), kind, f'.{name}')
        except TypeError as error:
            raise TypeError(f'{cls.__name__}.{name} is {error}') from None
    return found


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _is_dataclass(kind: Any) -> bool:
    # Without the narrowing that mypy does: Any is what is wanted here.
    return dataclasses.is_dataclass(kind)


def _wrong(kind: Any, data: Any, path: Path) -> ModelError:
    where = _spell(path)
    return ModelError(
        f'{where} is {shown(data)}: expected {_describe(kind)}', path=where
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


def _load_scalar(kind: type, data: Any, path: Path) -> Any:
    whole = type(data) is int and -MAX_INT <= data <= MAX_INT
    if whole and kind is float:
        return float(data)
    if type(data) is not kind or (kind is int and not whole):
        raise _wrong(kind, data, path)
    return data


def _load_cpuset(kind: Any, data: Any, path: Path) -> Any:
    if isinstance(data, str):
        return _build(CPUSet.parse, path, data)
    if not isinstance(data, list):
        raise _wrong(kind, data, path)
    try:
        # Most of a host: a call less for each core.
        return CPUSet(data)
    except ModelError as error:
        raise _refused(error, path) from error


def _load_own(kind: Any, data: Any, path: Path) -> Any:
    """Load a class with a plain form of its own."""
    return kind.from_plain(data, _spell(path))


def _load_enum(kind: type[enum.Enum], data: Any, path: Path) -> Any:
    try:
        return kind(data)
    except ValueError:
        raise _wrong(kind, data, path) from None


def _load_union(kind: Any, data: Any, path: Path) -> Any:
    """Load the first choice that does; blame the one that came furthest."""
    choices = typing.get_args(kind)
    if data is None and types.NoneType in choices:
        return None
    choices = tuple(c for c in choices if c is not types.NoneType)
    problems = []
    for choice in choices:
        try:
            return _loader(choice)(choice, data, path)
        except ModelError as error:
            problems.append(error)
    furthest = max(problems, key=lambda error: len(error.path))
    where = _spell(path)
    if len(choices) == 1 or furthest.path != where:
        raise furthest
    expected = ' or '.join(map(_describe, choices))
    raise ModelError(
        f'{where} is {shown(data)}: expected {expected}', path=where
    )


def _load_tuple(kind: Any, data: Any, path: Path) -> Any:
    if not isinstance(data, list):
        raise _wrong(kind, data, path)
    item_kind = typing.get_args(kind)[0]
    load_item = _loader(item_kind)
    return tuple(
        [
            load_item(item_kind, item, (path, index))
            for index, item in enumerate(data)
        ]
    )


def _load_mapping(kind: Any, data: Any, path: Path) -> Any:
    if not isinstance(data, Mapping):
        raise _wrong(kind, data, path)
    key_kind, item_kind = typing.get_args(kind)
    loaded = {}
    for key, item in data.items():
        name = _load_key(key_kind, key, path)
        if name in loaded:
            where = _spell(path)
            raise ModelError(
                f'{where} has the key {shown(name)} twice', path=where
            )
        step = (path, f'[{shown(name)}]')
        loaded[name] = _loader(item_kind)(item_kind, item, step)
    return FrozenDict(loaded)


def _load_key(kind: Any, key: Any, path: Path) -> Any:
    """Load a key, which JSON can keep only as a text."""
    if kind is int and isinstance(key, str):
        # The length first: int() on a long text of digits takes its time.
        if len(key) <= 19 and key.isascii() and key.isdigit():
            return _load_scalar(int, int(key), path)
    else:
        with contextlib.suppress(ModelError):
            return _loader(kind)(kind, key, path)
    where = _spell(path)
    raise ModelError(
        f'{where} has the key {shown(key)}: expected {_describe(kind)}',
        path=where,
    )


def _load_dataclass(kind: Any, data: Any, path: Path) -> Any:
    if type(data) is not dict and not isinstance(data, Mapping):
        raise _wrong(kind, data, path)
    loaders = _field_loaders(kind)
    if unknown := [name for name in data if name not in loaders]:
        where = _spell(path)
        raise ModelError(
            f'{where} has an unknown key {shown(unknown[0])}', path=where
        )
    for name in _required(kind):
        if name not in data:
            where = _spell(path)
            raise ModelError(f'{where} lacks the key {name!r}', path=where)
    values = {}
    for name, item in data.items():
        load_field, field_kind, step = loaders[name]
        values[name] = load_field(field_kind, item, (path, step))
    return _build(kind, path, **values)


def _build(kind: Any, path: Path, /, *args: Any, **values: Any) -> Any:
    """Call a constructor; what it refuses is named by its path."""
    try:
        return kind(*args, **values)
    except ModelError as error:
        raise _refused(error, path) from error


def _refused(error: ModelError, path: Path) -> ModelError:
    where = _spell(path)
    return ModelError(f'{where}: {error}', path=where, hint=error.hint)

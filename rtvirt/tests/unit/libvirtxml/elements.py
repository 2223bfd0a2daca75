# SPDX-License-Identifier: Apache-2.0
"""Random elements of every class, drawn from what their fields say."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

import rtvirt.libvirtxml
from rtvirt.libvirtxml import kind
from rtvirt.libvirtxml import nested
from rtvirt.libvirtxml.codec import codec_of
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.field import Amount
from rtvirt.libvirtxml.field import Field
from rtvirt.libvirtxml.field import Flag
from rtvirt.libvirtxml.field import Quantity
from rtvirt.libvirtxml.field import Table
from rtvirt.model.frozendict import FrozenDict
from rtvirt.tests.strategies import cpusets


def classes() -> list[type[Element]]:
    """Return every class of typed elements that there is."""
    package = rtvirt.libvirtxml
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f'{package.__name__}.{module.name}')
    # dataclass(slots=True) makes a class anew; the first one goes unused.
    named = {it.__name__: it for it in Element.__subclasses__()}
    return [
        named[name] for name in sorted(named) if 'TAG' in vars(named[name])
    ]


texts = st.text(
    'ab "\'<>&;]\t\n\r\x85é\u2028\ud7ff\ue000\U0001f600', max_size=5
)

BY_KIND: dict[Any, st.SearchStrategy[Any]] = {
    kind.INT: st.integers(0, 3) | st.integers(-(1 << 40), 1 << 60),
    kind.TEXT: texts,
    kind.BODY: texts,
    kind.CPUS: cpusets(20, min_size=1, max_size=3),
    kind.ON_OFF: st.booleans(),
    kind.YES_NO: st.booleans(),
}

sizes = st.integers(0, 3) | st.integers(0, 1 << 40)


def mappings(
    keys: st.SearchStrategy[Any], values: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    return st.dictionaries(keys, values, max_size=3).map(FrozenDict)


def values(field: Any) -> st.SearchStrategy[Any]:
    """Return values of a field that are set."""
    if isinstance(field, Amount | Quantity):
        return sizes
    if isinstance(field, Flag):
        return st.booleans()
    if isinstance(field, Table):
        return mappings(BY_KIND[field._key_kind], BY_KIND[field._value_kind])
    if isinstance(field, nested.Wrapped):
        return values(field._child)
    if isinstance(field, nested.Nested):
        return elements(field.cls)
    if isinstance(field, nested.Repeated):
        return st.lists(elements(field.cls), max_size=3).map(tuple)
    if isinstance(field, nested.Keyed):
        return mappings(BY_KIND[field._kind], elements(field.cls))
    return BY_KIND[field.kind]


def fields(cls: type[Any]) -> Iterator[Field]:
    codec = codec_of(cls)
    yield from codec.attributes
    if codec.content is not None:
        yield codec.content
    yield from codec.children


def elements(cls: Any) -> st.SearchStrategy[Any]:
    """Return elements of a class, few of whose fields are not default."""
    return _elements(cls)


@functools.cache
def _elements(cls: Any) -> st.SearchStrategy[Any]:
    every = {field.name: field for field in fields(cls)}
    needed = {name for name, field in every.items() if field.required}
    some = st.sets(st.sampled_from(sorted(every)), max_size=6)

    @st.composite
    def build(draw: st.DrawFn) -> Any:
        names = sorted(needed | draw(some))
        return cls(**{name: draw(values(every[name])) for name in names})

    return build()


def domains() -> st.SearchStrategy[Domain]:
    found: st.SearchStrategy[Domain] = elements(Domain)
    return found


def is_default(value: Any, field: dataclasses.Field[Any]) -> bool:
    return bool(field.default is not dataclasses.MISSING) and bool(
        value == field.default
    )

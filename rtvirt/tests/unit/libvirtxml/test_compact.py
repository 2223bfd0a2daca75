# SPDX-License-Identifier: Apache-2.0
"""The shortest JSON of the model: complete, and short."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtvirt.libvirtxml.compact import to_compact_json
from rtvirt.model.check import MAX_INT
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.plain import dump
from rtvirt.model.plain import load
from rtvirt.tests.strategies import cpusets


class Colour(enum.StrEnum):
    RED = 'red'
    BLUE = 'blue'


class Size(enum.IntEnum):
    SMALL = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    number: int = 0
    text: str = ''
    truth: bool = False
    ratio: float = 0.5
    cpus: CPUSet = CPUSet()
    colour: Colour = Colour.RED
    size: Size | None = None
    maybe: int | None = None
    either: int | Colour | None = None
    ids: tuple[int, ...] = ()
    pins: Mapping[int, CPUSet] = FrozenDict()
    names: Mapping[str, int] = FrozenDict()
    colours: Mapping[Colour, bool] = FrozenDict()
    cache: str = field(default='', init=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    leaf: Leaf
    leaves: tuple[Leaf, ...] = ()
    by_name: Mapping[str, Leaf] = FrozenDict()
    other: Leaf | None = None


numbers = st.integers(-5, 5) | st.integers(-MAX_INT, MAX_INT)
texts = st.text('ab"\'\\\n\x00é<&\U0001f600', max_size=4)
colours = st.sampled_from(Colour)
leaves = st.builds(
    Leaf,
    number=numbers,
    text=texts,
    truth=st.booleans(),
    ratio=st.floats(allow_nan=False, allow_infinity=False),
    cpus=cpusets(),
    colour=colours,
    size=st.none() | st.just(Size.SMALL),
    maybe=st.none() | numbers,
    either=st.none() | numbers | colours,
    ids=st.lists(numbers, max_size=3).map(tuple),
    pins=st.dictionaries(st.integers(0, 99), cpusets(), max_size=3).map(
        FrozenDict
    ),
    names=st.dictionaries(texts, numbers, max_size=3).map(FrozenDict),
    colours=st.dictionaries(colours, st.booleans()).map(FrozenDict),
)
branches = st.builds(
    Branch,
    leaf=leaves,
    leaves=st.lists(leaves, max_size=2).map(tuple),
    by_name=st.dictionaries(texts, leaves, max_size=2).map(FrozenDict),
    other=st.none() | leaves,
)


@given(branches)
def test_it_loads_again(branch: Branch) -> None:
    data = json.loads(to_compact_json(branch))
    assert load(Branch, {'schema_version': 1, **data}, schema_version=1) == (
        branch
    )


@given(leaves)
def test_it_is_no_longer_than_need_be(leaf: Leaf) -> None:
    assert set(json.loads(to_compact_json(leaf))) == {
        name
        for name in dump(leaf)
        if getattr(leaf, name) != getattr(Leaf(), name)
    }


def test_form() -> None:
    leaf = Leaf(
        number=5,
        text='"',
        truth=True,
        cpus=CPUSet([0, 1, 3]),
        colour=Colour.BLUE,
        size=Size.SMALL,
        ids=(1, 2),
        pins={0: CPUSet([5]), 1: CPUSet([6])},
        names={'a"': 1},
        colours={Colour.RED: False},
    )
    assert to_compact_json(leaf) == (
        '{"number":5,"text":"\\"","truth":true,"cpus":"0-1,3",'
        '"colour":"blue","size":1,"ids":[1,2],"pins":{"0":"5","1":"6"},'
        '"names":{"a\\"":1},"colours":{"red":false}}'
    )


@dataclass(frozen=True)
class Odd:
    items: frozenset[int] = frozenset()


def test_what_has_no_plain_form() -> None:
    with pytest.raises(TypeError, match='frozenset'):
        to_compact_json(Odd())

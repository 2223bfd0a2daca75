# SPDX-License-Identifier: Apache-2.0
"""FrozenDict: a dict to everybody who only reads."""

import copy
import json
import pickle
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtvirt.model.frozendict import FrozenDict

items = st.dictionaries(st.integers(), st.text('ab', max_size=3), max_size=5)

MUTATORS: dict[str, Callable[[Any], object]] = {
    '__setitem__': lambda d: d.__setitem__(1, 'x'),
    '__delitem__': lambda d: d.__delitem__(1),
    '__ior__': lambda d: d.__ior__({1: 'x'}),
    'clear': lambda d: d.clear(),
    'pop': lambda d: d.pop(1),
    'popitem': lambda d: d.popitem(),
    'setdefault': lambda d: d.setdefault(2, 'x'),
    'update': lambda d: d.update({1: 'x'}),
}


@pytest.mark.parametrize('mutator', MUTATORS)
def test_refuses_to_change(mutator: str) -> None:
    frozen = FrozenDict({1: 'a'})
    with pytest.raises(TypeError, match='FrozenDict cannot be changed'):
        MUTATORS[mutator](frozen)
    assert frozen == {1: 'a'}


def test_knows_every_mutator_of_dict() -> None:
    """What changes a dict is what a read-only mapping lacks."""
    readers = {*dir(Mapping), *dir(object), 'copy', 'fromkeys'}
    readers |= {'__or__', '__ror__', '__class_getitem__', '__reversed__'}
    assert set(dir(dict)) - readers == set(MUTATORS)


def test_takes_no_new_attribute() -> None:
    with pytest.raises(AttributeError):
        FrozenDict().name = 'x'  # type: ignore[attr-defined]


@given(items)
def test_equals_and_hashes_by_its_items(members: dict[int, str]) -> None:
    frozen = FrozenDict(members)
    backwards = FrozenDict(dict(reversed(members.items())))
    assert frozen == backwards == members
    assert hash(frozen) == hash(backwards)
    assert list(frozen.items()) == list(members.items())


def test_is_hashable_as_its_values_are() -> None:
    with pytest.raises(TypeError, match='unhashable'):
        hash(FrozenDict({1: []}))


@given(items, items)
def test_union_and_copy_give_a_dict(
    left: dict[int, str], right: dict[int, str]
) -> None:
    union = FrozenDict(left) | right
    assert type(union) is dict
    assert union == left | right
    assert type(right | FrozenDict(left)) is dict
    copied = FrozenDict(left).copy()
    assert type(copied) is dict
    assert copied == left


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(protocol: int) -> None:
    frozen = FrozenDict({1: 'a'})
    again = pickle.loads(pickle.dumps(frozen, protocol))
    assert type(again) is FrozenDict
    assert again == frozen


def test_copies() -> None:
    frozen = FrozenDict({1: ['a']})
    assert copy.copy(frozen) is frozen
    deep = copy.deepcopy(frozen)
    assert type(deep) is FrozenDict
    assert deep == frozen
    assert deep[1] is not frozen[1]


def test_dumps_as_json() -> None:
    assert json.dumps(FrozenDict(a=1)) == '{"a": 1}'

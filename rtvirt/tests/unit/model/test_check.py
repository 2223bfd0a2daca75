# SPDX-License-Identifier: Apache-2.0
"""The checks that constructors share, and how they show a value."""

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtvirt.exception import ModelError
from rtvirt.model.check import MAX_INT
from rtvirt.model.check import require
from rtvirt.model.check import require_int
from rtvirt.model.check import shown


def test_require() -> None:
    require(True, 'fine')
    with pytest.raises(ModelError, match=r'^not fine$'):
        require(False, 'not fine')


@given(st.integers(), st.integers(), st.integers())
def test_require_int_takes_the_range(low: int, value: int, high: int) -> None:
    if low <= value <= high:
        require_int('n', value, low, high)
        return
    with pytest.raises(ModelError) as caught:
        require_int('n', value, low, high)
    assert str(caught.value) == (
        f'n is {value}: expected a whole number from {low} to {high}'
    )


@pytest.mark.parametrize('value', [True, 1.0, '1', None, [1]])
def test_require_int_takes_no_other_type(value: Any) -> None:
    with pytest.raises(ModelError, match=r'^n is .*: expected a whole number'):
        require_int('n', value, 0)


def test_require_int_takes_64_bits_at_most() -> None:
    require_int('n', MAX_INT, 0)
    with pytest.raises(ModelError, match='of at least 0'):
        require_int('n', MAX_INT + 1, 0)


DEEP: list[Any] = []
for _ in range(sys.getrecursionlimit()):
    DEEP = [DEEP]


class Rude:
    def __repr__(self) -> str:
        raise ValueError('no')


@pytest.mark.parametrize(
    'value',
    [
        pytest.param('x' * 10**7, id='text'),
        pytest.param(b'x' * 10**6, id='bytes'),
        pytest.param(10**6000, id='number'),
        pytest.param(-(1 << 10**6), id='negative'),
        pytest.param(DEEP, id='nested'),
        pytest.param(list(range(10**5)), id='list'),
        pytest.param(dict.fromkeys(range(999), 'x' * 999), id='dict'),
        pytest.param({1: DEEP, 'b': 2}, id='mixed'),
        pytest.param(range(10**9), id='range'),
        pytest.param(Rude(), id='rude'),
    ],
)
def test_shown_is_short_whatever_it_shows(value: object) -> None:
    assert 0 < len(shown(value)) < 500


@pytest.mark.parametrize('value', ['a', "it's", 5, None, True, [1, 'a'], 1.5])
def test_shown_is_the_repr_of_what_is_short(value: object) -> None:
    assert shown(value) == repr(value)

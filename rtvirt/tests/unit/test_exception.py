# SPDX-License-Identifier: Apache-2.0
"""The error tree: one slug each, as drawn, and they survive a pickle."""

import copy
import pickle
import re
from typing import Any

import pytest

from rtvirt import exception
from rtvirt.exception import RTVirtError

EXTRAS: dict[str, dict[str, Any]] = {
    'ModelError': {'path': 'Plan.cells[0]'},
    'CPUSetError': {'text': '0-x', 'position': 2},
    'ExtraSpecError': {'key': 'hw:x', 'value': 'y', 'expected': 'z'},
    'InvalidExtraSpec': {'key': 'hw:x', 'value': 'y', 'expected': 'z'},
    'ConflictingExtraSpecs': {'keys': ('hw:x', 'hw:y'), 'value': 'y'},
    'UnsupportedExtraSpec': {'key': 'hw:x'},
    'FitError': {'reasons': ()},
    'InputError': {'path': '-'},
    'LatencyFormatError': {'line': 7, 'tool': 'cyclictest'},
    'PluginError': {'namespace': 'n', 'name': 'p', 'distribution': 'd'},
}
"""The keywords of the classes that take more than a message and a hint."""


def tree(cls: type[object], depth: int = 0) -> list[tuple[int, str]]:
    """Return the class and all below it, in the order of definition."""
    found = [(depth, cls.__name__)]
    for child in cls.__subclasses__():
        if child.__module__ == exception.__name__:
            found += tree(child, depth + 1)
    return found


def drawn() -> list[tuple[int, str]]:
    """Return the tree that the module's docstring draws."""
    assert exception.__doc__ is not None
    art = re.findall(
        r'^    ([| +-]*)([A-Z]\w+)', exception.__doc__, re.MULTILINE
    )
    return [(len(branch) // 4, name) for branch, name in art]


CLASSES: list[type[RTVirtError]] = [
    getattr(exception, name) for _, name in tree(RTVirtError)
]


def make(cls: type[RTVirtError]) -> RTVirtError:
    return cls('a is wrong', hint='do b', **EXTRAS.get(cls.__name__, {}))


def test_the_docstring_draws_the_tree() -> None:
    assert drawn() == tree(RTVirtError)


def test_every_class_has_a_slug_of_its_own() -> None:
    codes = [cls.code for cls in CLASSES]
    assert len(set(codes)) == len(codes)
    for code in codes:
        assert re.fullmatch(r'[a-z]+(-[a-z]+)*', code)


@pytest.mark.parametrize('cls', CLASSES)
def test_an_error_carries_message_hint_and_data(
    cls: type[RTVirtError],
) -> None:
    error = make(cls)
    assert str(error) == error.message == 'a is wrong'
    assert error.hint == 'do b'
    for name, value in EXTRAS.get(cls.__name__, {}).items():
        assert getattr(error, name) == value


@pytest.mark.parametrize('cls', CLASSES)
def test_the_hint_is_optional(cls: type[RTVirtError]) -> None:
    assert cls('wrong', **EXTRAS.get(cls.__name__, {})).hint == ''


@pytest.mark.parametrize('cls', CLASSES)
def test_an_error_survives_pickle_and_copy(cls: type[RTVirtError]) -> None:
    error = make(cls)
    error.add_note('seen on cn1')
    for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(again) is cls
        assert str(again) == str(error)
        assert again.args == error.args
        assert vars(again) == vars(error)


def test_model_errors_are_value_errors() -> None:
    assert issubclass(exception.ModelError, ValueError)


def test_a_conflict_names_its_first_key() -> None:
    error = exception.ConflictingExtraSpecs('no', keys=iter(['a', 'b']))
    assert (error.key, error.keys) == ('a', ('a', 'b'))

# SPDX-License-Identifier: Apache-2.0
"""The names of ``import rtvirt``: all there, lazily, whatever came first."""

import ast
import inspect
import pickle
import pkgutil
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rtvirt

SOURCE = Path(rtvirt.__file__)
NAMES = dir(rtvirt)


def test_type_checkers_read_the_same_names() -> None:
    tree = ast.parse(SOURCE.read_text())
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == 'TYPE_CHECKING'
    )
    seen = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        (alias,) = node.names
        assert alias.asname == alias.name
        seen[alias.name] = node.module
    assert seen == rtvirt._HOMES


@pytest.mark.parametrize('name', NAMES)
def test_a_name_is_what_its_module_defines(name: str) -> None:
    value = getattr(rtvirt, name)
    assert value.__module__ == rtvirt._HOMES[name]
    assert value.__qualname__ == name
    assert value is getattr(rtvirt, name)
    assert pickle.loads(pickle.dumps(value)) is value


def fields(value: Any) -> set[str]:
    """Return what the docstring of a class or enumeration speaks of."""
    return {
        *getattr(value, '__slots__', ()),
        *getattr(value, '_member_names_', ()),
    }


@pytest.mark.parametrize('name', NAMES)
def test_a_name_is_documented(name: str) -> None:
    value = getattr(rtvirt, name)
    text = inspect.getdoc(value)
    assert text
    assert text[0].isupper() or text.startswith('``')
    assert text.partition('\n')[0].endswith('.')
    # dataclass() writes its signature where nobody wrote a docstring.
    assert not text.startswith(f'{name}(')
    for member, item in vars(value).items():
        is_code = callable(item) or hasattr(item, '__get__')
        if (
            is_code
            and not member.startswith('_')
            and member not in fields(value)
        ):
            assert inspect.getdoc(item), member


def test_the_reference_lists_every_name() -> None:
    """Errors apart: their page is made of their module."""
    page = SOURCE.parent.parent / 'doc' / 'source' / 'reference' / 'api.rst'
    listed = re.findall(
        r'^\.\. auto\w+:: rtvirt\.(\w+)$', page.read_text(), re.M
    )
    errors = {name for name in NAMES if 'exception' in rtvirt._HOMES[name]}
    assert set(NAMES) - errors <= set(listed)


def test_star_gives_the_names_of_dir() -> None:
    scope: dict[str, object] = {}
    exec('from rtvirt import *', scope)
    assert set(scope) - {'__builtins__'} == set(NAMES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'rtvirt' has no name 'Flavour'"):
        _ = rtvirt.Flavour  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match='Flavour'):
        exec('from rtvirt import Flavour')


def test_no_name_is_also_a_submodule() -> None:
    """``import rtvirt.fit`` would put a package where a function was.

    The import system sets a submodule as an attribute of its package, over
    whatever stands there, at a time that no import order controls.
    """
    submodules = {info.name for info in pkgutil.iter_modules(rtvirt.__path__)}
    assert not submodules & set(NAMES)


ORDER = """
import importlib, sys, types
import rtvirt
for step in sys.argv[1:]:
    if step.startswith('rtvirt.'):
        importlib.import_module(step)
    else:
        getattr(rtvirt, step)
for name in rtvirt.__all__:
    value = getattr(rtvirt, name)
    home = sys.modules[rtvirt._HOMES[name]]
    assert not isinstance(value, types.ModuleType), name
    assert value is getattr(home, name), name
    assert value is vars(rtvirt)[name], name
"""


@pytest.mark.parametrize('seed', range(2))
def test_any_order_of_imports_gives_the_same_names(seed: int) -> None:
    steps = sorted({*NAMES, *rtvirt._HOMES.values()})
    random.Random(seed).shuffle(steps)
    subprocess.run(
        [sys.executable, '-c', ORDER, *steps],
        cwd=SOURCE.parent.parent,
        check=True,
    )

# SPDX-License-Identifier: Apache-2.0
"""What the documentation names is there, and what is there is in it."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt import plugins
from rtvirt.checks.run import table as checks
from rtvirt.lint_rules.run import table as lint_rules
from rtvirt.tests.require import require
from rtvirt.verifiers.base import VerifierGroup

TOP = Path(__file__).parents[3]
SOURCE = TOP / 'doc' / 'source'
REFERENCE = SOURCE / 'reference'
SAMPLE = TOP / 'rtvirt' / 'tests' / 'sample_plugin'
PAGES = [
    *(TOP / 'README.rst', TOP / 'CONTRIBUTING.rst'),
    *sorted(SOURCE.rglob('*.rst')),
]
# They are made by a command that the page names.
MADE = re.compile(r'build/|doc/build/')
_PATH = re.compile(r'``((?:doc|etc|tools|rtvirt|releasenotes)/[\w./-]+)``')
_LINK = re.compile(r'^\.\. (?:image|include|literalinclude):: (\S+)', re.M)
# In a line, or a block that may say why behind it.
_MAKE = re.compile(r'(?:``|^ +)make ([a-z]+)(?=``|$| {2})', re.M)
_TOX = re.compile(r'\btox -e (\w+)')


# What nova and its libraries say where rtvirt is the cause.
NOVAS = {
    'Unable to load the virtualization driver',
    'No valid host was found.',
}


@pytest.fixture(autouse=True)
def checkout() -> None:
    require(SOURCE.is_dir(), 'this is no checkout of the repository')


def name_of(page: Path) -> str:
    return str(page.relative_to(TOP))


@pytest.mark.parametrize('page', PAGES, ids=name_of)
def test_files_are_there(page: Path) -> None:
    text = page.read_text()
    named = [TOP / path for path in _PATH.findall(text)]
    linked = [page.parent / path for path in _LINK.findall(text)]
    assert [
        str(path)
        for path in (*named, *linked)
        if not path.exists() and not MADE.match(str(path.relative_to(TOP)))
    ] == []


@pytest.mark.parametrize('page', PAGES, ids=name_of)
def test_targets_are_there(page: Path) -> None:
    text = page.read_text()
    rules = re.findall(r'^([a-z ]+):', (TOP / 'Makefile').read_text(), re.M)
    targets = {name for rule in rules for name in rule.split()}
    assert set(_MAKE.findall(text)) - targets == set()
    environments = re.findall(
        r'^\[testenv:(\w+)\]', (TOP / 'tox.ini').read_text(), re.M
    )
    assert set(_TOX.findall(text)) - {'py3', *environments} == set()


@pytest.mark.parametrize('namespace', ['rtvirt', 'rtvirt.nova'])
def test_sample_configuration(namespace: str, tmp_path: Path) -> None:
    _, _, part = namespace.partition('.')
    made = tmp_path / 'sample.conf'
    subprocess.run(
        [
            *(Path(sys.executable).parent / 'oslo-config-generator',),
            *('--namespace', namespace, '--wrap-width', '79'),
            *('--output-file', made),
        ],
        check=True,
    )
    kept = TOP / 'etc' / 'rtvirt' / f'{part or "rtvirt"}.conf.sample'
    assert kept.read_text() == made.read_text(), 'run "make genconfig"'


def codes() -> Iterator[tuple[str, str]]:
    """Yield the directive and the code of every row of a table."""
    for code in checks(plugins.host_checks()):
        yield 'checks', code
    for code in lint_rules(plugins.lint_rules()):
        yield 'lint', code
    for group in plugins.verifiers():
        if isinstance(group, VerifierGroup):
            for row in group:
                yield 'verify', row.code


def test_every_row_is_on_a_page() -> None:
    text = ''.join(page.read_text() for page in REFERENCE.glob('*.rst'))
    written = set(
        re.findall(r'^\.\. (checks|lint|verify):: (\w)$', text, re.M)
    )
    # The letter behind RT-, RL- or RV-.
    assert {(name, code[3]) for name, code in codes()} == written


def test_every_namespace_has_an_example() -> None:
    points = importlib.metadata.distribution('rtvirt').entry_points
    ours = {each.group for each in points if each.group.startswith('rtvirt.')}
    project = tomllib.loads((SAMPLE / 'pyproject.toml').read_text())
    assert set(project['project']['entry-points']) == ours
    page = (REFERENCE / 'plugins.rst').read_text()
    assert [name for name in sorted(ours) if f'``{name}``' not in page] == []
    shown = set(re.findall(r'rtvirt_sample/(\w+\.py)', page))
    files = (SAMPLE / 'rtvirt_sample').glob('[!_]*.py')
    assert shown == {file.name for file in files}


def test_every_way_into_other_programs_is_told_of() -> None:
    points = importlib.metadata.distribution('rtvirt').entry_points
    groups = {each.group for each in points} - {'console_scripts'}
    page = (REFERENCE / 'plugins.rst').read_text()
    assert [name for name in sorted(groups) if f'``{name}``' not in page] == []


def texts_of(module: Path) -> Iterator[str]:
    """Yield the texts in a module, what is filled in replaced by dots."""
    tree = ast.parse(module.read_text())
    names = {
        node.target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r'%(\(\w+\))?[sd]', '...', node.value)
        elif isinstance(node, ast.JoinedStr):
            yield ''.join(
                str(part.value)
                if isinstance(part, ast.Constant)
                else str(names.get(getattr(part.value, 'id', ''), '...'))
                for part in node.values
                if isinstance(part, ast.Constant | ast.FormattedValue)
            )


def test_what_is_said_in_nova_is_explained_word_for_word() -> None:
    guide = (SOURCE / 'nova.rst').read_text()
    _, found, part = guide.partition('.. _nova-trouble:')
    assert found
    shown = set(re.findall(r'^``(.+)``$', part, re.M))
    assert len(shown) >= 15
    modules = (TOP / 'rtvirt').rglob('*.py')
    said = '\n'.join(
        text
        for module in modules
        if 'tests' not in module.parts
        for text in texts_of(module)
    )
    gaps = [
        text
        for text in shown - NOVAS
        for part in text.split('...')
        if part.strip(" :'") not in said
    ]
    assert gaps == []

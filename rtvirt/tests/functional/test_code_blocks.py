# SPDX-License-Identifier: Apache-2.0
"""The code that the documentation shows is code that rtvirt takes."""

from __future__ import annotations

import argparse
import ast
import importlib.metadata
import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import rtvirt
from rtvirt import plugins
from rtvirt.tests.require import require

TOP = Path(__file__).parents[3]
PAGES = sorted((TOP / 'doc' / 'source').rglob('*.rst'))
COMMANDS = {
    tuple(point.name.split('_')): point
    for point in importlib.metadata.distribution('rtvirt').entry_points
    if point.group == plugins.COMMANDS
}
# What ends a command in a shell.
_END = re.compile(r'\s(?:[|>&]|#\s).*')
_BLOCK = re.compile(
    r'(?:::|block:: (?P<language>\w+))\n\n(?P<text>(?: +.*\n|\n)+)'
)


def blocks() -> Iterator[tuple[str, str, str]]:
    """Yield each block of code: its place, its language, its text."""
    for page in PAGES:
        text = page.read_text()
        for match in _BLOCK.finditer(text):
            line = text.count('\n', 0, match.start('text')) + 1
            code = textwrap.dedent(match['text'])
            yield f'{page.stem}:{line}', match['language'] or '', code


def programs() -> list[tuple[str, str]]:
    """Return the Python there is, by its place."""
    return [
        (place, code)
        for place, language, code in blocks()
        if language == 'python' or re.match(r'(import|from) \w', code)
    ]


def commands() -> list[tuple[str, str]]:
    """Return each command line of rtvirt, by the place of its block."""
    found = []
    for place, language, code in blocks():
        joined = re.sub(r'\\\n\s*', '', code)
        for line in joined.splitlines() if not language else ():
            command = _END.sub('', line.removeprefix('$ '))
            if command.startswith('rtvirt ') and '...' not in command:
                found.append((place, command))
    return found


def parser_of(words: list[str]) -> tuple[argparse.ArgumentParser, list[str]]:
    """Return the parser of a command, and what is left for it."""
    for length in (2, 1):
        if point := COMMANDS.get(tuple(words[:length])):
            command = point.load()(None, None)
            return command.get_parser(point.name), words[length:]
    raise AssertionError(f'{words} is no command')


def test_there_is_something_to_try() -> None:
    require(bool(PAGES), 'this is no checkout of the repository')
    assert len(programs()) >= 2
    assert len(commands()) >= 10


@pytest.mark.parametrize(('place', 'code'), programs())
def test_programs_use_what_there_is(place: str, code: str) -> None:
    tree = ast.parse(code, place)
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == 'rtvirt'
    }
    assert used
    assert [name for name in sorted(used) if not hasattr(rtvirt, name)] == []


@pytest.mark.parametrize(('place', 'line'), commands())
def test_commands_have_the_arguments_shown(place: str, line: str) -> None:
    words = shlex.split(line)[1:]
    if words[0] in {'--version', 'complete', 'help'}:
        return
    parser, arguments = parser_of(words)
    parser.parse_args(arguments)

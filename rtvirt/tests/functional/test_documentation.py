# SPDX-License-Identifier: Apache-2.0
"""What the documentation shows is what happens."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from rtvirt import plugins
from rtvirt.checks.run import run_checks
from rtvirt.checks.run import summarize
from rtvirt.checks.words import say_finding
from rtvirt.checks.words import say_summary
from rtvirt.host.facts import read_facts
from rtvirt.tests.require import require

TOP = pathlib.Path(__file__).parents[3]
README = TOP / 'README.rst'


def shown_commands() -> list[tuple[str, str]]:
    """Return each command that the README shows, and its output."""
    if not README.exists():
        return []
    shown = []
    for block in publish_doctree(README.read_text()).findall(
        nodes.literal_block
    ):
        joined = re.sub(r'\\\n\s*', '', block.astext())
        if joined.startswith('$ '):
            command, _, output = joined.removeprefix('$ ').partition('\n')
            shown.append((command, output))
    return shown


@pytest.fixture
def checkout() -> pathlib.Path:
    require(README.exists(), 'this is no checkout of the repository')
    return TOP


def run(*command: str | pathlib.Path, cwd: pathlib.Path) -> str:
    """Return what a command prints, on both streams, as a person sees it."""
    programs = pathlib.Path(sys.executable).parent
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, 'PATH': f'{programs}:{os.environ["PATH"]}'},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout


def test_readme_has_a_tour(checkout: pathlib.Path) -> None:
    assert len(shown_commands()) >= 4


@pytest.mark.parametrize(('command', 'output'), shown_commands())
def test_tour(checkout: pathlib.Path, command: str, output: str) -> None:
    assert run('bash', '-c', command, cwd=checkout).rstrip() == output


def test_picture(checkout: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (shown,) = re.findall(r'image:: (\S+)', README.read_text())
    plan, _ = shown_commands()[0]
    drawn = tmp_path / 'plan.svg'
    run('bash', '-c', f'{plan} --svg {drawn}', cwd=checkout)
    assert drawn.read_text() == (checkout / shown).read_text()


def test_program_of_the_tutorial(checkout: pathlib.Path) -> None:
    program = checkout / 'doc' / 'source' / 'tutorial.py'
    printed = run(sys.executable, '-W', 'error', program, cwd=checkout)
    pins, _, xml = printed.partition('\n')
    assert pins.startswith('{0: CPUSet')
    assert xml.startswith('<domain')


def test_preflight_of_the_nova_guide(checkout: pathlib.Path) -> None:
    """The host of the guide is the first one of the tutorial."""
    guide = (checkout / 'doc' / 'source' / 'nova.rst').read_text()
    (block,) = re.findall(
        r'::\n\n((?: {3}.*\n)*?.*Preflight of .*(?:\n {3}.+)+)', guide
    )
    host = checkout / 'etc' / 'rtvirt' / 'snapshots' / 'cgroup-v1.tar.gz'
    findings = run_checks(read_facts(host), plugins.host_checks())
    said = [
        f'Preflight of {say_summary("compute7", summarize(findings))}',
        *map(say_finding, findings),
    ]
    shown = [line.strip() for line in block.splitlines()]
    assert len(shown) > 3
    for line, full in zip(shown, said, strict=False):
        assert full.startswith(line.removesuffix('...').rstrip())


def test_suite_of_a_project_that_uses_rtvirt(
    checkout: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    for file in (checkout / 'doc' / 'example').glob('*.py'):
        (tmp_path / file.name).write_text(file.read_text())
    plugin = () if plugin_is_installed() else ('-p', 'rtvirt.pytest_plugin')
    printed = run(
        *(sys.executable, '-m', 'pytest', '-q', '-W', 'error', *plugin),
        *('-p', 'no:cacheprovider', '--rootdir', str(tmp_path), '.'),
        cwd=tmp_path,
    )
    assert re.search(r'^9 passed in', printed, re.M), printed


def plugin_is_installed() -> bool:
    """Whether pytest finds the fixtures by itself."""
    points = importlib.metadata.entry_points(group='pytest11')
    return 'rtvirt' in points.names

# SPDX-License-Identifier: Apache-2.0
"""nova's own interpreter is asked, and nova is not imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rtvirt.host.nova import ask_nova
from rtvirt.host.nova import with_installed
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.nova import InstalledNova


def program(path: Path, first_line: str) -> str:
    path.write_text(f'{first_line}\nimport nova.cmd.compute\n')
    path.chmod(0o755)
    return str(path)


def test_the_interpreter_of_the_program_is_asked(tmp_path: Path) -> None:
    python = tmp_path / 'python3'
    python.write_text(
        '#!/bin/sh\n'
        'echo noise\n'
        """echo '{"version": "34.0.0", "rtvirt": "1.2", "fault": ""}'\n"""
    )
    python.chmod(0o755)
    asked = ask_nova(program(tmp_path / 'nova-compute', f'#!{python} -s'))
    assert asked == InstalledNova(
        python=str(python), version='34.0.0', rtvirt='1.2'
    )


def test_an_interpreter_without_nova_says_why(tmp_path: Path) -> None:
    path = program(tmp_path / 'nova-compute', f'#!{sys.executable}')
    asked = ask_nova(path)
    assert isinstance(asked, InstalledNova)
    assert asked.fault.startswith('ModuleNotFoundError: ')
    assert 'nova' not in sys.modules


@pytest.mark.parametrize(
    ('first_line', 'words'),
    [
        ('', 'malformed (names no interpreter)'),
        ('#!/nonexistent/python', 'unreadable ('),
        ('#!/bin/true', 'malformed (did not answer)'),
        ('#!/bin/echo', 'malformed (did not answer)'),
    ],
)
def test_no_answer_is_no_fact(
    tmp_path: Path, first_line: str, words: str
) -> None:
    asked = ask_nova(program(tmp_path / 'nova-compute', first_line))
    assert isinstance(asked, Missing)
    assert str(asked).startswith(words)


def test_a_host_without_nova(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('PATH', str(tmp_path))
    nova = with_installed(HostFacts()).nova
    assert isinstance(nova.installed, Missing)
    assert nova.installed.is_absent
    assert isinstance(nova.rtvirt, str)

# SPDX-License-Identifier: Apache-2.0
"""Hostile input is refused, in words, in bounded time and memory."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rtvirt
from rtvirt.tests import hostile


@pytest.fixture(scope='module')
def outcomes() -> dict[str, dict[str, Any]]:
    """Every case's outcome, from one process under limits."""
    done = subprocess.run(
        [sys.executable, '-m', hostile.__name__],
        cwd=Path(rtvirt.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        found[line.pop('case')] = line
    for outcome in found.values():
        if not outcome:
            outcome['error'] = f'died: {done.returncode} {done.stderr[-500:]}'
    return found


@pytest.mark.parametrize('name', hostile.CASES)
def test_is_refused(name: str, outcomes: dict[str, dict[str, Any]]) -> None:
    outcome = outcomes.get(name, {'error': 'an earlier case ended the run'})
    assert 'error' not in outcome, outcome['error']
    if name in hostile.HARMLESS:
        assert 'accepted' in outcome
    else:
        assert 'refused' in outcome
        assert outcome['length'] < 2000
        assert outcome['printable']


# What comes from a file or from libvirt is among the tests of the readers.
READERS = {
    'create_domain',
    'define_domain',
    'destroy_domain',
    'list_domains',
    'migrate_domain',
    'read_facts',
    'read_settings',
    'show_domain',
    'start_domain',
}


def entry_points() -> Iterator[str]:
    """Yield the public functions that take what a stranger wrote."""
    for name in dir(rtvirt):
        value = getattr(rtvirt, name)
        if not isinstance(value, type):
            yield name
        for method in ('parse', 'from_mask', 'from_dict', 'from_capabilities'):
            if hasattr(value, method):
                yield f'{name}.{method}'


def test_every_entry_point_is_tried() -> None:
    source = Path(hostile.__file__).read_text()
    missing = {
        name for name in entry_points() if f'rtvirt.{name}(' not in source
    }
    assert missing <= READERS

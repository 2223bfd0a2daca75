# SPDX-License-Identifier: Apache-2.0
"""Emulated hosts for tests."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from rtvirt.tests.require import require
from rtvirt.tests.require import require_program
from tools.lab.image import is_whole
from tools.lab.machine import EmulatedHost
from tools.lab.machine import attached
from tools.lab.machine import emulated_host
from tools.lab.topology import TALK

RUNNING: Final = 'RTVIRT_LAB'
"""Names the directory of a host to use, which `tools.lab up` printed; or
those of a pair, with a colon between them.
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Have what takes longer than a change should wait for on demand."""
    parser.addoption(
        '--full',
        action='store_true',
        help='every topology, every defect, reboots and migration: an hour',
    )


def pytest_ignore_collect(
    collection_path: Path, config: pytest.Config
) -> bool | None:
    """Leave the long part out unless it is asked for."""
    is_long = collection_path.name == 'full'
    return True if is_long and not config.getoption('--full') else None


def hosts_that_run() -> list[EmulatedHost]:
    """Return the hosts that are up already and are to be used."""
    named = os.environ.get(RUNNING, '').split(os.pathsep)
    return [attached(Path(name)) for name in named if name]


@pytest.fixture(scope='session')
def tools() -> None:
    """What an emulated host needs of this machine."""
    require(platform.machine() == 'x86_64', 'needs an x86-64 machine')
    for name in ('qemu-system-x86_64', 'qemu-img'):
        require_program(name)
    if not is_whole():
        require_program('mmdebstrap')


@pytest.fixture(scope='session')
def host(tools: None) -> Iterator[EmulatedHost]:
    """The host of the talk, tuned; or one that is up already."""
    if running := hosts_that_run():
        yield running[0]
        return
    with emulated_host(TALK) as booted:
        yield booted

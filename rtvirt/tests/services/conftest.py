# SPDX-License-Identifier: Apache-2.0
"""Loads nova with native threads, and starts a libvirtd for it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import os
import warnings
from collections.abc import Iterator
from typing import Final

import pytest

from rtvirt.demo.embed import private_directory
from rtvirt.demo.hugepages import mounted_hugetlbfs
from rtvirt.demo.hugepages import reserved_pages
from rtvirt.exception import HostError
from rtvirt.tests.fixtures.libvirt import private_libvirtd
from rtvirt.tests.require import require
from rtvirt.tests.require import require_program
from rtvirt.tests.require import require_root

_MODULES: Final = ('libvirt', 'nova', 'placement', 'wsgi_intercept')
_PAGES: Final = 300
"""Of 2 MiB: a guest of 512 MiB, and some that a second one cannot do with."""


def pytest_configure() -> None:
    """Import nova once, while what it says of others is no error."""
    if not all(map(importlib.util.find_spec, _MODULES)):
        return
    # As nova-compute itself does by default.
    if int(importlib.metadata.version('nova').partition('.')[0]) >= 34:
        os.environ['OS_NOVA_DISABLE_EVENTLET_PATCHING'] = 'yes'
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        monkey_patch = importlib.import_module('nova.monkey_patch')
        monkey_patch.patch()
        importlib.import_module('rtvirt.tests.services.base')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let nova and SQLAlchemy deprecate what they like."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings('ignore'))


@pytest.fixture(scope='session')
def machine() -> None:
    """What every test here needs of the machine."""
    for name in _MODULES:
        require(
            importlib.util.find_spec(name) is not None,
            f'{name} is not installed: see rtvirt/tests/nova/requirements.txt',
        )
    require_root()
    for name in ('libvirtd', 'qemu-system-x86_64', 'unshare'):
        require_program(name)
    require(len(os.sched_getaffinity(0)) > 1, 'needs two CPUs')


@pytest.fixture(scope='session')
def libvirt_uri(machine: None) -> Iterator[str]:
    """A libvirtd whose guests find huge pages."""
    with contextlib.ExitStack() as stack:
        root = stack.enter_context(private_directory('rtvirt-nova-'))
        mount = root / 'hugepages'
        try:
            stack.enter_context(reserved_pages(0, 2048, _PAGES))
            stack.enter_context(mounted_hugetlbfs(mount, 2048))
        except HostError as error:
            require(False, str(error))
        daemon = stack.enter_context(private_libvirtd(root, hugetlbfs=mount))
        yield daemon.uri


@pytest.fixture
def services(request: pytest.FixtureRequest, libvirt_uri: str) -> None:
    """Tell a class of tests where its libvirtd is."""
    request.cls.uri = libvirt_uri

# SPDX-License-Identifier: Apache-2.0
"""A private libvirtd with huge pages, for all tests of a session."""

import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import Final

import pytest

from rtvirt.cli.guest import read_guest
from rtvirt.demo.embed import private_directory
from rtvirt.demo.hugepages import mounted_hugetlbfs
from rtvirt.demo.hugepages import reserved_pages
from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.model.guest import GuestRequirement
from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd
from rtvirt.tests.fixtures.libvirt import private_libvirtd
from rtvirt.tests.require import require
from rtvirt.tests.require import require_program
from rtvirt.tests.require import require_root

FLAVORS: Final = Path(__file__).parents[3] / 'etc' / 'rtvirt' / 'flavors'


@pytest.fixture(scope='session')
def flavor() -> Path:
    """The sample for a machine with two CPUs."""
    return FLAVORS / 'rt1.tiny.yaml'


@pytest.fixture(scope='session')
def guest(flavor: Path) -> GuestRequirement:
    """What that flavor asks for."""
    return read_guest(str(flavor), None)


@pytest.fixture(scope='session')
def tools() -> None:
    """What every test here needs of the machine."""
    require_root()
    for name in ('libvirtd', 'qemu-system-x86_64', 'unshare'):
        require_program(name)
    require(
        importlib.util.find_spec('libvirt') is not None,
        'needs libvirt-python: pip install libvirt-python',
    )


@pytest.fixture(scope='session')
def daemon(tools: None, guest: GuestRequirement) -> Iterator[PrivateLibvirtd]:
    """A libvirtd whose guests find enough huge pages for one of them."""
    pages = guest.memory_mib // 2
    with contextlib.ExitStack() as stack:
        root = stack.enter_context(private_directory('rtvirt-test-'))
        mount = root / 'hugepages'
        try:
            stack.enter_context(reserved_pages(0, 2048, pages))
            stack.enter_context(mounted_hugetlbfs(mount, 2048))
        except HostError as error:
            require(False, str(error))
        yield stack.enter_context(private_libvirtd(root, hugetlbfs=mount))


@pytest.fixture(scope='module')
def driver(daemon: PrivateLibvirtd) -> Iterator[Any]:
    """A connection to it; its domains are gone after each module."""
    with connect(daemon.uri, read_only=False) as connection:
        yield connection
        for domain in connection.listAllDomains():
            if domain.isPersistent():
                domain.undefine()
            if domain.isActive():
                domain.destroy()

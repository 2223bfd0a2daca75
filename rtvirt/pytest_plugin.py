# SPDX-License-Identifier: Apache-2.0
"""Fixtures of :mod:`rtvirt.testing` for pytest.

pytest loads this by itself where rtvirt is installed::

    def test_guests_keep_apart(rtvirt_host, rtvirt_flavor):
        one = rtvirt_host.place(rtvirt_flavor(vcpus=2))
        other = rtvirt_host.place(rtvirt_flavor(vcpus=2))
        assert not one.claimed & other.claimed

    def test_a_guest_runs(rtvirt_libvirt, rtvirt_flavor):
        my_program.start_guest(rtvirt_libvirt.uri, rtvirt_flavor())
        (domain,) = rtvirt.list_domains(rtvirt_libvirt.uri)
        assert domain.state == 'running'

Another host than the small one is a fixture of that name, in a module or a
``conftest.py``::

    @pytest.fixture
    def rtvirt_topology():
        return rtvirt.testing.nps4_host()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    import rtvirt
    from rtvirt.testing import FakeHost
    from rtvirt.testing import FakeLibvirt

# Every run of pytest loads this module, where rtvirt is installed, so that
# it loads nothing itself.
# ruff: noqa: PLC0415


@pytest.fixture
def rtvirt_topology() -> rtvirt.HostTopology:
    """The host that the others are about."""
    from rtvirt.testing import edge_host

    return edge_host()


@pytest.fixture
def rtvirt_host(rtvirt_topology: rtvirt.HostTopology) -> Iterator[FakeHost]:
    """A :class:`rtvirt.testing.FakeHost` without guests."""
    from rtvirt.testing import FakeHost

    with FakeHost(rtvirt_topology) as host:
        yield host


@pytest.fixture
def rtvirt_libvirt(
    rtvirt_topology: rtvirt.HostTopology,
) -> Iterator[FakeLibvirt]:
    """A :class:`rtvirt.testing.FakeLibvirt` without domains."""
    from rtvirt.testing import FakeLibvirt

    with FakeLibvirt(rtvirt_topology) as libvirt:
        yield libvirt


@pytest.fixture
def rtvirt_flavor() -> Callable[..., rtvirt.Flavor]:
    """The function :func:`rtvirt.testing.realtime_flavor`."""
    from rtvirt.testing import realtime_flavor

    return realtime_flavor


@pytest.fixture
def rtvirt_domain_file(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes the XML of a plan and returns the file.

    It takes the arguments of :func:`rtvirt.domain_xml`; the file is called
    after the domain.
    """
    import rtvirt

    def write(plan: rtvirt.Plan, *, name: str, **options: Any) -> Path:
        path = tmp_path / f'{name}.xml'
        xml = rtvirt.domain_xml(plan, name=name, **options)
        path.write_text(xml, encoding='utf-8')
        return path

    return write

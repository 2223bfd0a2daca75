# SPDX-License-Identifier: Apache-2.0
"""Hosts are read from a real libvirt: its test driver."""

import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.source import read_host
from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.require import require

URI = 'test:///default'
DOMAIN = """\
<domain type='test'><name>{name}</name><memory unit='MiB'>64</memory>
<vcpu>2</vcpu><os><type arch='i686'>hvm</type></os>
<cputune><vcpupin vcpu='0' cpuset='{first}'/>
<vcpupin vcpu='1' cpuset='{second}'/></cputune></domain>
"""


@pytest.fixture
def libvirt() -> Iterator[Any]:
    """A connection that keeps the test driver's state alive."""
    require(
        importlib.util.find_spec('libvirt') is not None,
        'needs libvirt-python: pip install libvirt-python',
    )
    with connect(URI, read_only=False) as connection:
        yield connection


def test_cells_of_the_test_driver(libvirt: Any) -> None:
    host = read_host(URI, dedicated=CPUSet.parse('2-15'), shared=CPUSet([0]))

    assert host.name
    assert [cell.cpus for cell in host.cells] == [
        CPUSet(range(8)),
        CPUSet(range(8, 16)),
    ]
    assert [cell.memory_mib for cell in host.cells] == [2048, 4096]
    assert [cell.socket for cell in host.cells] == [0, 1]
    assert host.cells[0].dedicated == CPUSet(range(2, 8))
    assert host.shared == {0}


def test_what_domains_hold_is_taken(libvirt: Any) -> None:
    running = libvirt.createXML(DOMAIN.format(name='a', first=2, second=9))
    defined = libvirt.defineXML(DOMAIN.format(name='b', first=3, second='4-5'))
    floating = libvirt.defineXML(
        DOMAIN.format(name='c', first='0-7', second='8-15')
    )

    try:
        host = read_host(URI)
        partly = read_host(URI, dedicated=CPUSet([3, 6]))
    finally:
        running.destroy()
        defined.undefine()
        floating.undefine()

    assert [cell.pinned for cell in host.cells] == [{2, 3, 4, 5}, {9}]
    assert partly.cells[0].free == {6}
    assert read_host(URI).cells[0].pinned == CPUSet()


def test_a_read_only_connection_cannot_define(libvirt: Any) -> None:
    with (
        connect(URI) as reader,
        pytest.raises(Exception, match='read only access'),
    ):
        reader.defineXML(DOMAIN.format(name='c', first=0, second=1))


@pytest.mark.parametrize(
    ('uri', 'hint'),
    [
        (
            'qemu+unix:///system?socket=/nowhere/libvirt-sock',
            'systemctl start libvirtd',
        ),
        ('qemu+tcp://127.0.0.1:9/system', 'start libvirt there'),
        ('nothing:///here', ''),
        ('no uri://', 'journalctl'),
    ],
)
@pytest.mark.usefixtures('libvirt')
def test_who_does_not_answer_is_told_in_a_line(
    uri: str, hint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(HostError) as caught:
        read_host(uri)

    assert str(caught.value).startswith(f'cannot connect to {uri}: ')
    assert '\n' not in str(caught.value)
    assert hint in caught.value.hint
    assert capfd.readouterr().err == ''

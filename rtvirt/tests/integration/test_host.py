# SPDX-License-Identifier: Apache-2.0
"""The same host, whoever is asked; what guests hold is taken."""

from typing import Any

import pytest

from rtvirt.host.live import read_live
from rtvirt.host.source import read_host
from rtvirt.host.sysfs import read_topology
from rtvirt.model.host import HostTopology
from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd

HOLDER = """\
<domain type='qemu'><name>holder</name>
<memory unit='MiB'>64</memory>
<memoryBacking><hugepages><page size='2048' unit='KiB'/></hugepages>
</memoryBacking>
<vcpu>1</vcpu><cputune><vcpupin vcpu='0' cpuset='0'/></cputune>
<os><type arch='x86_64'>hvm</type></os>
<devices><controller type='usb' model='none'/></devices></domain>
"""


def used(host: HostTopology) -> int:
    return sum(
        pool.used
        for cell in host.cells
        for pool in cell.pages
        if pool.size_kib == 2048
    )


def test_kernel_and_libvirt_tell_the_same(daemon: PrivateLibvirtd) -> None:
    # Memory may be plugged in while we look: then we look again.
    for _ in range(5):
        before = read_topology()
        told = read_live(daemon.uri)
        if read_topology() == before:
            break
    else:
        pytest.fail('the memory of this machine never rests')

    assert told.cells == before.cells
    assert told.caches == before.caches
    assert told.bandwidths == before.bandwidths


def test_what_a_guest_holds_is_taken(
    daemon: PrivateLibvirtd, driver: Any
) -> None:
    before = read_host(daemon.uri)
    assert 0 not in before.cells[0].pinned

    domain = driver.createXML(HOLDER)
    during = read_host(daemon.uri)
    domain.destroy()

    assert used(during) == used(before) + 32
    assert 0 in during.cells[0].pinned
    assert used(read_host(daemon.uri)) == used(before)

# SPDX-License-Identifier: Apache-2.0
"""Control groups with cpusets, as libvirt makes them for each thread."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import libvirt
import pytest

from rtvirt.demo.embed import private_directory
from rtvirt.host.connection import connect
from rtvirt.host.cpuset import Cpusets
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.running import RunningDomain
from rtvirt.host.running import read_running
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.observed import ThreadRole
from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd
from rtvirt.tests.integration.test_verify import is_of_others
from rtvirt.tests.require import require
from rtvirt.verifier import verify

NAME: Final = 'grouped'
XML: Final = """\
<domain type='qemu'><name>grouped</name>
<memory unit='MiB'>32</memory><vcpu>1</vcpu>
<cputune><vcpupin vcpu='0' cpuset='1'/><emulatorpin cpuset='0'/>
<vcpusched vcpus='0' scheduler='fifo' priority='1'/></cputune>
<os><type arch='x86_64'>hvm</type></os>
<devices><controller type='usb' model='none'/></devices></domain>
"""
ROOTS: Final = (Path('/sys/fs/cgroup/cpuset'), Path('/sys/fs/cgroup'))
CPUS: Final = 'cpuset.cpus'


@pytest.fixture(scope='module')
def daemon(tools: None) -> Iterator[PrivateLibvirtd]:
    """A libvirtd that uses all controllers but that of CPU time."""
    require({0, 1} <= os.sched_getaffinity(0), 'needs pCPUs 0 and 1')
    cgroup = Path('/sys/fs/cgroup')
    hierarchies = [
        cgroup,
        *(path for path in cgroup.iterdir() if path.is_dir()),
    ]
    machine = [path / 'machine' for path in hierarchies]
    made = [group for group in machine if not group.exists()]
    with private_directory('rtvirt-test-') as root:
        daemon = PrivateLibvirtd(root)
        conf = root / 'etc' / 'qemu.conf'
        text = conf.read_text()
        assert 'cgroup_controllers = []\n' in text
        names = '"devices", "memory", "blkio", "cpuset", "cpuacct"'
        some = f'cgroup_controllers = [ {names} ]\n'
        conf.write_text(text.replace('cgroup_controllers = []\n', some))
        try:
            daemon.start()
            yield daemon
        finally:
            daemon.end()
            for group in made:
                with contextlib.suppress(OSError):
                    group.rmdir()


@pytest.fixture(scope='module')
def uri(daemon: PrivateLibvirtd) -> Iterator[str]:
    """Where a domain runs in control groups of its own."""
    with connect(daemon.uri, read_only=False) as connection:
        try:
            domain = connection.createXML(XML)
        except libvirt.libvirtError as error:
            pytest.skip(f'libvirt makes no control groups here: {error}')
        try:
            yield daemon.uri
        finally:
            domain.destroy()


def read(uri: str) -> tuple[RunningDomain, str]:
    """Return the domain and the control group of its vCPU."""
    (running,) = read_running(uri, [NAME])
    (group,) = [
        thread.cgroup
        for thread in running.observed.threads
        if thread.role is ThreadRole.VCPU
    ]
    assert isinstance(group, str)
    return running, group


def found(uri: str) -> list[tuple[str, str]]:
    running, _group = read(uri)
    return [
        (finding.code, finding.subject)
        for finding in verify(running.domain, running.observed)
        if not is_of_others(uri, finding.subject)
    ]


def test_a_group_that_was_widened_is_found(uri: str) -> None:
    _running, group = read(uri)
    assert group.endswith('/vcpu0')
    assert Cpusets(DirectoryTree()).cpus_of(group) == CPUSet([1])
    assert found(uri) == []
    (file,) = [
        path
        for root in ROOTS
        if (path := root / group.strip('/') / CPUS).exists()
    ]
    file.write_text('0-1')
    # Before Linux 6.2 the thread goes along with its group.
    codes = found(uri)
    assert ('RV-T06', 'vCPU 0') in codes
    assert {*codes} <= {('RV-T06', 'vCPU 0'), ('RV-T03', 'vCPU 0')}
    file.write_text('1')
    assert found(uri) == []

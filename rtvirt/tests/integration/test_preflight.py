# SPDX-License-Identifier: Apache-2.0
"""What the checks say about starting a guest is what happens then.

libvirt says "Operation not permitted" and no more where a kernel schedules
real-time tasks by control group. The checks have to know it before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from rtvirt import plugins
from rtvirt.checks.run import is_grave
from rtvirt.checks.run import run_checks
from rtvirt.demo.embed import private_directory
from rtvirt.host.connection import connect
from rtvirt.host.facts import read_facts
from rtvirt.host.facts.libvirt import read_libvirt_facts
from rtvirt.host.facts.tree import MappingTree
from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd

_GUEST = """\
<domain type='qemu'>
  <name>preflight</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <cputune>
    <vcpupin vcpu='0' cpuset='0'/>
    <vcpusched vcpus='0' scheduler='fifo' priority='1'/>
  </cputune>
  <os><type>hvm</type></os>
</domain>
"""


@pytest.fixture(params=['with the cpu group', 'without it'])
def daemon(
    request: pytest.FixtureRequest, tools: None
) -> Iterator[PrivateLibvirtd]:
    """A libvirtd that uses the cpu controller, or keeps out of it."""
    with private_directory('rtvirt-test-') as root:
        made = PrivateLibvirtd(root)
        if request.param == 'with the cpu group':
            conf = root / 'etc' / 'qemu.conf'
            text = conf.read_text()
            assert 'cgroup_controllers = []\n' in text
            conf.write_text(text.replace('cgroup_controllers = []\n', ''))
        try:
            made.start()
            yield made
        finally:
            made.end()


def _is_predicted(root: Path) -> bool:
    """Whether the checks say that no real-time guest starts there."""
    conf = (root / 'etc' / 'qemu.conf').read_bytes()
    facts = read_facts()
    configured = read_libvirt_facts(
        MappingTree({'/etc/libvirt/qemu.conf': conf}), ()
    )
    facts = dataclasses.replace(facts, libvirt=configured)
    findings = run_checks(facts, plugins.host_checks(), only=['RT-B02'])
    assert not any(finding.is_undecided for finding in findings)
    return any(map(is_grave, findings))


def _fails(daemon: PrivateLibvirtd) -> bool:
    """Whether a real-time guest cannot be started."""
    with connect(daemon.uri, read_only=False) as connection:
        try:
            domain = connection.createXML(_GUEST)
        except libvirt.libvirtError as error:
            if 'Cannot set scheduler parameters' not in str(error):
                raise
            return True
        domain.destroy()
        return False


def test_a_start_that_fails_is_predicted(daemon: PrivateLibvirtd) -> None:
    assert _is_predicted(daemon.root) is _fails(daemon)

# SPDX-License-Identifier: Apache-2.0
"""Group scheduling is fatal only where it is in force.

As seen on emulated hosts: rtvirt/tests/lab/full/test_cgroup_rt.py.
"""

from __future__ import annotations

import pytest

from rtvirt.checks.run import run_checks
from rtvirt.model.finding import Severity
from rtvirt.tests.samples import group_scheduling_host
from rtvirt.tests.tuned_host import RELEASE
from rtvirt.tests.tuned_host import tuned_host
from rtvirt.tests.unit.checks.plugins import PLUGINS

_RUNTIME = '/proc/sys/kernel/sched_rt_runtime_us'
_CONF = '/etc/libvirt/qemu.conf'
_WITHOUT = 'cgroup_controllers = [ "cpuset", "memory" ]\n'
_BOTH = {'RT-B02': Severity.FATAL, 'RT-B03': Severity.FATAL}
_NOTED = {'RT-B02': Severity.WARNING}


@pytest.mark.parametrize(
    ('path', 'text', 'wanted'),
    [
        (_RUNTIME, '950000', _BOTH),
        (_RUNTIME, '0', _BOTH),
        (_RUNTIME, '-1', _NOTED),
        (_CONF, _WITHOUT, _NOTED),
        (_CONF, 'cgroup_controllers = [ "cpu", "cpuset" ]\n', _BOTH),
    ],
)
def test_what_puts_it_in_force(
    path: str, text: str, wanted: dict[str, Severity]
) -> None:
    host = group_scheduling_host()
    host.write(path, text)
    found = run_checks(host.facts(), PLUGINS, only=['RT-B02', 'RT-B03'])

    assert {finding.code: finding.severity for finding in found} == wanted


@pytest.mark.parametrize(
    ('enabled', 'severity'),
    [
        ('cpuset memory', Severity.WARNING),
        ('cpuset cpu memory', Severity.FATAL),
    ],
)
def test_who_else_enables_the_controller_of_cgroup_v2(
    enabled: str, severity: Severity
) -> None:
    host = tuned_host()
    host.replace(
        f'/boot/config-{RELEASE}',
        '# CONFIG_RT_GROUP_SCHED is not set',
        'CONFIG_RT_GROUP_SCHED=y',
    )
    host.write(_RUNTIME, '950000')
    host.write(_CONF, _WITHOUT)
    host.write('/sys/fs/cgroup/cgroup.subtree_control', enabled)
    [found] = run_checks(host.facts(), PLUGINS, only=['RT-B02', 'RT-B03'])

    assert (found.code, found.severity) == ('RT-B02', severity)

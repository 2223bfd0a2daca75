# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.host import Intent
from rtvirt.model.facts.isolation import boot_cpus
from rtvirt.model.facts.isolation import find_isolation
from rtvirt.model.facts.isolation import housekeeping_cpus
from rtvirt.model.facts.isolation import isolcpus
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.tests.host_files import CPU
from rtvirt.tests.host_files import HostFiles

PARTITION = '/sys/fs/cgroup/rt.slice/cpuset.cpus'


def _facts(**changes: str) -> HostFacts:
    """Read a host that says of isolation only what is given."""
    host = HostFiles()
    host.write(f'{CPU}/online', '0-9')
    host.write(f'{CPU}/possible', '0-15')
    host.write('/proc/mounts', 'none /sys/fs/cgroup cgroup2 rw 0 0')
    if 'partition' in changes:
        host.write(f'{PARTITION}.partition', 'isolated')
        host.write(f'{PARTITION}.effective', changes['partition'])
    if 'isolated' in changes:
        host.write(f'{CPU}/isolated', changes['isolated'])
    if 'cmdline' in changes:
        host.write('/proc/cmdline', changes['cmdline'])
    if 'tuned' in changes:
        host.write('/etc/tuned/active_profile', 'realtime-virtual-host')
        host.write(
            '/etc/tuned/realtime-virtual-host-variables.conf',
            f'isolated_cores = {changes["tuned"]}',
        )
    if 'nova' in changes:
        host.write(
            '/etc/nova/nova.conf',
            f'[compute]\ncpu_dedicated_set = {changes["nova"]}',
        )
    if 'guest' in changes:
        host.write(
            '/run/libvirt/qemu/x.xml',
            "<domain type='kvm'><name>x</name><vcpu>1</vcpu><cputune>"
            f"<vcpupin vcpu='0' cpuset='{changes['guest']}'/>"
            "<vcpusched vcpus='0' scheduler='rr' priority='2'/>"
            '</cputune></domain>',
        )
    return host.facts()


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({}, ''),
        ({'guest': '3'}, '3'),
        ({'guest': '3', 'tuned': '3-4'}, '3-4'),
        ({'tuned': '3-4', 'isolated': '2-3'}, '2-3'),
        ({'tuned': '3-4', 'partition': '5-6'}, '5-6'),
        ({'isolated': '2-3', 'partition': '5'}, '2-3,5'),
        ({'isolated': '2-3', 'nova': '2'}, '2'),
        ({'cmdline': 'isolcpus=2-3'}, '2-3'),
        ({'cmdline': 'isolcpus=nohz,2-3'}, ''),
        ({'cmdline': 'isolcpus=2-3', 'isolated': ''}, ''),
    ],
)
def test_where_the_realtime_pcpus_come_from(
    changes: dict[str, str], expected: str
) -> None:
    facts = _facts(**changes)
    assert realtime_cpus(facts) == CPUSet.parse(expected)
    assert housekeeping_cpus(facts) == (
        CPUSet(range(10)) - CPUSet.parse(expected)
    )


def test_what_the_operator_says_comes_first() -> None:
    facts = dataclasses.replace(
        _facts(isolated='2-3', nova='2'), intent=Intent(dedicated=CPUSet([7]))
    )
    assert realtime_cpus(facts) == CPUSet([7])
    facts = dataclasses.replace(facts, intent=Intent(realtime=CPUSet()))
    assert realtime_cpus(facts) == CPUSet()


@pytest.mark.parametrize(
    ('value', 'flags', 'cpus', 'stops'),
    [
        ('2-3', set(), '2-3', True),
        ('domain,2-3', {'domain'}, '2-3', True),
        ('managed_irq,2-3', {'managed_irq'}, '2-3', False),
        (
            'nohz,domain,managed_irq,4-N',
            {'nohz', 'domain', 'managed_irq'},
            '4-15',
            True,
        ),
        ('', set(), '', True),
        ('nonsense', set(), '', True),
    ],
)
def test_isolcpus(value: str, flags: set[str], cpus: str, stops: bool) -> None:
    given = isolcpus(_facts(cmdline=f'isolcpus={value}'))
    assert given is not None
    assert given.flags == flags
    assert given.cpus == CPUSet.parse(cpus)
    assert given.stops_balancing is stops


def test_what_is_not_given_is_none() -> None:
    facts = _facts(cmdline='quiet')
    assert isolcpus(facts) is None
    assert boot_cpus(facts, 'nohz_full') is None
    assert isolcpus(_facts()) is None


def test_an_invalid_partition_isolates_nothing() -> None:
    host = HostFiles()
    host.write('/proc/mounts', 'none /sys/fs/cgroup cgroup2 rw 0 0')
    host.write(f'{PARTITION}.partition', 'isolated invalid (reason)')
    host.write(f'{PARTITION}.effective', '2-3')
    assert find_isolation(host.facts()).cpus == CPUSet()

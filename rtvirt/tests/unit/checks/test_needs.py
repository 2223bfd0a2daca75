# SPDX-License-Identifier: Apache-2.0
"""What a flavor needs of the host."""

from __future__ import annotations

import dataclasses

import pytest

from rtvirt.checks.run import run_checks
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.model.facts.host import Intent
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity
from rtvirt.model.flavor import Flavor
from rtvirt.tests.host_files import HostFiles
from rtvirt.tests.tuned_host import tuned_host
from rtvirt.tests.unit.checks.plugins import PLUGINS


def _find(
    host: HostFiles, vcpus: int = 4, memory_mib: int = 4096, **specs: str
) -> tuple[Finding, ...]:
    """Return the findings for a real-time flavor.

    :param specs: with two underscores for the colon; an empty one is none.
    """
    every = {
        'hw:cpu_policy': 'dedicated',
        'hw:cpu_realtime': 'yes',
        'hw:cpu_realtime_mask': '^0',
        'hw:mem_page_size': '1GB',
        **{key.replace('__', ':'): value for key, value in specs.items()},
    }
    flavor = Flavor(
        name='rt',
        vcpus=vcpus,
        memory_mib=memory_mib,
        extra_specs={key: value for key, value in every.items() if value},
    )
    intent = Intent(guest=parse_guest(flavor))
    facts = dataclasses.replace(host.facts(), intent=intent)
    return run_checks(facts, PLUGINS)


def test_a_guest_that_fits_needs_nothing() -> None:
    assert _find(tuned_host()) == ()


@pytest.mark.parametrize(
    ('code', 'asked'),
    [
        ('RT-N01', {'vcpus': 5}),
        ('RT-N01', {'hw__cpu_thread_policy': 'require'}),
        ('RT-N02', {'memory_mib': 16384}),
        ('RT-N02', {'hw__mem_page_size': '16MB'}),
        ('RT-N02', {'memory_mib': 65536, 'hw__mem_page_size': ''}),
        ('RT-F08', {'rtvirt__cache_mib': '64'}),
    ],
)
def test_what_is_missing_is_found(
    code: str, asked: dict[str, int | str]
) -> None:
    findings = _find(tuned_host(), **asked)  # type: ignore[arg-type]
    assert code in {f.code for f in findings}
    assert {f.severity for f in findings} == {Severity.FATAL}
    assert all('rt' in f.subject for f in findings)


def test_cache_without_resctrl() -> None:
    host = tuned_host()
    assert _find(host, rtvirt__cache_mib='2') == ()
    host.remove('/sys/fs/resctrl')
    findings = _find(host, rtvirt__cache_mib='2')
    assert 'RT-F08' in {f.code for f in findings}


def test_pcpus_of_running_guests_are_taken() -> None:
    """The guest rt1 has all of node 0; another takes all of node 1."""
    host = tuned_host()
    assert _find(host, vcpus=4) == ()
    host.write(
        '/etc/libvirt/qemu/other.xml',
        "<domain type='kvm'><name>other</name><vcpu>1</vcpu><cputune>"
        "<vcpupin vcpu='0' cpuset='9'/></cputune></domain>",
    )
    findings = _find(host, vcpus=4)
    assert {f.code for f in findings} == {'RT-N01'}
    assert {f.subject for f in findings} == {'rt on node 0', 'rt on node 1'}


def test_domains_that_cannot_be_read_leave_it_open() -> None:
    host = tuned_host()
    host.forbid('/etc/libvirt/qemu')
    findings = _find(host)
    assert {'RT-N01', 'RT-N02', 'RT-F08'} == {f.code for f in findings}
    assert all(f.is_undecided for f in findings)


def test_dedicated_pcpus_that_are_offline() -> None:
    host = tuned_host()
    host.replace(
        '/etc/nova/nova.conf', 'dedicated_set = 1-4', 'dedicated_set = 1-4,31'
    )
    findings = [f for f in _find(host) if f.code == 'RT-N01']
    assert [('31' in f.actual) for f in findings] == [True]

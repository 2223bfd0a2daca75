# SPDX-License-Identifier: Apache-2.0
"""The profile for the inside of a guest."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final

import pytest

from rtvirt.checks.base import Profile
from rtvirt.checks.run import run_checks
from rtvirt.checks.run import table
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.host import Intent
from rtvirt.model.finding import Severity
from rtvirt.tests.guest_files import tuned_guest
from rtvirt.tests.host_files import CPU
from rtvirt.tests.host_files import HostFiles
from rtvirt.tests.tuned_host import tuned_host
from rtvirt.tests.unit.checks.plugins import PLUGINS

CLOCK: Final = (
    '/sys/devices/system/clocksource/clocksource0/current_clocksource'
)


def _no_pages(guest: HostFiles) -> None:
    pool = '/sys/kernel/mm/hugepages/hugepages-1048576kB'
    guest.write(f'{pool}/nr_hugepages', '0')


DEFECTS: Final[dict[str, Callable[[HostFiles], object]]] = {
    'RT-V01': lambda g: g.write('/etc/tuned/active_profile', 'virtual-guest'),
    'RT-V03': lambda g: g.write(CLOCK, 'kvm-clock'),
    'RT-V04': lambda g: g.replace('/proc/cpuinfo', ' tsc_deadline_timer', ''),
    'RT-V05': lambda g: g.write(f'{CPU}/cpuidle/current_driver', 'none'),
    'RT-V06': _no_pages,
    'RT-V07': lambda g: g.replace('/proc/cpuinfo', ' hypervisor', ''),
    'RT-V08': lambda g: g.write(
        '/sys/bus/virtio/drivers/virtio_balloon/virtio3/uevent', ''
    ),
}


def _codes(facts: HostFacts) -> set[str]:
    found = run_checks(facts, PLUGINS, profile=Profile.GUEST)
    return {f.code for f in found if not f.is_undecided}


def _with_mask(guest: HostFiles, mask: str) -> HostFacts:
    intent = Intent(realtime=CPUSet.parse(mask))
    return dataclasses.replace(guest.facts(), intent=intent)


def test_a_good_guest_has_no_defect() -> None:
    assert (
        run_checks(tuned_guest().facts(), PLUGINS, profile=Profile.GUEST) == ()
    )
    assert _codes(_with_mask(tuned_guest(), '2-3')) == set()


@pytest.mark.parametrize('code', sorted(DEFECTS))
def test_a_defect_is_found_by_its_check_and_no_other(code: str) -> None:
    guest = tuned_guest()
    DEFECTS[code](guest)
    assert _codes(guest.facts()) == {code}


@pytest.mark.parametrize(
    ('mask', 'codes'),
    [
        ('3', {'RT-V02'}),
        ('2-3', set()),
        ('1-3', {'RT-C01', 'RT-C03', 'RT-C04'}),
        ('1-2', {'RT-C01', 'RT-C03', 'RT-C04', 'RT-V02'}),
    ],
)
def test_isolated_vcpus_are_those_of_the_mask(
    mask: str, codes: set[str]
) -> None:
    found = _codes(_with_mask(tuned_guest(), mask))
    interesting = {'RT-C01', 'RT-C03', 'RT-C04', 'RT-V02'}
    assert found & interesting == codes


def test_every_check_of_a_guest_alone_has_a_defect() -> None:
    alone = {
        code
        for code, check in table(PLUGINS).items()
        if check.profiles == {Profile.GUEST}
    }
    assert alone == {*DEFECTS, 'RT-V02'}


def test_checks_of_one_profile_stay_out_of_the_other() -> None:
    host = run_checks(tuned_guest().facts(), PLUGINS)
    guest = run_checks(tuned_host().facts(), PLUGINS, profile=Profile.GUEST)
    assert not {f.code for f in host} & {*DEFECTS, 'RT-V02'}
    assert not [f for f in guest if f.code[3] in 'AEGN']


def test_a_clock_that_costs_an_exit_is_worse_than_a_page() -> None:
    severities = {}
    for name in ('kvm-clock', 'acpi_pm'):
        guest = tuned_guest()
        guest.write(CLOCK, name)
        (finding,) = run_checks(guest.facts(), PLUGINS, profile=Profile.GUEST)
        severities[name] = finding.severity
    assert severities == {
        'kvm-clock': Severity.WARNING,
        'acpi_pm': Severity.ERROR,
    }


def test_a_guest_may_do_without_tuned() -> None:
    guest = tuned_guest()
    guest.remove('/etc/tuned')
    (finding,) = run_checks(guest.facts(), PLUGINS, profile=Profile.GUEST)
    assert (finding.code, finding.severity) == ('RT-V01', Severity.INFO)

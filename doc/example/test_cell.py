# SPDX-License-Identifier: Apache-2.0
"""Its tests, with the fixtures that rtvirt brings to pytest."""

import pytest
import rtvirt
from cell import controller
from cell import place_all
from cell import start_all
from rtvirt.testing import assert_same_domain
from rtvirt.testing import nps4_host


def test_an_axis_has_a_pcpu_alone(rtvirt_host):
    plan = rtvirt_host.place(controller(axes=2))
    assert plan.realtime == {1, 2}
    realtime = {pcpu for vcpu in (1, 2) for pcpu in plan.pins[vcpu]}
    assert len(realtime) == 2
    assert not realtime & set(plan.emulator)


def test_machines_keep_apart():
    plans = place_all([3, 7, 1], nps4_host())
    taken = [plan.claimed for plan in plans.values()]
    assert sum(map(len, taken)) == len(set().union(*taken))


def test_a_plant_that_is_too_large_says_why(rtvirt_topology):
    with pytest.raises(rtvirt.FitError) as caught:
        place_all([3, 3], rtvirt_topology)
    assert 'wants 4 dedicated pCPUs' in str(caught.value.reasons[0])


def test_the_domain_is_what_libvirt_was_given_before(
    rtvirt_host, rtvirt_flavor
):
    rtvirt_host.place(rtvirt_flavor(), name='plc-1')
    before = rtvirt_host.domain_xml('plc-1')
    rtvirt_host.remove('plc-1')
    rtvirt_host.place(rtvirt_flavor(), name='plc-1')
    assert_same_domain(rtvirt_host.domain_xml('plc-1'), before)


def test_the_domain_has_no_flaw(rtvirt_host, rtvirt_domain_file):
    plan = rtvirt_host.place(controller(axes=1))
    path = rtvirt_domain_file(plan, name='machine-1')
    found = rtvirt.lint(rtvirt.parse_domain(path.read_bytes()))
    assert not [one for one in found if one.severity in ('fatal', 'error')]


def test_the_controllers_run_as_planned(rtvirt_libvirt):
    started = start_all([1, 2], rtvirt_libvirt.settings)
    assert not any(one.findings for one in started)
    listed = rtvirt.list_domains(rtvirt_libvirt.uri)
    assert [(one.name, one.state) for one in listed] == [
        ('machine-1', 'running'),
        ('machine-2', 'running'),
    ]


def test_one_that_qemu_does_not_start_takes_the_others_along(rtvirt_libvirt):
    message = 'internal error: QEMU has ended'
    rtvirt_libvirt.fail('createWithFlags', message, after=1)
    with pytest.raises(rtvirt.HostError, match='QEMU has ended'):
        start_all([1, 2], rtvirt_libvirt.settings)
    assert rtvirt.list_domains(rtvirt_libvirt.uri) == ()


def test_who_has_no_room_takes_none(rtvirt_libvirt):
    with pytest.raises(rtvirt.FitError, match='does not fit'):
        start_all([3, 3], rtvirt_libvirt.settings)
    assert rtvirt.list_domains(rtvirt_libvirt.uri) == ()


def test_a_thread_that_somebody_moved_is_found(rtvirt_libvirt):
    start_all([1], rtvirt_libvirt.settings)
    rtvirt_libvirt.repin('machine-1', vcpu=1, cpus=rtvirt.CPUSet([0]))
    shown = rtvirt.show_domain(rtvirt_libvirt.uri, 'machine-1')
    (found,) = rtvirt.verify(shown.domain, shown.running.observed)
    assert found.hint.startswith('taskset -pc')

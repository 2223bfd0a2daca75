# SPDX-License-Identifier: Apache-2.0
"""Its tests, with the fixtures that rtvirt brings to pytest."""

import pytest
import rtvirt
from cell import controller
from cell import place_all
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

# SPDX-License-Identifier: Apache-2.0
"""What the configurators wrote is read back."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given

from rtvirt.configurators.base import is_host_side
from rtvirt.configurators.clock import ClockConfigurator
from rtvirt.configurators.cpu import CPUConfigurator
from rtvirt.configurators.cputune import CPUTuneConfigurator
from rtvirt.configurators.metadata import MetadataConfigurator
from rtvirt.configurators.numatune import NUMATuneConfigurator
from rtvirt.configurators.planned import document_priorities
from rtvirt.configurators.planned import planned
from rtvirt.domain import domain_xml
from rtvirt.exception import DomainXMLError
from rtvirt.exception import ModelError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.plan import Plan
from rtvirt.tests.plans import floating_plan
from rtvirt.tests.plans import make_plan
from rtvirt.tests.plans import plans
from rtvirt.tests.unit.configurators.rendering import PLAIN


def document(plan: Plan) -> Domain:
    return parse_domain(domain_xml(plan, name='made'))


def without_the_rest(plan: Plan) -> Plan:
    """Return a plan without what a document does not show."""
    return dataclasses.replace(
        plan,
        cells=tuple(
            dataclasses.replace(cell, idle=CPUSet(), emulator=CPUSet())
            for cell in plan.cells
        ),
        caches=(),
        memory_bandwidth={},
        host='',
    )


@given(plans())
def test_a_plan_is_read_back(plan: Plan) -> None:
    found = planned(plan.guest, document(plan))
    assert without_the_rest(found) == without_the_rest(plan)


@given(plans())
def test_priorities_are_read_back(plan: Plan) -> None:
    assert document_priorities(document(plan)) == plan.priorities


def test_a_floating_guest_stays_where_it_floats() -> None:
    plan = floating_plan()
    found = planned(plan.guest, document(plan))
    assert found.floating == plan.floating
    assert found.cells == ()


def test_a_document_without_pins_is_no_plan() -> None:
    guest = make_plan().guest
    with pytest.raises(DomainXMLError, match='does not pin vCPU 0'):
        planned(guest, parse_domain(PLAIN))


def test_a_document_without_nodes_is_no_plan() -> None:
    plan = make_plan()
    domain = document(plan)
    domain.numatune = domain.numatune.but(memnodes={})
    with pytest.raises(DomainXMLError, match='guest cell 0 to no node'):
        planned(plan.guest, domain)


def test_an_emulator_on_a_realtime_pcpu_is_refused() -> None:
    plan = make_plan()
    domain = document(plan)
    domain.cputune = domain.cputune.but(emulatorpin=plan.pins[2])
    with pytest.raises(ModelError, match='real-time vCPU 2'):
        planned(plan.guest, domain)


def test_what_the_guest_sees_is_not_the_hosts_side() -> None:
    assert is_host_side(CPUTuneConfigurator())
    assert is_host_side(NUMATuneConfigurator())
    assert is_host_side(MetadataConfigurator())
    assert not is_host_side(CPUConfigurator())
    assert not is_host_side(ClockConfigurator())

# SPDX-License-Identifier: Apache-2.0
"""The PMU and KVM's hints."""

from __future__ import annotations

import pytest

from rtvirt.configurators.features import FeaturesConfigurator
from rtvirt.model.guest import HaltPoll
from rtvirt.tests.plans import floating_plan
from rtvirt.tests.plans import make_plan
from rtvirt.tests.unit.configurators.rendering import NOVA
from rtvirt.tests.unit.configurators.rendering import ODD
from rtvirt.tests.unit.configurators.rendering import PLAIN
from rtvirt.tests.unit.configurators.rendering import changed

FEATURES = FeaturesConfigurator()


def test_real_time_guest_has_no_pmu() -> None:
    assert changed(FEATURES, make_plan()) == ["+ <pmu state='off'/>"]
    assert changed(FEATURES, make_plan(), ODD) == [
        "- <pmu state='on'/>",
        "+ <pmu state='off'/>",
    ]


@pytest.mark.parametrize('realtime', ['', '2-3'])
@pytest.mark.parametrize('pmu', [True, False])
def test_pmu_is_as_asked_for(realtime: str, pmu: bool) -> None:
    plan = make_plan(realtime=realtime, pmu=pmu)
    state = 'on' if pmu else 'off'
    assert changed(FEATURES, plan) == [f"+ <pmu state='{state}'/>"]


def test_pmu_is_left_where_nothing_is_asked_for() -> None:
    for plan in (make_plan(realtime=''), floating_plan()):
        for text in (PLAIN, NOVA, ODD):
            assert changed(FEATURES, plan, text) == []


def test_hypervisor_is_hidden() -> None:
    plan = floating_plan(hide_hypervisor_id=True)
    assert changed(FEATURES, plan) == [
        '+ <kvm>',
        "+ <hidden state='on'/>",
        '+ </kvm>',
    ]
    assert changed(FEATURES, plan, ODD) == []


def test_guest_polls() -> None:
    plan = make_plan(halt_poll=HaltPoll.GUEST, pmu=True)
    assert changed(FEATURES, plan) == [
        '+ <kvm>',
        "+ <hint-dedicated state='on'/>",
        "+ <poll-control state='on'/>",
        '+ </kvm>',
        "+ <pmu state='on'/>",
    ]


def test_hint_says_no_lie() -> None:
    """Not all vCPUs are dedicated: some of them are preempted."""
    plan = make_plan(
        shared='0', realtime='', emulator='0', halt_poll=HaltPoll.GUEST
    )
    assert changed(FEATURES, plan) == [
        '+ <kvm>',
        "+ <poll-control state='on'/>",
        '+ </kvm>',
    ]


def test_nobody_polls() -> None:
    plan = make_plan(realtime='', halt_poll=HaltPoll.OFF)
    assert changed(FEATURES, plan, NOVA) == [
        '+ <kvm>',
        '+ <hint-dedicated state="off"/>',
        '+ <poll-control state="off"/>',
        '+ </kvm>',
    ]


HINTS = (
    "<hint-dedicated state='on'/><poll-control state='on'/>"
    "<pv-ipi state='off'/>"
)


def test_host_polls_again() -> None:
    text = ODD.replace("<pv-ipi state='off'/>", HINTS)
    assert changed(FEATURES, make_plan(pmu=True), text) == [
        f"- <kvm><hidden state='on'/>{HINTS}</kvm>",
        "+ <kvm><hidden state='on'/><pv-ipi state='off'/></kvm>",
    ]
    assert changed(FEATURES, make_plan(realtime=''), text) == []


@pytest.mark.parametrize('halt_poll', HaltPoll)
def test_emulation_has_no_hints(halt_poll: HaltPoll) -> None:
    plan = make_plan(halt_poll=halt_poll)
    text = PLAIN.replace("type='kvm'", "type='qemu'")
    assert changed(FEATURES, plan, text) == ["+ <pmu state='off'/>"]

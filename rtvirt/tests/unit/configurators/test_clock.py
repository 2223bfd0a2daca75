# SPDX-License-Identifier: Apache-2.0
"""Timers."""

from __future__ import annotations

from rtvirt.configurators.clock import ClockConfigurator
from rtvirt.tests.plans import floating_plan
from rtvirt.tests.plans import make_plan
from rtvirt.tests.unit.configurators.rendering import NOVA
from rtvirt.tests.unit.configurators.rendering import ODD
from rtvirt.tests.unit.configurators.rendering import PLAIN
from rtvirt.tests.unit.configurators.rendering import changed

CLOCK = ClockConfigurator()


def test_timers_of_a_real_time_guest() -> None:
    assert changed(CLOCK, make_plan()) == [
        "- <timer name='rtc' tickpolicy='delay' track='guest'/>",
        "+ <timer name='rtc' tickpolicy='catchup'/>",
        "+ <timer name='pit' tickpolicy='delay'/>",
        "+ <timer name='hpet' present='no'/>",
        "+ <timer name='kvmclock' present='yes'/>",
    ]
    assert changed(CLOCK, make_plan(), NOVA) == [
        '+ <timer name="kvmclock" present="yes"/>'
    ]
    assert changed(CLOCK, make_plan(), ODD) == [
        "- <timer name='hpet' present='yes'/>",
        "+ <timer name='hpet' present='no'/>",
        "+ <timer name='pit' tickpolicy='delay'/>",
        "+ <timer name='rtc' tickpolicy='catchup'/>",
        "+ <timer name='kvmclock' present='yes'/>",
    ]


def test_emulation_has_no_kvmclock() -> None:
    text = NOVA.replace('type="kvm"', 'type="qemu"')
    assert changed(CLOCK, make_plan(), text) == []


def test_a_clock_without_timers() -> None:
    start = PLAIN.index('  <clock')
    end = PLAIN.index('</clock>')
    text = PLAIN[:start] + "  <clock offset='utc'/>" + PLAIN[end + 8 :]
    assert changed(CLOCK, make_plan(), text) == [
        "- <clock offset='utc'/>",
        "+ <clock offset='utc'>",
        "+ <timer name='pit' tickpolicy='delay'/>",
        "+ <timer name='rtc' tickpolicy='catchup'/>",
        "+ <timer name='hpet' present='no'/>",
        "+ <timer name='kvmclock' present='yes'/>",
        '+ </clock>',
    ]
    text = PLAIN[:start] + PLAIN[end + 9 :]
    assert changed(CLOCK, make_plan(), text)[0] == "+ <clock offset='utc'>"


def test_other_guests_keep_their_timers() -> None:
    for plan in (floating_plan(), make_plan(realtime='')):
        for text in (PLAIN, NOVA, ODD):
            assert changed(CLOCK, plan, text) == []

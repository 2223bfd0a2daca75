# SPDX-License-Identifier: Apache-2.0
"""Pins and schedulers."""

from __future__ import annotations

from rtvirt.configurators.cputune import CPUTuneConfigurator
from rtvirt.model.guest import CPUQuota
from rtvirt.model.guest import Scheduler
from rtvirt.tests.plans import floating_plan
from rtvirt.tests.plans import make_plan
from rtvirt.tests.unit.configurators.rendering import NOVA
from rtvirt.tests.unit.configurators.rendering import ODD
from rtvirt.tests.unit.configurators.rendering import changed

TUNE = CPUTuneConfigurator()


def test_real_time_guest() -> None:
    assert changed(TUNE, make_plan()) == [
        '+ <cputune>',
        "+ <vcpupin vcpu='0' cpuset='2'/>",
        "+ <vcpupin vcpu='1' cpuset='3'/>",
        "+ <vcpupin vcpu='2' cpuset='4'/>",
        "+ <vcpupin vcpu='3' cpuset='5'/>",
        "+ <emulatorpin cpuset='2-3'/>",
        "+ <iothreadpin iothread='1' cpuset='2-3'/>",
        "+ <vcpusched vcpus='2-3' scheduler='fifo' priority='1'/>",
        '+ </cputune>',
    ]


def test_priorities_are_grouped() -> None:
    plan = make_plan(
        6,
        realtime='1-5',
        priorities={1: 5, 2: 9, 3: 5, 4: 1, 5: 9},
        emulator='2',
        scheduler=Scheduler.RR,
        emulator_priority=3,
    )
    assert changed(TUNE, plan)[7:] == [
        "+ <emulatorpin cpuset='2'/>",
        "+ <iothreadpin iothread='1' cpuset='2'/>",
        "+ <emulatorsched scheduler='fifo' priority='3'/>",
        "+ <vcpusched vcpus='1,3' scheduler='rr' priority='5'/>",
        "+ <vcpusched vcpus='2,5' scheduler='rr' priority='9'/>",
        "+ <vcpusched vcpus='4' scheduler='rr' priority='1'/>",
        '+ </cputune>',
    ]


def test_mixed_guest() -> None:
    plan = make_plan(3, realtime='2', shared='0', emulator='0-1', iothreads=2)
    assert changed(TUNE, plan) == [
        '+ <cputune>',
        "+ <vcpupin vcpu='0' cpuset='0-1'/>",
        "+ <vcpupin vcpu='1' cpuset='3'/>",
        "+ <vcpupin vcpu='2' cpuset='4'/>",
        "+ <emulatorpin cpuset='0-1'/>",
        "+ <iothreadpin iothread='1' cpuset='0-1'/>",
        "+ <iothreadpin iothread='2' cpuset='0-1'/>",
        "+ <vcpusched vcpus='2' scheduler='fifo' priority='1'/>",
        '+ </cputune>',
    ]


def test_floating_guest_is_not_pinned() -> None:
    assert changed(TUNE, floating_plan()) == []
    assert changed(TUNE, floating_plan(), NOVA) == [
        '- <cputune>',
        '- <emulatorpin cpuset="26-27"/>',
        '- <iothreadpin cpuset="26-27" iothread="1"/>',
        '- <vcpupin vcpu="0" cpuset="26"/>',
        '- <vcpupin vcpu="1" cpuset="27"/>',
        '- <vcpupin vcpu="2" cpuset="28"/>',
        '- <vcpupin vcpu="3" cpuset="29"/>',
        '- <vcpusched vcpus="2-3" scheduler="fifo" priority="1"/>',
        '- </cputune>',
    ]


def test_limits_are_set_where_asked_for() -> None:
    quota = CPUQuota(shares=512, period_us=100000, quota_us=-1)
    assert changed(TUNE, floating_plan(quota=quota)) == [
        '+ <cputune>',
        '+ <shares>512</shares>',
        '+ <period>100000</period>',
        '+ <quota>-1</quota>',
        '+ </cputune>',
    ]
    text = NOVA.replace('<cputune>', '<cputune><shares>9</shares>')
    plan = make_plan(emulator='26-27', iothreads=0)
    assert not [line for line in changed(TUNE, plan, text) if 'shares' in line]
    plan = make_plan(quota=CPUQuota(shares=512))
    assert '+ <cputune><shares>512</shares>' in changed(TUNE, plan, text)


def test_pins_of_nova_are_moved() -> None:
    assert changed(TUNE, make_plan(), NOVA) == [
        f'{sign} {line}'
        for old, new in [
            ('<emulatorpin cpuset="26-27"/>', '<emulatorpin cpuset="2-3"/>'),
            (
                '<iothreadpin cpuset="26-27" iothread="1"/>',
                '<iothreadpin cpuset="2-3" iothread="1"/>',
            ),
            *[
                (
                    f'<vcpupin vcpu="{n}" cpuset="{n + 26}"/>',
                    f'<vcpupin vcpu="{n}" cpuset="{n + 2}"/>',
                )
                for n in range(4)
            ],
        ]
        for sign, line in (('-', old), ('+', new))
    ]


def test_what_others_tuned_is_kept() -> None:
    assert changed(TUNE, make_plan(), ODD) == [
        "- <vcpupin vcpu='0' cpuset='0-3,^2' /> <!-- three of four -->",
        "+ <vcpupin vcpu='0' cpuset='2' /> <!-- three of four -->",
        "- <vcpupin vcpu='7' cpuset='1'/>",
        "+ <vcpupin vcpu='1' cpuset='3'/>",
        "+ <vcpupin vcpu='2' cpuset='4'/>",
        "+ <vcpupin vcpu='3' cpuset='5'/>",
        "+ <emulatorpin cpuset='2-3'/>",
        "+ <iothreadpin iothread='1' cpuset='2-3'/>",
        "+ <vcpusched vcpus='2-3' scheduler='fifo' priority='1'/>",
    ]

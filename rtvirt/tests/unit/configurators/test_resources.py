# SPDX-License-Identifier: Apache-2.0
"""Cache and memory bandwidth."""

from __future__ import annotations

from rtvirt.configurators.resources import ResourcesConfigurator
from rtvirt.model.resctrl import CacheAllocation
from rtvirt.model.resctrl import CacheType
from rtvirt.tests.plans import make_plan
from rtvirt.tests.unit.configurators.rendering import PLAIN
from rtvirt.tests.unit.configurators.rendering import changed
from rtvirt.tests.unit.configurators.rendering import render

RESOURCES = ResourcesConfigurator()


def test_real_time_vcpus_have_their_part() -> None:
    plan = make_plan(
        caches=(
            CacheAllocation(bank=1, type=CacheType.CODE, size_kib=2048),
            CacheAllocation(bank=1, type=CacheType.DATA, size_kib=4096),
        ),
        memory_bandwidth={1: 30},
    )
    assert changed(RESOURCES, plan) == [
        '+ <cputune>',
        "+ <cachetune vcpus='2-3'>",
        "+ <cache id='1' level='3' type='code' size='2048' unit='KiB'/>",
        "+ <cache id='1' level='3' type='data' size='4096' unit='KiB'/>",
        '+ </cachetune>',
        "+ <memorytune vcpus='2-3'>",
        "+ <node id='1' bandwidth='30'/>",
        '+ </memorytune>',
        '+ </cputune>',
    ]


def test_parts_of_another_plan_go() -> None:
    cache = (CacheAllocation(bank=0, size_kib=2048),)
    before = render(RESOURCES, make_plan(caches=cache))
    assert changed(RESOURCES, make_plan(memory_bandwidth={0: 10}), before) == [
        "- <cachetune vcpus='2-3'>",
        "+ <memorytune vcpus='2-3'>",
        "- <cache id='0' level='3' type='both' size='2048' unit='KiB'/>",
        '- </cachetune>',
        "+ <node id='0' bandwidth='10'/>",
        '+ </memorytune>',
    ]
    assert render(RESOURCES, make_plan(), before) == PLAIN


def test_nothing_is_asked_for() -> None:
    assert changed(RESOURCES, make_plan()) == []

# SPDX-License-Identifier: Apache-2.0
"""The number of I/O threads."""

from __future__ import annotations

from rtvirt.configurators.iothreads import IOThreadsConfigurator
from rtvirt.tests.plans import floating_plan
from rtvirt.tests.plans import make_plan
from rtvirt.tests.unit.configurators.rendering import NOVA
from rtvirt.tests.unit.configurators.rendering import ODD
from rtvirt.tests.unit.configurators.rendering import changed

IOTHREADS = IOThreadsConfigurator()


def test_number_is_set() -> None:
    assert changed(IOTHREADS, make_plan(iothreads=2)) == [
        '+ <iothreads>2</iothreads>'
    ]
    assert changed(IOTHREADS, make_plan(), NOVA) == []
    assert changed(IOTHREADS, floating_plan(iothreads=1), NOVA) == []


def test_none_are_wanted() -> None:
    assert changed(IOTHREADS, make_plan(iothreads=0), NOVA) == [
        '- <iothreads>1</iothreads>'
    ]


def test_ids_that_are_not_the_plans_go() -> None:
    assert changed(IOTHREADS, make_plan(iothreads=2), ODD) == [
        (
            "- <iothreadids><iothread id='2'/><iothread id='9' "
            "thread_pool_max='4'/></iothreadids>"
        ),
        "+ <iothreadids><iothread id='2'/></iothreadids>",
    ]
    assert changed(IOTHREADS, make_plan(iothreads=9), ODD) == [
        '- <iothreads>2</iothreads>',
        '+ <iothreads>9</iothreads>',
    ]


def test_schedulers_of_threads_that_are_not_there_go() -> None:
    assert changed(IOTHREADS, make_plan(iothreads=1), ODD) == [
        '- <iothreads>2</iothreads>',
        '+ <iothreads>1</iothreads>',
        (
            "- <iothreadids><iothread id='2'/><iothread id='9' "
            "thread_pool_max='4'/></iothreadids>"
        ),
        "- <iothreadsched iothreads='2' scheduler='batch'/>",
    ]
    text = ODD.replace("iothreads='2'", "iothreads='1-2'")
    lines = changed(IOTHREADS, make_plan(iothreads=1), text)
    assert "+ <iothreadsched iothreads='1' scheduler='batch'/>" in lines

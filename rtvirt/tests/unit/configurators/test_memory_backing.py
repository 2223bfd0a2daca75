# SPDX-License-Identifier: Apache-2.0
"""Memory: how much, on which pages, locked or not."""

from __future__ import annotations

import pytest

from rtvirt.configurators.memory_backing import MemoryBackingConfigurator
from rtvirt.model.pages import PageSize
from rtvirt.tests.plans import floating_plan
from rtvirt.tests.plans import make_plan
from rtvirt.tests.unit.configurators.rendering import NOVA
from rtvirt.tests.unit.configurators.rendering import ODD
from rtvirt.tests.unit.configurators.rendering import changed

BACKING = MemoryBackingConfigurator()


def test_real_time_guest_on_huge_pages() -> None:
    assert changed(BACKING, make_plan(cells=2, memory_mib=2048)) == [
        "- <currentMemory unit='GiB'>2</currentMemory>",
        "+ <currentMemory unit='KiB'>4194304</currentMemory>",
        '+ <memoryBacking>',
        '+ <hugepages>',
        "+ <page size='1048576' unit='KiB' nodeset='0'/>",
        "+ <page size='1048576' unit='KiB' nodeset='1'/>",
        '+ </hugepages>',
        '+ <nosharepages/>',
        '+ <locked/>',
        '+ </memoryBacking>',
    ]
    assert changed(BACKING, make_plan(), NOVA) == []


def test_real_time_guest_on_ordinary_pages() -> None:
    assert changed(BACKING, make_plan(page_size=4), NOVA) == [
        '- <hugepages>',
        '- <page size="1048576" nodeset="0" unit="KiB"/>',
        '- </hugepages>',
    ]


def test_other_guests_are_not_locked() -> None:
    plan = make_plan(realtime='', page_size=None)
    assert changed(BACKING, plan) == []
    assert changed(BACKING, plan, NOVA) == [
        '- <memoryBacking>',
        '- <hugepages>',
        '- <page size="1048576" nodeset="0" unit="KiB"/>',
        '- </hugepages>',
        '- <nosharepages/>',
        '- <locked/>',
        '- </memoryBacking>',
    ]


def test_guests_are_locked_where_asked_for() -> None:
    plan = make_plan(realtime='', page_size=2048, locked_memory=True)
    assert changed(BACKING, plan, NOVA) == [
        '- <page size="1048576" nodeset="0" unit="KiB"/>',
        '+ <page size="2048" nodeset="0" unit="KiB"/>',
        '- <nosharepages/>',
    ]


def test_memory_is_that_of_the_plan() -> None:
    assert changed(BACKING, floating_plan()) == [
        "- <memory unit='GiB'>4</memory>",
        "+ <memory unit='KiB'>524288</memory>",
        "- <currentMemory unit='GiB'>2</currentMemory>",
        "+ <currentMemory unit='KiB'>524288</currentMemory>",
    ]
    # A balloon may go on taking from a guest that is not real-time.
    plan = make_plan(realtime='', page_size=None, memory_mib=8192)
    assert changed(BACKING, plan) == [
        "- <memory unit='GiB'>4</memory>",
        "+ <memory unit='KiB'>8388608</memory>",
    ]


def test_none_is_put_in_for_nothing() -> None:
    text = ODD.replace('<memory unit="KiB">4194304</memory>', '')
    assert changed(BACKING, floating_plan(), text)[-1:] == [
        "+ <memory unit='KiB'>524288</memory>"
    ]


@pytest.mark.parametrize(
    ('page_size', 'huge'),
    [(None, False), (4, False), (2048, True), (1048576, True)],
)
def test_huge_pages_are_those_above_the_ordinary(
    page_size: int | None, huge: bool
) -> None:
    plan = make_plan(page_size=page_size)
    assert plan.huge_cells == (plan.cells if huge else ())


def test_ordinary_pages_of_another_size() -> None:
    """A kernel with pages of 64 KiB: the smallest are no huge pages."""
    data = make_plan(page_size=64).to_dict()
    plan = type(make_plan()).from_dict(data)
    assert len(plan.huge_cells) == 1
    data['guest']['cells'][0]['page_size'] = PageSize.SMALL.value
    assert type(plan).from_dict(data).huge_cells == ()

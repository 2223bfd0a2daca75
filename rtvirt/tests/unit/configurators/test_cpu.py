# SPDX-License-Identifier: Apache-2.0
"""vCPUs, topology and guest cells."""

from __future__ import annotations

from rtvirt.configurators.cpu import CPUConfigurator
from rtvirt.tests.plans import floating_plan
from rtvirt.tests.plans import make_plan
from rtvirt.tests.unit.configurators.rendering import NOVA
from rtvirt.tests.unit.configurators.rendering import ODD
from rtvirt.tests.unit.configurators.rendering import changed

CPU = CPUConfigurator()


def test_cells_on_huge_pages_are_shared() -> None:
    assert changed(CPU, make_plan(4, cells=2, memory_mib=1024)) == [
        "- <vcpu placement='static'>2</vcpu>",
        "+ <vcpu placement='static'>4</vcpu>",
        "- <cpu mode='host-passthrough' check='none' migratable='on'/>",
        "+ <cpu mode='host-passthrough' check='none' migratable='on'>",
        "+ <topology sockets='4' cores='1' threads='1'/>",
        '+ <numa>',
        (
            "+ <cell id='0' cpus='0-1' memory='1048576' unit='KiB' "
            "memAccess='shared'/>"
        ),
        (
            "+ <cell id='1' cpus='2-3' memory='1048576' unit='KiB' "
            "memAccess='shared'/>"
        ),
        '+ </numa>',
        '+ </cpu>',
    ]
    assert changed(CPU, make_plan(), NOVA) == []


def test_cells_on_ordinary_pages_are_not() -> None:
    assert changed(CPU, make_plan(page_size=4), NOVA) == [
        '- <cell id="0" cpus="0-3" memory="4194304" memAccess="shared"/>',
        '+ <cell id="0" cpus="0-3" memory="4194304"/>',
    ]


def test_floating_guest() -> None:
    assert changed(CPU, floating_plan(), NOVA) == [
        '- <vcpu>4</vcpu>',
        '+ <vcpu cpuset="0-1">2</vcpu>',
        '- <topology sockets="4" cores="1" threads="1"/>',
        '+ <topology sockets="1" cores="2" threads="1"/>',
        '- <numa>',
        '- <cell id="0" cpus="0-3" memory="4194304" memAccess="shared"/>',
        '- </numa>',
    ]
    text = NOVA.replace('<vcpu>4', '<vcpu cpuset="5">2')
    assert changed(CPU, floating_plan(floating=''), text)[:2] == [
        '- <vcpu cpuset="5">2</vcpu>',
        '+ <vcpu>2</vcpu>',
    ]


def test_what_the_plan_has_no_word_in_is_kept() -> None:
    plan = make_plan(4, cells=2, page_size=2048, memory_mib=2048)
    assert changed(CPU, plan, ODD) == [
        "- <vcpu placement='auto' current=\"1\" >4</vcpu>",
        '+ <vcpu current="1" >4</vcpu>',
        "- <topology sockets='1' dies='2' cores='2' threads='1'/>",
        "+ <topology sockets='4' cores='1' threads='1'/>",
        (
            "- <cell id='0' cpus='0-1' memory='2097152' unit='KiB' "
            "discard='yes'>"
        ),
        (
            "+ <cell id='0' cpus='0-1' memory='2097152' unit='KiB' "
            "discard='yes' memAccess='shared'>"
        ),
        "- <cell id='1' cpus='2-3' memory='2' unit='GiB'/>",
        (
            "+ <cell id='1' cpus='2-3' memory='2' unit='GiB' "
            "memAccess='shared'/>"
        ),
    ]


def test_distances_go_with_the_cells_they_name() -> None:
    lines = changed(CPU, make_plan(4), ODD)
    assert "- <distances><sibling id='1' value='21'/></distances>" in lines


def test_states_of_vcpus_go_when_their_number_changes() -> None:
    lines = changed(CPU, make_plan(5, realtime='2-4'), ODD)
    assert '- <vcpus>' in lines
    assert '- </vcpus>' in lines
    assert '+ <vcpu >5</vcpu>' in lines

# SPDX-License-Identifier: Apache-2.0
"""A domain's XML tells which pCPUs it has for itself."""

import logging

import pytest

from rtvirt.host.holding import held_by
from rtvirt.host.holding import holder_of
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.libvirtxml.metadata import NAMESPACE
from rtvirt.libvirtxml.metadata import keep_plan
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.holder import Holder
from rtvirt.model.host import HostTopology
from rtvirt.model.plan import Plan
from rtvirt.model.plan import PlannedCell


def domain(*pins: str, plan: str = '') -> Domain:
    metadata = (
        f'<metadata><r:plan xmlns:r="{NAMESPACE}">{plan}</r:plan></metadata>'
        if plan
        else ''
    )
    tune = ''.join(
        f"<vcpupin vcpu='{n}' cpuset='{cpus}'/>" for n, cpus in enumerate(pins)
    )
    return parse_domain(
        f"<domain type='kvm'><name>d</name>{metadata}"
        f'<cputune>{tune}</cputune></domain>'
    )


@pytest.mark.parametrize(
    ('pins', 'held'),
    [((), ''), (('2', '3'), '2-3'), (('2', '4-7'), '2'), (('0-7',), '')],
)
def test_a_vcpu_with_one_pcpu_has_it_for_itself(
    pins: tuple[str, ...], held: str
) -> None:
    assert held_by(domain(*pins)) == CPUSet.parse(held)


def test_a_plan_also_tells_what_is_kept_idle() -> None:
    plan = Plan(
        guest=GuestRequirement(
            name='g',
            vcpus=1,
            memory_mib=64,
            cells=(GuestCell(id=0, dedicated=CPUSet([0]), memory_mib=64),),
            topology=CPUTopology(sockets=1),
        ),
        cells=(
            PlannedCell(
                guest_cell=0,
                host_cell=0,
                pins={0: CPUSet([2])},
                idle=CPUSet([10]),
                emulator=CPUSet([3]),
                page_size_kib=4,
                memory_mib=64,
            ),
        ),
        emulator=CPUSet([3]),
    )

    made = domain('2')
    keep_plan(made, plan)

    assert held_by(made) == {2, 3, 10}


@pytest.mark.parametrize('plan', ['no json', '{}', '[]'])
def test_a_broken_plan_hides_no_pin(
    plan: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    assert held_by(domain('2', plan=plan)) == {2}
    assert "plan in the metadata of domain 'd'" in caplog.text


def test_on_a_host_without_cells_nothing_is_held() -> None:
    host = HostTopology(cells=())
    assert holder_of(domain('2'), host) == Holder(name='d', holdings=())

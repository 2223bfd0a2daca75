# SPDX-License-Identifier: Apache-2.0
"""Plans made by hand, for tests of what is done with them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import CPUQuota
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import HaltPoll
from rtvirt.model.guest import Scheduler
from rtvirt.model.plan import Plan
from rtvirt.model.plan import PlannedCell
from rtvirt.model.resctrl import CacheAllocation


def make_plan(
    vcpus: int = 4,
    cells: int = 1,
    *,
    realtime: str = '2-3',
    shared: str = '',
    page_size: int | None = 1048576,
    emulator: str = '2-3',
    memory_mib: int = 4096,
    iothreads: int = 1,
    priorities: dict[int, int] | None = None,
    caches: tuple[CacheAllocation, ...] = (),
    memory_bandwidth: dict[int, int] | None = None,
    **asked: Any,
) -> Plan:
    """Place vCPU n on pCPU n + 2; guest cell n on host cell n + 1.

    Shared vCPUs float over pCPUs 0-1.

    :param memory_mib: of each cell.
    :param asked: further fields of the requirement.
    """
    rt = CPUSet.parse(realtime)
    floating = CPUSet.parse(shared)
    bounds = [vcpus * n // cells for n in range(cells + 1)]
    groups = [CPUSet(range(bounds[n], bounds[n + 1])) for n in range(cells)]
    if priorities is None:
        priorities = dict.fromkeys(rt, 1)
    guest = GuestRequirement(
        name='made',
        vcpus=vcpus,
        memory_mib=memory_mib * cells,
        cells=tuple(
            GuestCell(
                id=n,
                shared=group & floating,
                dedicated=group - floating,
                memory_mib=memory_mib,
                page_size=page_size,
            )
            for n, group in enumerate(groups)
        ),
        topology=CPUTopology(sockets=vcpus),
        cpu_policy=CPUPolicy.MIXED if floating else CPUPolicy.DEDICATED,
        realtime=rt,
        priorities=priorities,
        iothreads=iothreads,
        **asked,
    )
    helpers = CPUSet.parse(emulator)
    return Plan(
        guest=guest,
        cells=tuple(
            PlannedCell(
                guest_cell=n,
                host_cell=n + 1,
                pins={
                    vcpu: CPUSet([0, 1] if vcpu in floating else [vcpu + 2])
                    for vcpu in group
                },
                page_size_kib=page_size or 4,
                memory_mib=memory_mib,
            )
            for n, group in enumerate(groups)
        ),
        emulator=helpers,
        iothreads={n + 1: helpers for n in range(iothreads)},
        caches=caches,
        memory_bandwidth=memory_bandwidth or {},
        host='0123456789abcdef',
    )


def floating_plan(
    vcpus: int = 2, *, floating: str = '0-1', **asked: Any
) -> Plan:
    """Return a plan for a guest without cells."""
    return Plan(
        guest=GuestRequirement(
            name='floating',
            vcpus=vcpus,
            memory_mib=512,
            topology=CPUTopology(sockets=1, cores=vcpus),
            **asked,
        ),
        cells=(),
        floating=CPUSet.parse(floating),
        emulator=CPUSet(),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans of every kind: real-time, dedicated, mixed and floating."""
    asked = {
        'pmu': draw(st.sampled_from([None, True, False])),
        'hide_hypervisor_id': draw(st.booleans()),
        'halt_poll': draw(st.sampled_from(HaltPoll)),
        'emulator_priority': draw(st.sampled_from([0, 2])),
        'scheduler': draw(st.sampled_from(Scheduler)),
        'locked_memory': draw(st.booleans()),
        'quota': draw(
            st.sampled_from(
                [
                    CPUQuota(),
                    CPUQuota(shares=512),
                    CPUQuota(period_us=100000, quota_us=-1),
                ]
            )
        ),
    }
    if draw(st.integers(0, 5)) == 0:
        return floating_plan(
            draw(st.integers(1, 4)),
            floating=draw(st.sampled_from(['', '0-1'])),
            **asked,
        )
    vcpus = draw(st.integers(2, 8))
    first = draw(st.integers(1, vcpus))
    realtime = f'{first}-{vcpus - 1}' if first < vcpus else ''
    priorities = {
        vcpu: draw(st.integers(1, 3)) for vcpu in range(first, vcpus)
    }
    some = bool(realtime) and draw(st.booleans())
    return make_plan(
        vcpus,
        draw(st.integers(1, min(vcpus, 3))),
        realtime=realtime,
        shared=draw(st.sampled_from(['', '0'])),
        page_size=draw(st.sampled_from([None, 4, 2048, 1048576])),
        emulator=draw(st.sampled_from(['0', '0-1,40'])),
        iothreads=draw(st.integers(0, 3)),
        priorities=priorities,
        caches=(CacheAllocation(bank=0, size_kib=2048),) if some else (),
        memory_bandwidth={0: 30} if some else None,
        **asked,
    )

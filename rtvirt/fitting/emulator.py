# SPDX-License-Identifier: Apache-2.0
"""Where the emulator threads run, and the I/O threads with them."""

from __future__ import annotations

from collections.abc import Sequence

from rtvirt.fitting.demand import Demand
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.host import HostTopology
from rtvirt.model.plan import PlannedCell
from rtvirt.model.reason import FitReason
from rtvirt.model.reason import ReasonCode


def shared_only(host: HostTopology) -> CPUSet:
    """Return the pCPUs that are shared and not dedicated.

    nova's ``cpu_shared_set``: where neither of its sets is configured, all
    pCPUs are both, and there is no such set.
    """
    mask = 0
    for cell in host.cells:
        mask |= cell.shared.mask & ~cell.dedicated.mask
    return CPUSet.from_mask(mask)


def find_emulator_reason(
    demand: Demand, host: HostTopology
) -> FitReason | None:
    """Return why the emulator threads have nowhere to run, if so.

    Without real-time vCPUs there always are vCPUs to run beside. With them,
    nova refuses ``share`` where the host has no shared set
    (``LibvirtDriver._get_guest_memory_backing_config``), and would leave
    the emulator threads without a pCPU where all vCPUs are real-time and no
    policy says where else they go.
    """
    if not demand.needs_emulator_cpus:
        return None
    if demand.guest.emulator_policy is EmulatorPolicy.SHARE:
        if shared_only(host):
            return None
        text = (
            'emulator threads policy share needs shared pCPUs beside the '
            'dedicated ones, and the host has none'
        )
    else:
        text = (
            'all vCPUs are real-time and no emulator threads policy is set, '
            'so that the emulator threads have no pCPU to run on'
        )
    return FitReason(
        code=ReasonCode.EMULATOR,
        wanted=1,
        available=0,
        sentence=text,
    )


def emulator_cpus(
    demand: Demand, host: HostTopology, cells: Sequence[PlannedCell]
) -> CPUSet:
    """Return the pCPUs of the emulator threads.

    The rules of nova's ``LibvirtDriver._get_emulatorpin_cpuset``: with
    ``isolate`` the reserved pCPU, with ``share`` the shared pCPUs of the
    host, if it has any; else the pCPUs of the vCPUs that are not real-time.
    """
    policy = demand.guest.emulator_policy
    if policy is EmulatorPolicy.ISOLATE:
        return cells[0].emulator
    if policy is EmulatorPolicy.SHARE and (shared := shared_only(host)):
        return shared
    mask = 0
    for want, planned in zip(demand.cells, cells, strict=True):
        pins = planned.pins
        if not want.realtime:
            for cpus in pins.values():
                mask |= cpus.mask
            continue
        for vcpu in want.others:
            mask |= pins[vcpu].mask
        if want.shared:
            mask |= pins[want.shared[0]].mask
    return CPUSet.from_mask(mask)

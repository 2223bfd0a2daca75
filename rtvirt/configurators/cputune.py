# SPDX-License-Identifier: Apache-2.0
"""Pins and schedulers of the guest's threads."""

from __future__ import annotations

from rtvirt.libvirtxml.cputune import EmulatorSched
from rtvirt.libvirtxml.cputune import VCPUSched
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUQuota
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.plan import Plan


class CPUTuneConfigurator:
    """Pins every thread, and puts real-time vCPUs under their scheduler.

    The same as ``LibvirtDriver._get_guest_numa_config`` and
    ``_update_guest_cputune`` of nova, and beyond them one scheduler and
    priority per vCPU, and a scheduler for the emulator threads.
    """

    owns = frozenset(
        {
            'cputune/shares',
            'cputune/period',
            'cputune/quota',
            'cputune/vcpupin',
            'cputune/emulatorpin',
            'cputune/iothreadpin',
            'cputune/vcpusched',
            'cputune/emulatorsched',
        }
    )

    def configure(self, plan: Plan, domain: Domain) -> None:
        guest = plan.guest
        domain.cputune = domain.cputune.but(
            vcpupins=plan.pins,
            emulatorpin=plan.emulator or None,
            iothreadpins=plan.iothreads,
            vcpuscheds=_to_vcpuscheds(guest),
            emulatorsched=_to_emulatorsched(guest),
            **_to_limits(guest.quota),
        )


def _to_vcpuscheds(guest: GuestRequirement) -> tuple[VCPUSched, ...]:
    """Return one entry per priority."""
    priorities = set(guest.priorities.values())
    vcpus = {
        priority: [v for v, p in guest.priorities.items() if p == priority]
        for priority in priorities
        if len(priorities) > 1
    }
    return tuple(
        [
            VCPUSched(
                cpus=CPUSet(vcpus.get(priority, guest.realtime)),
                scheduler=guest.scheduler.value,
                priority=priority,
            )
            for priority in priorities
        ]
    )


def _to_emulatorsched(guest: GuestRequirement) -> EmulatorSched | None:
    # FIFO whatever the vCPUs have: emulator threads are many, and none of
    # them shall wait for the time slice of another.
    if not guest.emulator_priority:
        return None
    return EmulatorSched(scheduler='fifo', priority=guest.emulator_priority)


def _to_limits(quota: CPUQuota) -> dict[str, int]:
    """Return what ``quota:cpu_*`` asks for; the rest is the document's."""
    asked = {
        'shares': quota.shares,
        'period': quota.period_us,
        'quota': quota.quota_us,
    }
    return {name: it for name, it in asked.items() if it is not None}

# SPDX-License-Identifier: Apache-2.0
"""Timers fit for real time."""

from __future__ import annotations

from typing import Final

from rtvirt.libvirtxml.clock import Clock
from rtvirt.libvirtxml.clock import Timer
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.plan import Plan

TIMERS: Final = FrozenDict(
    {
        'pit': Timer(tickpolicy='delay'),
        'rtc': Timer(tickpolicy='catchup'),
        'hpet': Timer(present=False),
    }
)
"""Timers as ``LibvirtDriver._set_kvm_timers`` of nova has them.

PIT ``delay``, RTC ``catchup``, no HPET. The HPET is emulated in QEMU's main
loop: each reading leaves the guest and waits for the emulator threads. PIT
and RTC tick while the guest boots, and not once Linux runs: late ticks of the
PIT are not made up for, and the RTC keeps the time of guests that count its
ticks.
"""

REALTIME_TIMERS: Final = FrozenDict(
    {**TIMERS, 'kvmclock': Timer(present=True)}
)
"""Those of a real-time guest under KVM: kvmclock is on, too.

It is read without leaving the guest, and Linux reads it wherever the TSC is
not invariant. The TSC itself needs no element: it is on anyway. A
``frequency``, or the flag invtsc, would tie the guest to hosts of that
frequency, and with invtsc alone libvirt migrates no running guest.
"""


class ClockConfigurator:
    """Sets the timers of real-time guests.

    Those of other guests are the document's, as are all others.
    """

    owns = frozenset(f'clock/timer/{name}' for name in REALTIME_TIMERS)

    def configure(self, plan: Plan, domain: Domain) -> None:
        if not plan.realtime:
            return
        timers = REALTIME_TIMERS if domain.virt_type == 'kvm' else TIMERS
        known = domain.clock
        if known is None or not known.timers:
            offset = 'utc' if known is None else known.offset
            domain.clock = Clock(offset=offset, timers=timers)
        else:
            domain.clock = known.but(timers={**known.timers, **timers})

# SPDX-License-Identifier: Apache-2.0
"""KVM and the parameters of its modules."""

from __future__ import annotations

from dataclasses import dataclass

from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import fact
from rtvirt.model.facts.parse import parse_flag
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.facts.parse import parse_text


@dataclass(frozen=True, slots=True, kw_only=True)
class KVMFacts:
    """The kvm modules.

    :ivar device: whether the kernel offers ``/dev/kvm``.
    :ivar nx_huge_pages: ``Y``, ``N``, ``auto``, ``never`` or ``off``.
    :ivar timer_advance: whether timers fire early to hide their cost: a
        truth value since Linux 6.10, nanoseconds before.
    """

    device: bool | Missing = fact('/proc/misc')
    halt_poll_ns: int | Missing = fact(
        '/sys/module/kvm/parameters/halt_poll_ns', parse_int
    )
    kvmclock_periodic_sync: bool | Missing = fact(
        '/sys/module/kvm/parameters/kvmclock_periodic_sync', parse_flag
    )
    nx_huge_pages: str | Missing = fact(
        '/sys/module/kvm/parameters/nx_huge_pages', parse_text
    )
    enable_pmu: bool | Missing = fact(
        '/sys/module/kvm/parameters/enable_pmu', parse_flag
    )
    timer_advance: bool | Missing = fact(
        '/sys/module/kvm/parameters/lapic_timer_advance', parse_flag
    )
    timer_advance_ns: int | Missing = fact(
        '/sys/module/kvm/parameters/lapic_timer_advance_ns', parse_int
    )
    ple_gap: int | Missing = fact(
        '/sys/module/kvm_intel/parameters/ple_gap', parse_int
    )
    pause_filter_count: int | Missing = fact(
        '/sys/module/kvm_amd/parameters/pause_filter_count', parse_int
    )
    preemption_timer: bool | Missing = fact(
        '/sys/module/kvm_intel/parameters/preemption_timer', parse_flag
    )
    apicv: bool | Missing = fact(
        '/sys/module/kvm_intel/parameters/enable_apicv', parse_flag
    )
    avic: bool | Missing = fact(
        '/sys/module/kvm_amd/parameters/avic', parse_flag
    )

# SPDX-License-Identifier: Apache-2.0
"""The daemons of a host and how systemd and tuned are set up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cmdline import CommandLine
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import fact
from rtvirt.model.facts.parse import parse_text

DAEMONS: Final = frozenset(
    {
        'auto-cpufreq',
        'irqbalance',
        'ksmtuned',
        'libvirtd',
        'mcelog',
        'numad',
        'power-profiles-daemon',
        'powertop',
        'rasdaemon',
        'smartd',
        'stalld',
        'thermald',
        'tuned',
        'virtqemud',
    }
)
"""The daemons that checks ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """What runs, and where systemd puts it.

    :ivar running: those of :data:`DAEMONS` that run.
    :ivar timers: systemd timers that an administrator or a package enabled.
    :ivar cpu_affinity: ``CPUAffinity`` of systemd's own configuration.
    :ivar init_cpus: the CPUs the first process may use; what it starts
        inherits them.
    """

    running: tuple[str, ...] | Missing = fact('/proc/*/comm')
    timers: tuple[str, ...] | Missing = fact(
        '/etc/systemd/system/timers.target.wants'
    )
    cpu_affinity: CPUSet | Missing = fact('/etc/systemd/system.conf')
    init_cpus: CPUSet | Missing = fact('/proc/1/status')


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedFacts:
    """What tuned is told to do.

    :ivar isolated: ``isolated_cores`` in the variables of the active
        profile.
    :ivar cmdline: what tuned wants added to the kernel command line.
    """

    profile: str | Missing = fact('/etc/tuned/active_profile', parse_text)
    isolated: CPUSet | Missing = fact('/etc/tuned/*-variables.conf')
    cmdline: CommandLine | Missing = fact('/etc/tuned/bootcmdline')


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareFacts:
    """Who made the machine and its firmware."""

    vendor: str | Missing = fact('/sys/class/dmi/id/sys_vendor', parse_text)
    product: str | Missing = fact('/sys/class/dmi/id/product_name', parse_text)
    bios_version: str | Missing = fact(
        '/sys/class/dmi/id/bios_version', parse_text
    )
    bios_date: str | Missing = fact('/sys/class/dmi/id/bios_date', parse_text)

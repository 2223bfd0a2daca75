# SPDX-License-Identifier: Apache-2.0
"""The running kernel and its knobs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cmdline import CommandLine
from rtvirt.model.facts.cmdline import parse_cmdline
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import fact
from rtvirt.model.facts.missing import malformed
from rtvirt.model.facts.parse import parse_choice
from rtvirt.model.facts.parse import parse_flag
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.facts.parse import parse_list
from rtvirt.model.facts.parse import parse_text

_RELEASE: Final = re.compile(r'(\d{1,4})\.(\d{1,4})')


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFacts:
    """What was booted.

    :ivar release: as ``uname -r`` prints it.
    :ivar realtime: whether the kernel says it is PREEMPT_RT; the file is
        absent on other kernels.
    :ivar config: the options of :data:`CONFIG_OPTIONS` that are set, with
        their values; an option that is not set has no key.
    :ivar vulnerabilities: the kernel's words on each hardware weakness.
    :ivar log: those lines of the kernel's log that tell of lost time.
    """

    hostname: str | Missing = fact('/proc/sys/kernel/hostname', parse_text)
    release: str | Missing = fact('/proc/sys/kernel/osrelease', parse_text)
    version: str | Missing = fact('/proc/version', parse_text)
    realtime: bool | Missing = fact('/sys/kernel/realtime', parse_flag)
    cmdline: CommandLine | Missing = fact('/proc/cmdline', parse_cmdline)
    clocksource: str | Missing = fact(
        '/sys/devices/system/clocksource/clocksource0/current_clocksource',
        parse_text,
    )
    console_loglevel: int | Missing = fact(
        '/proc/sys/kernel/printk', parse_int
    )
    config: Missing | Mapping[str, str] = fact('/proc/config.gz')
    vulnerabilities: Missing | Mapping[str, str] = fact(
        '/sys/devices/system/cpu/vulnerabilities'
    )
    log: tuple[str, ...] | Missing = fact('/dev/kmsg')

    @property
    def number(self) -> tuple[int, int] | Missing:
        """The release's first two numbers."""
        if isinstance(self.release, Missing):
            return self.release
        match = _RELEASE.match(self.release)
        if match is None:
            return malformed('/proc/sys/kernel/osrelease', self.release)
        return int(match[1]), int(match[2])


CONFIG_OPTIONS: Final = frozenset(
    {
        'CONFIG_CPU_ISOLATION',
        'CONFIG_DEBUG_LOCK_ALLOC',
        'CONFIG_DEBUG_PREEMPT',
        'CONFIG_HZ',
        'CONFIG_KASAN',
        'CONFIG_LOCKDEP',
        'CONFIG_NO_HZ_FULL',
        'CONFIG_PREEMPT_RT',
        'CONFIG_PROVE_LOCKING',
        'CONFIG_RCU_NOCB_CPU',
        'CONFIG_RT_GROUP_SCHED',
        'CONFIG_RT_GROUP_SCHED_DEFAULT_DISABLED',
    }
)
"""The options of the kernel's build that checks look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerFacts:
    """The scheduler's knobs.

    :ivar rt_runtime_us: of each period, what real-time tasks may take; -1
        is all of it.
    :ivar preempt_model: of kernels that choose at boot: none, voluntary,
        full or lazy.
    :ivar fair_server_ns: runtime of the deadline server for ordinary
        tasks, as the file prints it, to the CPUs that have it.
    """

    rt_runtime_us: int | Missing = fact(
        '/proc/sys/kernel/sched_rt_runtime_us', parse_int
    )
    rt_period_us: int | Missing = fact(
        '/proc/sys/kernel/sched_rt_period_us', parse_int
    )
    autogroup: int | Missing = fact(
        '/proc/sys/kernel/sched_autogroup_enabled', parse_int
    )
    timer_migration: int | Missing = fact(
        '/proc/sys/kernel/timer_migration', parse_int
    )
    numa_balancing: int | Missing = fact(
        '/proc/sys/kernel/numa_balancing', parse_int
    )
    preempt_model: str | Missing = fact(
        '/sys/kernel/debug/sched/preempt', parse_choice
    )
    fair_server_ns: Missing | Mapping[str, CPUSet] = fact(
        '/sys/kernel/debug/sched/fair_server'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogFacts:
    """The kernel's watchdogs and pollers.

    :ivar cpus: where the lockup detectors run.
    :ivar ignore_ce: whether corrected machine check errors are left alone.
    :ivar check_interval_s: seconds between polls for machine check errors.
    """

    nmi: int | Missing = fact('/proc/sys/kernel/nmi_watchdog', parse_int)
    soft: int | Missing = fact('/proc/sys/kernel/soft_watchdog', parse_int)
    cpus: CPUSet | Missing = fact(
        '/proc/sys/kernel/watchdog_cpumask', parse_list
    )
    hung_task_timeout_s: int | Missing = fact(
        '/proc/sys/kernel/hung_task_timeout_secs', parse_int
    )
    ignore_ce: bool | Missing = fact(
        '/sys/devices/system/machinecheck/machinecheck0/ignore_ce',
        parse_flag,
    )
    check_interval_s: int | Missing = fact(
        '/sys/devices/system/machinecheck/machinecheck0/check_interval',
        parse_int,
    )

# SPDX-License-Identifier: Apache-2.0
"""B: watchdogs and pollers of the kernel that visit every CPU."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import BOTH
from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import judge
from rtvirt.checks.base import unreadable
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-B09',
    'The lockup detectors stay off real-time pCPUs',
    Severity.WARNING,
    reads=(
        '/proc/sys/kernel/nmi_watchdog',
        '/proc/sys/kernel/soft_watchdog',
        '/proc/sys/kernel/watchdog_cpumask',
    ),
    expected='nmi_watchdog and soft_watchdog 0, or no real-time pCPU in '
    'watchdog_cpumask',
    why='The hard lockup detector raises a non-maskable interrupt on each '
    'CPU of its mask, and the soft one runs a timer and a stopper thread '
    'there. Neither can be held off by a real-time thread.',
    source='kernel: Documentation/admin-guide/lockup-watchdogs.rst; tuned: '
    'realtime (kernel.nmi_watchdog=0)',
    mend='sysctl kernel.nmi_watchdog=0, and write the housekeeping pCPUs to '
    'kernel.watchdog_cpumask',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def lockup_detectors(facts: HostFacts) -> Iterator[Answer]:
    """Compare the mask with the pCPUs of real-time guests."""
    watchdog = facts.watchdog
    yield from unreadable(watchdog.nmi, watchdog.soft, watchdog.cpus)
    watched = value_or(watchdog.cpus, CPUSet()) & realtime_cpus(facts)
    for name, value in (
        ('nmi_watchdog', watchdog.nmi),
        ('soft_watchdog', watchdog.soft),
    ):
        if value_or(value, 0) != 0 and watched:
            yield Answer(
                subject=f'/proc/sys/kernel/{name}',
                actual=f'{value}, on {watched}',
            )


@check(
    'RT-B11',
    'Corrected machine check errors are not polled for',
    Severity.WARNING,
    reads=('/sys/devices/system/machinecheck/machinecheck0/ignore_ce',),
    expected='1',
    why='The kernel looks through the machine check banks of each CPU every '
    'five minutes, from a timer on that CPU. With ignore_ce the errors that '
    'hardware has corrected are left alone, while those it could not '
    'correct still raise their exception.',
    source='kernel: Documentation/arch/x86/x86_64/machinecheck.rst; tuned: '
    'realtime, cpu-partitioning',
    mend='echo 1 > each machinecheck*/ignore_ce, or boot with mce=ignore_ce',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def corrected_errors(facts: HostFacts) -> Iterator[Answer]:
    """Accept a poll that is switched off by its interval as well."""
    ignored, interval = (
        facts.watchdog.ignore_ce,
        facts.watchdog.check_interval_s,
    )
    if isinstance(ignored, Missing) or interval != 0:
        yield from judge(ignored, lambda value: value)


@check(
    'RT-B12',
    'The clock source is the TSC',
    Severity.ERROR,
    reads=(
        '/sys/devices/system/clocksource/clocksource0/current_clocksource',
    ),
    expected='tsc',
    why='The TSC is read in some nanoseconds without leaving user space; '
    'HPET and the ACPI timer take a microsecond and a trip over the bus '
    'each. That the kernel chose one of them means that it found the TSC '
    'unreliable, and guests then see an unreliable one, too.',
    source='kernel: Documentation/virt/kvm/x86/timekeeping.rst; RHEL for '
    'Real Time',
    mend='look for "clocksource" in the kernel\'s log; mend the firmware, '
    'or boot with tsc=reliable where the hardware is known to be sound',
    safety=Safety.REBOOT,
)
def clock_source(facts: HostFacts) -> Iterator[Answer]:
    """Ask for it on x86; other architectures have clocks of their own."""
    if facts.cpu.is_x86:
        yield from judge(facts.kernel.clocksource, lambda name: name == 'tsc')


CHECKS = CheckGroup((lockup_detectors, corrected_errors, clock_source))

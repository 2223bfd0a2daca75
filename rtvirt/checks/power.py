# SPDX-License-Identifier: Apache-2.0
"""E: frequencies and idle states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import judge
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cpu import PowerFacts
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity

MAX_EXIT_LATENCY_US: Final = 5
"""The longest time to leave an idle state that a real-time pCPU may enter.

C1 takes 1 or 2 on the processors of the last decade, C1E up to 10; tuned
falls back to 3 where the kernel does not name a state.
"""

_NO_LIMIT: Final = 1 << 31


@check(
    'RT-E01',
    'Real-time pCPUs keep their frequency',
    Severity.ERROR,
    reads=('/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor',),
    expected='performance on every pCPU of real-time guests',
    why='Other governors lower the frequency when a vCPU idles and take '
    'milliseconds to notice that it no longer does. A change of frequency '
    'stops the core for tens of microseconds on some processors.',
    source='kernel: Documentation/admin-guide/pm/cpufreq.rst; tuned: '
    'latency-performance (governor=performance)',
    mend='cpupower -c LIST frequency-set -g performance',
    safety=Safety.LIVE,
)
def governor(facts: HostFacts) -> Iterator[Answer]:
    """Compare them; without cpufreq the firmware has its own will."""
    governors = facts.power.governors
    if isinstance(governors, Missing):
        yield from unreadable(governors)
        return
    wanted = realtime_cpus(facts)
    for name, cpus in governors.items():
        if name != 'performance' and cpus & wanted:
            yield Answer(actual=f'{name} on {cpus & wanted}')


@check(
    'RT-E02',
    'Whether frequencies may pass the nominal one is decided',
    Severity.INFO,
    reads=(
        '/sys/devices/system/cpu/intel_pstate/no_turbo',
        '/sys/devices/system/cpu/cpufreq/boost',
    ),
    expected='off where the worst case counts, on where the mean does',
    why='With turbo the speed of a pCPU depends on what its neighbours do '
    'and how warm they are. It lowers the average latency and widens its '
    'spread; tuned leaves it on.',
    source='kernel: Documentation/admin-guide/pm/intel_pstate.rst '
    '(no_turbo), cpufreq.rst (boost)',
    mend='echo 1 > intel_pstate/no_turbo, or echo 0 > cpufreq/boost',
    safety=Safety.LIVE,
)
def turbo(facts: HostFacts) -> Iterator[Answer]:
    """Tell where it is on."""
    yield from judge(
        facts.power.no_turbo,
        lambda off: off,
        subject='/sys/devices/system/cpu/intel_pstate/no_turbo',
        expected='1 for the least jitter',
    )
    yield from judge(
        facts.power.boost,
        lambda on: not on,
        subject='/sys/devices/system/cpu/cpufreq/boost',
        expected='0 for the least jitter',
    )


def deep_states(facts: HostFacts) -> Iterator[tuple[str, int, CPUSet]]:
    """Yield the idle states that take a real-time pCPU too long to leave.

    A state counts where it is enabled and no request for a short latency
    keeps the pCPU out of it.
    """
    power = facts.power
    wanted = realtime_cpus(facts)
    ceiling = value_or(power.dma_latency_us, _NO_LIMIT)
    for state in value_or(power.idle_states, ()):
        if not MAX_EXIT_LATENCY_US < state.latency_us <= ceiling:
            continue
        entered = state.enabled & wanted - _limited(power, state.latency_us)
        if entered:
            yield state.name, state.latency_us, entered


def _limited(power: PowerFacts, latency_us: int) -> CPUSet:
    """Return the pCPUs that a limit of their own keeps out of a state."""
    mask = 0
    for text, cpus in value_or(power.resume_latency_us, {}).items():
        # 0 is no limit; "n/a" is a limit of no latency at all.
        limit = int(text) if text.isdecimal() else 0
        if text == 'n/a' or 0 < limit < latency_us:
            mask |= cpus.mask
    return CPUSet.from_mask(mask)


@check(
    'RT-E03',
    'Real-time pCPUs enter no deep idle state',
    Severity.ERROR,
    reads=('/sys/devices/system/cpu/cpu*/cpuidle/state*',),
    expected=f'no state enabled that takes over {MAX_EXIT_LATENCY_US} us to '
    'leave',
    why='A pCPU that idles deeply answers an interrupt only after the '
    'state\'s exit latency, and then with cold caches. cyclictest hides '
    'this: it holds /dev/cpu_dma_latency at 0 while it measures.',
    source='kernel: Documentation/admin-guide/pm/cpuidle.rst; tuned: '
    'latency-performance (force_latency); meta-seapath#57',
    mend='write n/a or a small number to '
    'cpuN/power/pm_qos_resume_latency_us, or boot with '
    'intel_idle.max_cstate=1 processor.max_cstate=1',
    safety=Safety.LIVE,
)
def idle_states(facts: HostFacts) -> Iterator[Answer]:
    """Yield one answer for each state that is too deep."""
    power = facts.power
    yield from unreadable(power.idle_states, power.resume_latency_us)
    cmdline = facts.kernel.cmdline
    if not isinstance(cmdline, Missing) and cmdline.has('idle=poll'):
        return
    for name, latency_us, cpus in deep_states(facts):
        if isinstance(power.dma_latency_us, Missing):
            # Somebody may hold the device and keep all pCPUs out of it.
            yield undecided(power.dma_latency_us)
            return
        yield Answer(actual=f'{name} ({latency_us} us) on {cpus}')


@check(
    'RT-E04',
    'Processors are asked for performance',
    Severity.WARNING,
    reads=(
        '/sys/devices/system/cpu/cpu0/power/energy_perf_bias',
        '/sys/devices/system/cpu/cpu0/cpufreq/energy_performance_preference',
    ),
    expected='0, and performance',
    why='A processor that chooses its own frequencies weighs speed against '
    'energy by this hint. Only pCPU 0 is looked at: to read it of another '
    'one, the kernel would have to interrupt that.',
    source='kernel: Documentation/admin-guide/pm/intel_epb.rst, '
    'intel_pstate.rst; tuned: latency-performance',
    mend='x86_energy_perf_policy performance, or write performance to each '
    'energy_performance_preference',
    safety=Safety.LIVE,
)
def energy_preference(facts: HostFacts) -> Iterator[Answer]:
    """Compare both hints, where there are any."""
    yield from judge(
        facts.power.energy_bias, lambda bias: bias == 0, expected='0'
    )
    yield from judge(
        facts.power.energy_preference,
        lambda word: word == 'performance',
        subject='/sys/devices/system/cpu/cpu0/cpufreq/'
        'energy_performance_preference',
        expected='performance',
    )


@check(
    'RT-E09',
    'The uncore keeps its frequency',
    Severity.INFO,
    reads=('/sys/devices/system/cpu/intel_uncore_frequency',),
    expected='the same minimum and maximum',
    why='The mesh, the last cache and the memory controllers of Intel\'s '
    'servers have a frequency of their own, which follows the load. Every '
    'miss of a lightly loaded host is slower for it.',
    source='kernel: Documentation/admin-guide/pm/'
    'intel_uncore_frequency_scaling.rst',
    mend='write max_freq_khz to min_freq_khz of each',
    safety=Safety.LIVE,
)
def uncore(facts: HostFacts) -> Iterator[Answer]:
    """Compare the two of each part."""
    parts = facts.power.uncore
    yield from unreadable(parts)
    for part in value_or(parts, ()):
        if part.min_khz < part.max_khz:
            yield Answer(
                subject=part.name,
                actual=f'{part.min_khz} to {part.max_khz} kHz',
            )


CHECKS = CheckGroup((governor, turbo, idle_states, energy_preference, uncore))

# SPDX-License-Identifier: Apache-2.0
"""The processors: sets, features, frequency and idle states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import fact
from rtvirt.model.facts.parse import parse_flag
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.facts.parse import parse_list
from rtvirt.model.facts.parse import parse_text

_CPU = '/sys/devices/system/cpu'


@dataclass(frozen=True, slots=True, kw_only=True)
class CPUFacts:
    """Which CPUs there are and what they can do.

    :ivar vendor: the processor's vendor id; absent where it has none (Arm).
    :ivar flags: the features of the first processor, as the kernel prints
        them.
    :ivar isolated: CPUs outside the load balancing of the booted kernel.
    :ivar nohz_full: CPUs that may stop their tick; absent where the kernel
        cannot.
    :ivar performance: the big cores of a hybrid processor.
    :ivar efficiency: the small cores of a hybrid processor.
    """

    arch: str | Missing = fact('/proc/sys/kernel/arch', parse_text)
    vendor: str | Missing = fact('/proc/cpuinfo')
    model: str | Missing = fact('/proc/cpuinfo')
    flags: tuple[str, ...] | Missing = fact('/proc/cpuinfo')
    online: CPUSet | Missing = fact(f'{_CPU}/online', parse_list)
    present: CPUSet | Missing = fact(f'{_CPU}/present', parse_list)
    possible: CPUSet | Missing = fact(f'{_CPU}/possible', parse_list)
    isolated: CPUSet | Missing = fact(f'{_CPU}/isolated', parse_list)
    nohz_full: CPUSet | Missing = fact(f'{_CPU}/nohz_full', parse_list)
    smt_control: str | Missing = fact(f'{_CPU}/smt/control', parse_text)
    smt_active: bool | Missing = fact(f'{_CPU}/smt/active', parse_flag)
    performance: CPUSet | Missing = fact(
        '/sys/devices/cpu_core/cpus', parse_list
    )
    efficiency: CPUSet | Missing = fact(
        '/sys/devices/cpu_atom/cpus', parse_list
    )

    @property
    def is_x86(self) -> bool:
        """Whether this is an Intel or AMD processor or a like one."""
        return not isinstance(self.vendor, Missing)

    def has_flag(self, *names: str) -> bool | Missing:
        """Whether the processor has one of these features."""
        if isinstance(self.flags, Missing):
            return self.flags
        return any(name in self.flags for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleState:
    """One idle state of the processors.

    :ivar latency_us: the time to leave it.
    :ivar enabled: the CPUs that may enter it.
    """

    name: str
    latency_us: int
    enabled: CPUSet


@dataclass(frozen=True, slots=True, kw_only=True)
class UncoreRange:
    """Between which frequencies a part of the uncore moves."""

    name: str
    min_khz: int
    max_khz: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerFacts:
    """What saves power and costs time.

    Mappings go from a value, as the file prints it, to the CPUs that have
    it. Values that only a read of a machine register gives (energy
    preference) are read of CPU 0 alone: the read interrupts the CPU.

    :ivar resume_latency_us: the longest time to leave an idle state that
        somebody asked for; 0 is no limit, ``n/a`` forbids idle states.
    :ivar dma_latency_us: the same for all CPUs, as ``/dev/cpu_dma_latency``
        tells; only the kernel's default where nobody asked.
    :ivar throttled: CPUs whose core was slowed for its heat since boot.
    """

    governors: Missing | Mapping[str, CPUSet] = fact(
        f'{_CPU}/cpu*/cpufreq/scaling_governor'
    )
    no_turbo: bool | Missing = fact(
        f'{_CPU}/intel_pstate/no_turbo', parse_flag
    )
    boost: bool | Missing = fact(f'{_CPU}/cpufreq/boost', parse_flag)
    energy_bias: int | Missing = fact(
        f'{_CPU}/cpu0/power/energy_perf_bias', parse_int
    )
    energy_preference: str | Missing = fact(
        f'{_CPU}/cpu0/cpufreq/energy_performance_preference', parse_text
    )
    idle_driver: str | Missing = fact(
        f'{_CPU}/cpuidle/current_driver', parse_text
    )
    idle_states: tuple[IdleState, ...] | Missing = fact(
        f'{_CPU}/cpu*/cpuidle/state*'
    )
    resume_latency_us: Missing | Mapping[str, CPUSet] = fact(
        f'{_CPU}/cpu*/power/pm_qos_resume_latency_us'
    )
    dma_latency_us: int | Missing = fact('/dev/cpu_dma_latency')
    throttled: CPUSet | Missing = fact(
        f'{_CPU}/cpu*/thermal_throttle/core_throttle_count'
    )
    uncore: tuple[UncoreRange, ...] | Missing = fact(
        f'{_CPU}/intel_uncore_frequency'
    )

# SPDX-License-Identifier: Apache-2.0
"""Read what saves power and costs time.

Nothing here reads a file that makes the kernel interrupt a CPU to answer
(``energy_perf_bias``, ``cpuinfo_cur_freq``): the CPU may be a real-time
guest's. The energy preference is read of CPU 0 alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rtvirt.host.facts.cpu import CPU
from rtvirt.host.facts.cpu import group_by_text
from rtvirt.host.facts.single import read_fields
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_value
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cpu import IdleState
from rtvirt.model.facts.cpu import PowerFacts
from rtvirt.model.facts.cpu import UncoreRange
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.missing import malformed
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.facts.parse import parse_text

_UNCORE: Final = f'{CPU}/intel_uncore_frequency'


def read_power_facts(
    tree: Tree, ids: Iterable[int], small: CPUSet | Missing
) -> PowerFacts:
    """Read frequency scaling and idle states.

    :param small: the small cores of a hybrid processor, which have idle
        states of their own.
    """
    ids = tuple(ids)
    return PowerFacts(
        **read_fields(tree, PowerFacts),
        governors=group_by_text(
            tree, ids, f'{CPU}/cpu{{}}/cpufreq/scaling_governor'
        ),
        idle_states=_read_idle_states(tree, ids, small),
        resume_latency_us=group_by_text(
            tree, ids, f'{CPU}/cpu{{}}/power/pm_qos_resume_latency_us'
        ),
        dma_latency_us=_read_dma_latency(tree),
        throttled=_read_throttled(tree, ids),
        uncore=_read_uncore(tree),
    )


def _read_idle_states(
    tree: Tree, ids: tuple[int, ...], small: CPUSet | Missing
) -> tuple[IdleState, ...] | Missing:
    hybrid = CPUSet() if isinstance(small, Missing) else small
    enabled: dict[tuple[str, int], int] = {}
    for cpus in (CPUSet(ids) - hybrid, hybrid & CPUSet(ids)):
        for path, state in _read_state_names(tree, cpus):
            disabled = group_by_text(
                tree, cpus, f'{CPU}/cpu{{}}/cpuidle/{path}/disable'
            )
            if isinstance(disabled, Missing):
                return disabled
            mask = disabled.get('0', CPUSet()).mask
            enabled[state] = enabled.get(state, 0) | mask
    if not enabled:
        return absent(f'{CPU}/cpu*/cpuidle/state*')
    return tuple(
        IdleState(
            name=name, latency_us=latency, enabled=CPUSet.from_mask(mask)
        )
        for (name, latency), mask in enabled.items()
    )


def _read_state_names(
    tree: Tree, cpus: CPUSet
) -> tuple[tuple[str, tuple[str, int]], ...]:
    """Return the idle states of the first CPU that has any.

    Cores of one kind have the same ones, so that names and latencies need
    not be read of each.
    """
    for cpu in cpus:
        directory = f'{CPU}/cpu{cpu}/cpuidle'
        found = []
        for path in tree.names(directory):
            name = read_value(tree, f'{directory}/{path}/name', parse_text)
            us = read_value(tree, f'{directory}/{path}/latency', parse_int)
            if isinstance(name, str) and isinstance(us, int):
                found.append((path, (name, us)))
        if found:
            return tuple(found)
    return ()


def _read_dma_latency(tree: Tree) -> int | Missing:
    """Read the limit that holders of ``/dev/cpu_dma_latency`` ask for.

    The kernel answers with a native 32-bit integer of microseconds.
    """
    path = '/dev/cpu_dma_latency'
    content = tree.read(path)
    if isinstance(content, Missing):
        return content
    if len(content) != 4:
        return malformed(path, f'{len(content)} bytes instead of 4')
    return int.from_bytes(content, 'little', signed=True)


def _read_throttled(tree: Tree, ids: tuple[int, ...]) -> CPUSet | Missing:
    path = f'{CPU}/cpu{{}}/thermal_throttle/core_throttle_count'
    counts = group_by_text(tree, ids, path)
    if isinstance(counts, Missing):
        return counts
    mask = 0
    for count, cpus in counts.items():
        if count != '0':
            mask |= cpus.mask
    return CPUSet.from_mask(mask)


def _read_uncore(tree: Tree) -> tuple[UncoreRange, ...] | Missing:
    found = []
    for name in tree.names(_UNCORE):
        low = read_value(tree, f'{_UNCORE}/{name}/min_freq_khz', parse_int)
        high = read_value(tree, f'{_UNCORE}/{name}/max_freq_khz', parse_int)
        if isinstance(low, int) and isinstance(high, int):
            found.append(UncoreRange(name=name, min_khz=low, max_khz=high))
    return tuple(found) if found else absent(_UNCORE)

# SPDX-License-Identifier: Apache-2.0
"""E: what the firmware and the hardware's keepers do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-E06',
    'The firmware does not interleave the nodes',
    Severity.WARNING,
    reads=('/sys/devices/system/cpu/cpu*/topology/physical_package_id',),
    expected='a NUMA node for each socket, at least',
    why='With node interleaving the firmware spreads every page over the '
    'memory of all sockets and shows one node. Half of all accesses then '
    'are remote, and nothing in the kernel or in nova can help it.',
    source='vendors\' low-latency guides (Dell, HPE, Lenovo)',
    mend='switch node interleaving off in the firmware',
    safety=Safety.REBOOT,
)
def interleaving(facts: HostFacts) -> Iterator[Answer]:
    """Look for a cell whose pCPUs are of several sockets."""
    if isinstance(facts.sockets, Missing):
        yield from unreadable(facts.sockets)
        return
    product = value_or(facts.firmware.product, 'the firmware')
    for node, sockets in facts.sockets.items():
        if sockets > 1:
            yield Answer(
                subject=f'node {node}',
                actual=f'has pCPUs of {sockets} sockets ({product})',
            )


@check(
    'RT-E07',
    'No core was slowed down for its heat',
    Severity.WARNING,
    reads=(
        '/sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count',
    ),
    expected='0 on every pCPU of real-time guests',
    why='A core above its temperature limit runs at a fraction of its '
    'speed until it has cooled down. The count is since boot: it may tell '
    'of a fan that has been replaced.',
    source='kernel: arch/x86: thermal_throttle; Intel SDM volume 3, thermal '
    'monitoring',
    mend='look after cooling and power limits; reboot to clear the count',
    safety=Safety.DISRUPTIVE,
)
def throttled(facts: HostFacts) -> Iterator[Answer]:
    """Look for counts on the pCPUs of guests."""
    cpus = facts.power.throttled
    if isinstance(cpus, Missing):
        yield from unreadable(cpus)
    elif cpus & realtime_cpus(facts):
        yield Answer(actual=f'more on {cpus & realtime_cpus(facts)}')


_PROBERS: Final = ('mcelog', 'rasdaemon', 'smartd')


@check(
    'RT-E08',
    'Nothing probes the hardware on its own',
    Severity.WARNING,
    reads=('/proc/*/comm', '/etc/systemd/system/timers.target.wants'),
    expected='fwupd-refresh.timer off; smartd, rasdaemon and mcelog known of',
    why='Tools that talk to the firmware make it raise system management '
    'interrupts, which stop all CPUs at once and which no kernel can hold '
    'off. OpenShift switched the timer of fwupd off for that reason.',
    source='openshift/cluster-node-tuning-operator#1591; RHEL 10: '
    'configuring real-time virtualization (hwlatdetect)',
    mend='systemctl mask --now fwupd-refresh.timer; stop the daemons, or '
    'accept them after an hour of hwlatdetect',
    safety=Safety.LIVE,
)
def probers(facts: HostFacts) -> Iterator[Answer]:
    """Look for the timer, and for daemons."""
    running = facts.service.running
    if isinstance(running, Missing):
        yield undecided(running)
    found = [name for name in _PROBERS if name in value_or(running, ())]
    if found:
        yield Answer(actual=f'{", ".join(found)} runs')
    timers = value_or(facts.service.timers, ())
    if 'fwupd-refresh.timer' in timers:
        yield Answer(
            subject='/etc/systemd/system/timers.target.wants',
            actual='fwupd-refresh.timer is enabled',
            expected='no fwupd-refresh.timer',
        )


CHECKS = CheckGroup((interleaving, throttled, probers))

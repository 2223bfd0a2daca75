# SPDX-License-Identifier: Apache-2.0
"""C: pCPUs of real-time guests are isolated in every respect."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import BOTH
from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import boot_cpus
from rtvirt.model.facts.isolation import find_isolation
from rtvirt.model.facts.isolation import isolcpus
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-C01',
    'Real-time pCPUs are outside load balancing',
    Severity.ERROR,
    reads=(
        '/sys/devices/system/cpu/isolated',
        '/sys/fs/cgroup/cpuset.cpus.isolated',
        '/sys/fs/cgroup/*/cpuset.cpus.partition',
    ),
    expected='every pCPU of real-time guests isolated, by isolcpus= or an '
    'isolated cpuset partition',
    why='The scheduler places and moves any thread onto any CPU of its '
    'domains, and balancing itself runs in softirqs there. The kernel '
    'recommends cpuset partitions; libvirt, tuned and RHEL still use '
    'isolcpus=, and both count here.',
    source='kernel: admin-guide/kernel-parameters (isolcpus), '
    'admin-guide/cgroup-v2.rst (cpuset.cpus.partition); libvirt: '
    'kbase/kvm-realtime',
    mend='boot with isolcpus=managed_irq,domain,LIST, or make an isolated '
    'cpuset partition of the list',
    safety=Safety.REBOOT,
    profiles=BOTH,
)
def isolated(facts: HostFacts) -> Iterator[Answer]:
    """Compare what is isolated, either way, with what should be."""
    wanted = realtime_cpus(facts)
    found = find_isolation(facts).cpus
    hidden = (facts.cgroup.isolated, facts.cgroup.partitions)
    if wanted - found and any(unreadable(*hidden)):
        yield from unreadable(*hidden)
        return
    if not wanted:
        yield Answer(actual='no pCPU is isolated, nor meant for guests')
    elif wanted - found:
        yield Answer(actual=f'{wanted - found} of {wanted} are not')
    for partition in value_or(facts.cgroup.partitions, ()):
        if partition.is_invalid:
            yield Answer(
                subject=f'/sys/fs/cgroup{partition.path}'
                '/cpuset.cpus.partition',
                actual=partition.state,
                expected='a valid partition',
            )


@check(
    'RT-C02',
    'isolcpus= takes CPUs out of load balancing and managed interrupts',
    Severity.ERROR,
    reads=('/proc/cmdline',),
    expected='isolcpus=managed_irq,domain,LIST',
    why='As soon as isolcpus= has any flag, "domain" has to be among them '
    'for load balancing to stop. Without "managed_irq" the queues of NVMe '
    'and network devices spread their interrupts over isolated CPUs, and '
    'nobody may move those.',
    source='kernel: admin-guide/kernel-parameters (isolcpus); tuned#294',
    mend='boot with isolcpus=managed_irq,domain,LIST',
    safety=Safety.REBOOT,
    profiles=BOTH,
)
def isolcpus_flags(facts: HostFacts) -> Iterator[Answer]:
    """Judge the parameter, where it is given."""
    given = isolcpus(facts)
    if given is None:
        return
    if not given.cpus:
        yield Answer(actual='isolcpus= with a list that names no CPU')
    elif not given.stops_balancing:
        yield Answer(actual='flags without "domain"')
    elif 'managed_irq' not in given.flags:
        yield Answer(
            actual='flags without "managed_irq"', severity=Severity.WARNING
        )


@check(
    'RT-C03',
    'Real-time pCPUs may stop their tick',
    Severity.ERROR,
    reads=('/sys/devices/system/cpu/nohz_full',),
    expected='every pCPU of real-time guests, and not pCPU 0',
    why='Without nohz_full the timer interrupts a pCPU up to a thousand '
    'times a second to account for a thread that runs alone, each time at '
    'the cost of a guest exit. The CPU that keeps the time cannot stop its '
    'tick.',
    source='kernel: Documentation/timers/no_hz.rst; tuned: '
    'realtime-virtual-host',
    mend='boot with nohz_full=LIST',
    safety=Safety.REBOOT,
    profiles=BOTH,
)
def tickless(facts: HostFacts) -> Iterator[Answer]:
    """Compare the set; a kernel that cannot has no such file."""
    found = facts.cpu.nohz_full
    if isinstance(found, Missing) and not found.is_absent:
        yield undecided(found)
        return
    cpus = value_or(found, CPUSet())
    lacking = realtime_cpus(facts) - cpus
    if lacking:
        yield Answer(actual=f'not {lacking}')
    if 0 in cpus:
        yield Answer(actual='pCPU 0 is in it', expected='without pCPU 0')


@check(
    'RT-C04',
    'Real-time pCPUs leave RCU callbacks to others',
    Severity.ERROR,
    reads=('/proc/cmdline',),
    expected='rcu_nocbs= or nohz_full= with every pCPU of real-time guests',
    why='The kernel frees memory and runs other deferred work in RCU '
    'callbacks, in a softirq on the CPU that queued them. Offloaded, they '
    'run in threads that may be kept on housekeeping pCPUs; nohz_full= '
    'offloads its CPUs as well.',
    source='kernel: admin-guide/kernel-parameters (rcu_nocbs, nohz_full); '
    'tuned: realtime-virtual-host',
    mend='boot with rcu_nocbs=LIST',
    safety=Safety.REBOOT,
    profiles=BOTH,
)
def offloaded_callbacks(facts: HostFacts) -> Iterator[Answer]:
    """Compare both parameters, and what the kernel made of nohz_full."""
    if isinstance(facts.kernel.cmdline, Missing):
        yield undecided(facts.kernel.cmdline)
        return
    # Given without a list, rcu_nocbs allows to offload and offloads none.
    offloaded = boot_cpus(facts, 'rcu_nocbs') or CPUSet()
    offloaded |= value_or(facts.cpu.nohz_full, CPUSet())
    lacking = realtime_cpus(facts) - offloaded
    if lacking:
        yield Answer(actual=f'not {lacking}')


@check(
    'RT-C10',
    'Real-time pCPUs are online',
    Severity.FATAL,
    reads=('/sys/devices/system/cpu/online',),
    expected='every pCPU of real-time guests',
    why='No thread can be pinned to a pCPU that is offline or not there: '
    'the guest fails to start with "Invalid argument" or "Numerical result '
    'out of range". Where nova takes unused dedicated pCPUs offline itself '
    'it brings them back for a guest.',
    source='sched_setaffinity(2); tuned: realtime (assert2); nova: '
    '[libvirt] cpu_power_management',
    mend='echo 1 > /sys/devices/system/cpu/cpuN/online, or correct the '
    'list that names it',
    safety=Safety.DISRUPTIVE,
    profiles=BOTH,
)
def online(facts: HostFacts) -> Iterator[Answer]:
    """Compare with what is online, or could be by nova's doing."""
    there = facts.cpu.online
    if isinstance(there, Missing):
        yield undecided(there)
        return
    if facts.nova.takes_cpus_offline:
        dedicated = value_or(facts.nova.dedicated, CPUSet())
        there |= dedicated & value_or(facts.cpu.present, CPUSet())
    lacking = realtime_cpus(facts) - there
    if lacking:
        yield Answer(actual=f'{lacking} are not')


@check(
    'RT-C11',
    'Real-time pCPUs are of one kind',
    Severity.WARNING,
    reads=('/sys/devices/cpu_core/cpus', '/sys/devices/cpu_atom/cpus'),
    expected='all of them performance cores, or all efficiency cores',
    why='On a hybrid processor a vCPU is as fast as the core it is pinned '
    'to, and the guest has no way to know. A guest across both kinds has '
    'vCPUs whose latencies and idle states differ.',
    source='kernel: Documentation/admin-guide/perf/; Intel: hybrid '
    'architecture guide for developers',
    mend='dedicate cores of one kind to real-time guests',
    safety=Safety.REBOOT,
)
def hybrid(facts: HostFacts) -> Iterator[Answer]:
    """Look for pCPUs of both kinds among those for guests."""
    wanted = realtime_cpus(facts)
    big = value_or(facts.cpu.performance, CPUSet()) & wanted
    small = value_or(facts.cpu.efficiency, CPUSet()) & wanted
    if big and small:
        yield Answer(actual=f'performance {big}, efficiency {small}')


CHECKS = CheckGroup(
    (
        isolated,
        isolcpus_flags,
        tickless,
        offloaded_callbacks,
        online,
        hybrid,
    )
)

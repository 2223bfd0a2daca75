# SPDX-License-Identifier: Apache-2.0
"""C: the rest of the host keeps to the housekeeping pCPUs."""

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
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-C05',
    'Interrupts start out on housekeeping pCPUs',
    Severity.WARNING,
    reads=('/proc/cmdline', '/proc/irq/default_smp_affinity'),
    expected='irqaffinity= with the housekeeping pCPUs',
    why='irqaffinity= is the affinity that every interrupt gets when its '
    'driver asks for it, from the first at boot to one of a device plugged '
    'in later. Without it a driver that is loaded or reset at run time puts '
    'its interrupts onto real-time pCPUs until somebody moves them.',
    source='kernel: admin-guide/kernel-parameters (irqaffinity); tuned: '
    'realtime-virtual-host',
    mend='boot with irqaffinity= and the housekeeping pCPUs',
    safety=Safety.REBOOT,
    profiles=BOTH,
)
def irq_affinity(facts: HostFacts) -> Iterator[Answer]:
    """Ask for the parameter, or for its effect by another way."""
    if isinstance(facts.kernel.cmdline, Missing):
        yield undecided(facts.kernel.cmdline)
        return
    wanted = realtime_cpus(facts)
    given = boot_cpus(facts, 'irqaffinity')
    if given is None:
        default = facts.interrupt.default_affinity
        if isinstance(default, Missing) or default & wanted:
            yield Answer(actual='no irqaffinity=')
    elif given & wanted:
        yield Answer(actual=f'irqaffinity= with {given & wanted}')


@check(
    'RT-C06',
    'Each node keeps a pCPU for housekeeping, pCPU 0 among them',
    Severity.ERROR,
    reads=('/sys/devices/system/node/node*/cpulist',),
    expected='pCPU 0 and one pCPU of each node with real-time guests',
    why='The boot CPU keeps time and takes work that cannot go elsewhere; '
    'RHEL says that real time breaks on it. Emulator threads, vhost and the '
    'node\'s own kernel threads need a pCPU near the guest\'s memory.',
    source='RHEL 10: configuring real-time virtualization; tuned: '
    'realtime-virtual-host (one housekeeping core per socket)',
    mend='take pCPU 0, and one core of each node, out of the isolated set',
    safety=Safety.REBOOT,
)
def kept_back(facts: HostFacts) -> Iterator[Answer]:
    """Look at pCPU 0, then at each node."""
    wanted = realtime_cpus(facts)
    if 0 in wanted:
        yield Answer(
            subject='pCPU 0',
            actual='meant for real-time guests',
            expected='housekeeping',
        )
    if isinstance(facts.topology, Missing):
        yield undecided(facts.topology)
        return
    for cell in facts.topology.cells:
        if cell.cpus and cell.cpus <= wanted:
            yield Answer(
                subject=f'node {cell.id}',
                actual=f'all of its pCPUs {cell.cpus} are for guests',
                expected='one kept for housekeeping',
            )


@check(
    'RT-C15',
    'Unbound kernel work keeps to housekeeping pCPUs',
    Severity.WARNING,
    reads=(
        '/sys/devices/virtual/workqueue/cpumask',
        '/sys/bus/workqueue/devices/writeback/cpumask',
    ),
    expected='no pCPU of real-time guests',
    why='Workqueues without a CPU of their own run their items on any CPU '
    'of this mask, writeback of dirty pages among them. Each item wakes a '
    'kernel thread beside the vCPU, which then competes with it.',
    source='kernel: Documentation/core-api/workqueue.rst; tuned: realtime, '
    'cpu-partitioning',
    mend='write the mask of the housekeeping pCPUs to the file',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def workqueues(facts: HostFacts) -> Iterator[Answer]:
    """Compare both masks."""
    wanted = realtime_cpus(facts)
    interrupt = facts.interrupt
    yield from unreadable(interrupt.workqueue_cpus, interrupt.writeback_cpus)
    for path, cpus in (
        (
            '/sys/devices/virtual/workqueue/cpumask',
            interrupt.workqueue_cpus,
        ),
        (
            '/sys/bus/workqueue/devices/writeback/cpumask',
            interrupt.writeback_cpus,
        ),
    ):
        taken = value_or(cpus, CPUSet()) & wanted
        if taken:
            yield Answer(subject=path, actual=f'has {taken}')


@check(
    'RT-C16',
    'systemd keeps its services to housekeeping pCPUs',
    Severity.WARNING,
    reads=('/proc/1/status', '/etc/systemd/system.conf'),
    expected='no pCPU of real-time guests in the first process\'s affinity',
    why='Every service inherits the affinity of the first process. '
    'isolcpus= takes CPUs out of it at boot; where CPUs are isolated by '
    'cpusets, or not yet, CPUAffinity= has to.',
    source='systemd-system.conf(5) (CPUAffinity); tuned: cpu-partitioning',
    mend='CPUAffinity= with the housekeeping pCPUs in '
    '/etc/systemd/system.conf.d/, then reboot',
    safety=Safety.REBOOT,
    profiles=BOTH,
)
def init_affinity(facts: HostFacts) -> Iterator[Answer]:
    """Look at what holds now; the configuration where that is unknown."""
    wanted = realtime_cpus(facts)
    now, configured = facts.service.init_cpus, facts.service.cpu_affinity
    if not isinstance(now, Missing):
        if now & wanted:
            yield Answer(actual=f'has {now & wanted}')
    elif isinstance(configured, Missing):
        yield undecided(now)
    if not isinstance(configured, Missing) and configured & wanted:
        yield Answer(
            subject='/etc/systemd/system.conf',
            actual=f'CPUAffinity has {configured & wanted}',
        )


@check(
    'RT-C17',
    'The groups of guests may use the real-time pCPUs',
    Severity.FATAL,
    reads=('/sys/fs/cgroup/machine.slice/cpuset.cpus.effective',),
    expected='every pCPU of real-time guests',
    why='libvirt puts guests below machine.slice, and a cpuset can only '
    'give what its parent has. A vCPU pinned to a pCPU outside makes the '
    'start fail: "Unable to write to cpuset.cpus".',
    source='kernel: admin-guide/cgroup-v2.rst (cpuset); '
    'systemd.resource-control(5) (AllowedCPUs)',
    mend='AllowedCPUs= of machine.slice with the pCPUs of guests and those '
    'of their emulator threads; no isolated partition above or beside it',
    safety=Safety.LIVE,
)
def guest_groups(facts: HostFacts) -> Iterator[Answer]:
    """Compare each group above guests."""
    groups = facts.cgroup.machine_cpus
    if isinstance(groups, Missing):
        yield from unreadable(groups)
        return
    online = value_or(facts.cpu.online, CPUSet())
    for group, cpus in groups.items():
        lacking = (realtime_cpus(facts) & online) - cpus
        if lacking:
            yield Answer(subject=group, actual=f'lacks {lacking}')


CHECKS = CheckGroup(
    (irq_affinity, kept_back, workqueues, init_affinity, guest_groups)
)

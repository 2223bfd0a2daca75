# SPDX-License-Identifier: Apache-2.0
"""X: settings that are sound alone and harmful together."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import BOTH
from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import some
from rtvirt.checks.base import undecided
from rtvirt.checks.placement import per_cpu_threads
from rtvirt.checks.preemption import is_realtime_kernel
from rtvirt.checks.throttling import has_fair_server
from rtvirt.checks.throttling import has_stalld
from rtvirt.checks.throttling import served_cpus
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-X01',
    'Throttling is off only where the host survives it',
    Severity.ERROR,
    reads=(
        '/proc/sys/kernel/sched_rt_runtime_us',
        '/sys/kernel/realtime',
        '/proc/*/comm',
    ),
    expected='-1 on PREEMPT_RT only, with stalld or a fair server',
    why='On an ordinary kernel softirqs and RCU cannot be put above a busy '
    'vCPU, so without throttling one such vCPU can hang the host. On '
    'PREEMPT_RT their threads have priorities, and stalld looks after the '
    'rest.',
    source='openshift-kni/performance-addon-operators#481; tuned: realtime',
    mend='boot a PREEMPT_RT kernel, or set kernel.sched_rt_runtime_us=950000',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def unthrottled(facts: HostFacts) -> Iterator[Answer]:
    """Look at the kernel and the guards where the runtime is -1."""
    runtime = facts.scheduler.rt_runtime_us
    if isinstance(runtime, Missing) or runtime >= 0:
        return
    realtime, stalld = is_realtime_kernel(facts), has_stalld(facts)
    served = served_cpus(facts)
    if realtime is not False or stalld is True:
        return
    if not isinstance(served, Missing) and served:
        return
    if isinstance(stalld, Missing):
        yield undecided(stalld)
    else:
        yield Answer(actual='-1 on a kernel that is not PREEMPT_RT')


@check(
    'RT-X02',
    'vCPUs rank below the kernel threads they depend on',
    Severity.ERROR,
    reads=(
        '/proc/*/stat of ksoftirqd, ktimers and rcuc',
        '/etc/nova/nova.conf [libvirt] realtime_scheduler_priority',
        '/run/libvirt/qemu/*.xml',
    ),
    expected='a priority of vCPUs below those of ksoftirqd, ktimers and rcuc',
    why='A busy vCPU at or above the priority of these threads keeps them '
    'from running: its own timers are late, and RCU waits until memory '
    'runs out. nova\'s default of 1 is right; a larger number makes no '
    'vCPU faster that has its pCPU to itself.',
    source='openshift-kni/performance-addon-operators#462; nova: '
    'configuration/config (realtime_scheduler_priority)',
    mend='realtime_scheduler_priority=1, or raise the threads with chrt',
    safety=Safety.LIVE,
)
def priorities(facts: HostFacts) -> Iterator[Answer]:
    """Compare the highest of the vCPUs with the lowest of the threads."""
    highest = _highest_priority(facts)
    if not highest:
        return
    if isinstance(facts.tasks, Missing):
        yield undecided(facts.tasks)
        return
    # Those that are not real-time at all are RT-C14's.
    below = [
        f'{task.name} {task.priority}'
        for task in per_cpu_threads(facts)
        if task.is_realtime and task.priority <= highest
    ]
    if below:
        yield Answer(actual=f'vCPUs at {highest}, but {some(below)}')


def _highest_priority(facts: HostFacts) -> int:
    """Return the highest priority that a vCPU has or may get, 0 for none."""
    found = [value_or(facts.nova.realtime_priority, 1)]
    for domain in value_or(facts.libvirt.domains, ()):
        found.extend(domain.priorities.values())
    if facts.intent.guest is not None:
        found.extend(facts.intent.guest.priorities.values())
    return max(found)


@check(
    'RT-X06',
    'A runtime of -1 means what it says',
    Severity.WARNING,
    reads=(
        '/proc/sys/kernel/sched_rt_runtime_us',
        '/sys/kernel/debug/sched/fair_server',
    ),
    expected='the fair server known to be off where throttling is',
    why='Since Linux 6.12 sched_rt_runtime_us=-1 no longer frees real-time '
    'threads: the fair server takes its 50 ms by other means, and only '
    'debugfs tells. tuned sets the one and not the other.',
    source='kernel: commit 5f6bd380c7bd ("sched/rt: Remove default '
    'bandwidth control"); ni/meta-nilrt#864',
    mend='mount -t debugfs none /sys/kernel/debug, check as root, and '
    'write 0 to fair_server/cpu*/runtime of real-time pCPUs',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def on_paper(facts: HostFacts) -> Iterator[Answer]:
    """Tell where the server must be there and cannot be seen."""
    runtime = facts.scheduler.rt_runtime_us
    if (
        not isinstance(runtime, Missing)
        and runtime < 0
        and has_fair_server(facts) is True
        and isinstance(served_cpus(facts), Missing)
    ):
        yield Answer(actual='-1, with a fair server that cannot be seen')


@check(
    'RT-X07',
    'stalld ranks below the kernel threads it looks after',
    Severity.WARNING,
    reads=('/proc/*/stat of stalld, ksoftirqd, ktimers and rcuc',),
    expected='an ordinary stalld, or a priority below those of ksoftirqd, '
    'ktimers and rcuc',
    why='stalld scans all run queues and takes its time for it. Above the '
    'threads of softirqs and RCU it delays the very work that it is there '
    'to keep going; hosts froze for it.',
    source='openshift-kni/performance-addon-operators#462 (ksoftirqd and '
    'rcuc at 11, stalld at 10)',
    mend='chrt -o -p 0 PID of stalld, or raise the kernel threads above it',
    safety=Safety.LIVE,
)
def stalld_priority(facts: HostFacts) -> Iterator[Answer]:
    """Compare stalld with the lowest of the threads."""
    if isinstance(facts.tasks, Missing):
        yield undecided(facts.tasks)
        return
    guard = max(
        (
            task.priority
            for task in facts.tasks
            if task.process == 'stalld' and task.is_realtime
        ),
        default=0,
    )
    below = [
        f'{task.name} {task.priority}'
        for task in per_cpu_threads(facts)
        if task.is_realtime and task.priority <= guard
    ]
    if below:
        yield Answer(actual=f'stalld at {guard}, but {some(below)}')


CHECKS = CheckGroup((unthrottled, priorities, on_paper, stalld_priority))

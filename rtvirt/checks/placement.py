# SPDX-License-Identifier: Apache-2.0
"""C: threads are where isolation says, which the command line does not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Final

from rtvirt.checks.base import BOTH
from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import some
from rtvirt.checks.base import undecided
from rtvirt.checks.preemption import is_realtime_kernel
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import find_isolation
from rtvirt.model.facts.isolation import housekeeping_cpus
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.task import Task
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity

PER_CPU_THREAD: Final = re.compile(r'(ksoftirqd|ktimers|rcuc)/\d+')
"""The kernel's threads of each CPU that a vCPU can starve."""


@check(
    'RT-C12',
    'Nothing but guests may run on real-time pCPUs',
    Severity.ERROR,
    reads=('/proc/*/task/*/status', '/proc/*/task/*/stat'),
    expected='threads of guests, and the kernel\'s of that pCPU',
    why='What counts is where each thread may run, not what the command '
    'line hoped for: a service that sets its own affinity, or a thread '
    'started by one, gets past isolcpus=. A thread that may run there will, '
    'as soon as the housekeeping pCPUs are busy.',
    source='sched_setaffinity(2); kernel: admin-guide/'
    'kernel-per-CPU-kthreads.rst',
    mend='taskset -p with the housekeeping pCPUs, and CPUAffinity= in the '
    'unit that starts it',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def foreign_threads(facts: HostFacts) -> Iterator[Answer]:
    """Look for threads that are neither a guest's nor bound there."""
    if isinstance(facts.tasks, Missing):
        yield undecided(facts.tasks)
        return
    wanted = realtime_cpus(facts)
    # Without a housekeeping pCPU nothing could be elsewhere.
    if not wanted or not housekeeping_cpus(facts):
        return
    foreign = [
        task
        for task in facts.tasks
        if task.allowed & wanted and not task.is_guest and not task.bound
    ]
    users = [task for task in foreign if not task.kernel]
    if users:
        yield Answer(actual=_list(users))
    # Threads that the kernel keeps near a node's memory have its CPUs.
    kernel = [
        task for task in foreign if task.kernel and len(task.allowed) > 1
    ]
    if kernel:
        yield Answer(actual=_list(kernel), severity=Severity.WARNING)


def _list(tasks: Iterable[Task]) -> str:
    tasks = tuple(tasks)
    names = dict.fromkeys(f'{task.process} ({task.pid})' for task in tasks)
    return f'{len(tasks)} threads: {some(names)}'


@check(
    'RT-C13',
    'No thread has several isolated pCPUs to itself',
    Severity.ERROR,
    reads=('/proc/*/task/*/status',),
    expected='threads on isolated pCPUs pinned to one each',
    why='Without load balancing a thread stays on the CPU where it woke up '
    'first, whatever else its affinity allows. Threads that share such a '
    'set all end up on its first CPU, while the others stay idle.',
    source='kernel: admin-guide/kernel-parameters (isolcpus); '
    'seapath/ansible#908',
    mend='pin each of them to one pCPU',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def stuck_threads(facts: HostFacts) -> Iterator[Answer]:
    """Look for sets of more than one that lie inside the isolated set."""
    if isinstance(facts.tasks, Missing):
        yield undecided(facts.tasks)
        return
    isolated = find_isolation(facts).cpus
    stuck = [
        task
        for task in facts.tasks
        if not task.kernel
        and len(task.allowed) > 1
        and task.allowed <= isolated
    ]
    if stuck:
        yield Answer(actual=_list(stuck))


@check(
    'RT-C14',
    'The kernel\'s threads of real-time pCPUs are real-time themselves',
    Severity.ERROR,
    reads=('/proc/*/stat of ksoftirqd, ktimers and rcuc',),
    expected='SCHED_FIFO above the vCPUs: ksoftirqd and ktimers 2, rcuc 4',
    why='On PREEMPT_RT softirqs, timers and RCU run in threads. An ordinary '
    'one never runs beside a busy vCPU under SCHED_FIFO: timers of the '
    'guest are late, and RCU stalls until the host freezes.',
    source='tuned: realtime-virtual-host (scheduler plug-in); '
    'openshift-kni/performance-addon-operators#462',
    mend='chrt -f -p 2 PID of ksoftirqd and ktimers, 4 of rcuc; tuned\'s '
    'profile realtime-virtual-host does',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def kernel_threads(facts: HostFacts) -> Iterator[Answer]:
    """Look for ordinary ones, on a real-time kernel."""
    if isinstance(facts.tasks, Missing):
        yield undecided(facts.tasks)
        return
    if is_realtime_kernel(facts) is not True:
        return
    ordinary = [
        task.name for task in per_cpu_threads(facts) if not task.is_realtime
    ]
    if ordinary:
        yield Answer(actual=f'not real-time: {some(ordinary)}')


def per_cpu_threads(facts: HostFacts) -> tuple[Task, ...]:
    """Return the kernel's threads that vCPUs of real-time pCPUs starve."""
    if isinstance(facts.tasks, Missing):
        return ()
    wanted = realtime_cpus(facts)
    return tuple(
        task
        for task in facts.tasks
        if task.kernel
        and PER_CPU_THREAD.fullmatch(task.name)
        and task.allowed & wanted
    )


CHECKS = CheckGroup((foreign_threads, stuck_threads, kernel_threads))

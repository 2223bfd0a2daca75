# SPDX-License-Identifier: Apache-2.0
"""B: who may take CPU time away from a real-time thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rtvirt.checks.base import BOTH
from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity

FAIR_SERVER_SINCE: Final = (6, 12)
_DEFAULT_RUNTIME_US: Final = 950000


def has_fair_server(facts: HostFacts) -> bool | Missing:
    """Whether the kernel has deadline servers for ordinary tasks.

    Distributions carry them back to older kernels, which then have the
    files; whether a kernel without the files has them, its number tells.
    """
    if not isinstance(facts.scheduler.fair_server_ns, Missing):
        return True
    number = facts.kernel.number
    return (
        number
        if isinstance(number, Missing)
        else (number >= FAIR_SERVER_SINCE)
    )


def served_cpus(facts: HostFacts) -> CPUSet | Missing:
    """Return the CPUs where the fair server may run."""
    if isinstance(facts.scheduler.fair_server_ns, Missing):
        return facts.scheduler.fair_server_ns
    mask = 0
    for runtime, cpus in facts.scheduler.fair_server_ns.items():
        if runtime != '0':
            mask |= cpus.mask
    return CPUSet.from_mask(mask)


def is_throttled(facts: HostFacts) -> bool | Missing:
    """Whether the kernel takes time from busy real-time threads itself.

    Since Linux 6.12 the limit is enforced with group scheduling only: the
    fair server took its place (commit 5f6bd380c7bd, "sched/rt: Remove
    default bandwidth control").
    """
    runtime = facts.scheduler.rt_runtime_us
    if isinstance(runtime, Missing) or runtime < 0:
        return runtime if isinstance(runtime, Missing) else False
    if has_fair_server(facts) is not True:
        return True
    config = facts.kernel.config
    return not isinstance(config, Missing) and (
        config.get('CONFIG_RT_GROUP_SCHED') == 'y'
    )


@check(
    'RT-B04',
    'Real-time throttling takes nothing from vCPUs',
    Severity.ERROR,
    reads=(
        '/proc/sys/kernel/sched_rt_runtime_us',
        '/proc/sys/kernel/sched_rt_period_us',
    ),
    expected='-1',
    why='A vCPU that is busy for most of a period is stopped for its rest: '
    'with the default of 950000 in 1000000 for 50 ms. Guests that idle '
    'often never notice, which is why the default is only warned of.',
    source='kernel: Documentation/scheduler/sched-rt-group.rst; tuned: '
    'realtime (kernel.sched_rt_runtime_us=-1)',
    mend='sysctl kernel.sched_rt_runtime_us=-1, on a PREEMPT_RT kernel and '
    'with stalld running (RT-X01)',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def throttling(facts: HostFacts) -> Iterator[Answer]:
    """Compare the runtime with the period, where it is enforced."""
    runtime = facts.scheduler.rt_runtime_us
    if isinstance(runtime, Missing):
        yield undecided(runtime)
    elif is_throttled(facts) is True:
        period = value_or(facts.scheduler.rt_period_us, 1000000)
        share = runtime / max(period, 1)
        usual = share >= _DEFAULT_RUNTIME_US / 1000000
        yield Answer(
            actual=f'{runtime} of {period}',
            severity=Severity.WARNING if usual else Severity.ERROR,
        )


@check(
    'RT-B05',
    'The fair server leaves real-time pCPUs alone',
    Severity.ERROR,
    reads=('/sys/kernel/debug/sched/fair_server/cpu*/runtime',),
    expected='0 on every pCPU of real-time guests',
    why='Since Linux 6.12 a deadline server per CPU runs starving ordinary '
    'tasks for 50 ms in each second, before any SCHED_FIFO thread and '
    'whatever sched_rt_runtime_us says. One kernel thread left on an '
    'isolated pCPU is enough to make it fire.',
    source='kernel: commit d741f297bcea ("sched/fair: Fair server '
    'interface"); ni/meta-nilrt#864',
    mend='echo 0 > /sys/kernel/debug/sched/fair_server/cpuN/runtime for '
    'each of them at boot, with stalld running',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def fair_server(facts: HostFacts) -> Iterator[Answer]:
    """Look for a runtime on the pCPUs of real-time guests."""
    served = served_cpus(facts)
    if isinstance(served, Missing):
        if has_fair_server(facts) is True and realtime_cpus(facts):
            yield undecided(served)
        return
    taken = served & realtime_cpus(facts)
    if taken:
        yield Answer(actual=f'not 0 on {taken}')


def has_stalld(facts: HostFacts) -> bool | Missing:
    """Whether stalld runs."""
    running = facts.service.running
    return running if isinstance(running, Missing) else 'stalld' in running


@check(
    'RT-B06',
    'Something guards ordinary tasks against starving',
    Severity.WARNING,
    reads=('/proc/*/comm', '/proc/sys/kernel/sched_rt_runtime_us'),
    expected='stalld, the fair server or throttling',
    why='A vCPU that never idles starves the kernel\'s threads on its pCPU, '
    'and in time the host waits for them. stalld lends a starving thread '
    'some microseconds; throttling and the fair server take much more.',
    source='tuned and OpenShift run stalld beside sched_rt_runtime_us=-1; '
    'openshift-kni/performance-addon-operators#462',
    mend='systemctl enable --now stalld',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def starvation_guard(facts: HostFacts) -> Iterator[Answer]:
    """Ask for any of the three."""
    served = served_cpus(facts)
    if is_throttled(facts) is True:
        return
    if not isinstance(served, Missing) and served >= realtime_cpus(facts):
        return
    stalld = has_stalld(facts)
    if isinstance(stalld, Missing):
        yield undecided(stalld)
    elif (
        not stalld
        and has_fair_server(facts) is True
        and isinstance(served, Missing)
    ):
        # Whether the fair server is on is not known: it is by default.
        yield from unreadable(served)
    elif not stalld:
        yield Answer(actual='none of them')


CHECKS = CheckGroup((throttling, fair_server, starvation_guard))

# SPDX-License-Identifier: Apache-2.0
"""S: schedulers and priorities."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.libvirtxml.domain import Domain
from rtvirt.lint_rules.base import Flaw
from rtvirt.lint_rules.base import RuleGroup
from rtvirt.lint_rules.base import rule
from rtvirt.lint_rules.view import REALTIME
from rtvirt.lint_rules.view import emulator_cpus
from rtvirt.lint_rules.view import iothread_ids
from rtvirt.lint_rules.view import pin_of
from rtvirt.lint_rules.view import realtime_cpus
from rtvirt.lint_rules.view import realtime_vcpus
from rtvirt.lint_rules.view import vcpu_count
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Severity

_SCHEDULERS = frozenset({'fifo', 'rr', 'batch', 'idle'})
_IRQ_PRIORITY = 50


def _scheds(
    domain: Domain,
) -> Iterator[tuple[str, str, int | None]]:
    """Yield name, scheduler and priority of every scheduler element."""
    tune = domain.cputune
    for vcpus in tune.vcpuscheds:
        name = f'vcpusched of vCPUs {vcpus.cpus}'
        yield name, vcpus.scheduler, vcpus.priority
    for threads in tune.iothreadscheds:
        name = f'iothreadsched of I/O threads {threads.cpus}'
        yield name, threads.scheduler, threads.priority
    if tune.emulatorsched:
        sched = tune.emulatorsched
        yield 'emulatorsched', sched.scheduler, sched.priority


@rule(
    'RL-S01',
    'Schedulers are ones that libvirt knows',
    Severity.FATAL,
    subject='cputune/vcpusched',
    expected='fifo, rr, batch or idle',
    why='libvirt refuses any other; it has no SCHED_DEADLINE.',
    mend='use fifo',
)
def schedulers_are_known(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for other words."""
    for name, scheduler, _ in _scheds(domain):
        if scheduler not in _SCHEDULERS:
            yield Flaw(actual=f'{name} says {scheduler!r:.40}')


@rule(
    'RL-S02',
    'Priorities are from 1 to 99',
    Severity.FATAL,
    subject='cputune/vcpusched',
    expected='1 to 99',
    why='libvirt accepts the document and cannot start it: "Scheduler '
    'priority N out of range [1, 99]".',
    mend='choose a low one: 1 is enough on a pCPU of its own',
)
def priorities_are_in_range(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for other numbers."""
    for name, scheduler, priority in _scheds(domain):
        if scheduler not in REALTIME or priority is None:
            continue
        if not 1 <= priority <= 99:
            yield Flaw(actual=f'{name} has priority {priority}')


@rule(
    'RL-S03',
    'Real-time schedulers have a priority',
    Severity.FATAL,
    subject='cputune/vcpusched',
    expected='a priority beside fifo and rr',
    why='libvirt refuses the document without one.',
    mend='add priority="1"',
)
def realtime_has_priority(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for real-time schedulers without."""
    for name, scheduler, priority in _scheds(domain):
        if scheduler in REALTIME and priority is None:
            yield Flaw(actual=f'{name} has none')


@rule(
    'RL-S04',
    'Schedulers are for vCPUs that exist',
    Severity.FATAL,
    subject='cputune/vcpusched',
    expected='vCPUs below the number in <vcpu>',
    why='libvirt refuses the document: "vCPU \'N\' is not present in '
    'domain"; the example of its own real-time guide is refused so.',
    mend='take those vCPUs out of the list',
)
def schedulers_are_for_vcpus(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for vCPUs beyond the last."""
    count = vcpu_count(domain)
    for sched in domain.cputune.vcpuscheds:
        if missing := CPUSet(v for v in sched.cpus if v >= count):
            yield Flaw(actual=f'vCPUs {missing} of {count} do not exist')


@rule(
    'RL-S05',
    'Each vCPU has one scheduler',
    Severity.FATAL,
    subject='cputune/vcpusched',
    expected='each vCPU in one list only',
    why='libvirt refuses the document: "vcpusched attributes \'vcpus\' must '
    'not overlap".',
    mend='name each vCPU once',
)
def schedulers_do_not_overlap(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for vCPUs named twice."""
    seen = CPUSet()
    for sched in domain.cputune.vcpuscheds:
        if twice := seen & sched.cpus:
            yield Flaw(actual=f'vCPUs {twice} are named twice')
        seen |= sched.cpus


@rule(
    'RL-S06',
    'Schedulers are for I/O threads that exist',
    Severity.FATAL,
    subject='cputune/iothreadsched',
    expected='ids of <iothreads> or <iothreadids>',
    why='libvirt refuses the document.',
    mend='raise <iothreads>, or take the id out',
)
def schedulers_are_for_iothreads(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for ids that are not there."""
    known = iothread_ids(domain)
    for sched in domain.cputune.iothreadscheds:
        if missing := [n for n in sched.cpus if n not in known]:
            yield Flaw(actual=f'I/O threads {CPUSet(missing)} do not exist')


@rule(
    'RL-S07',
    'Something is left for housekeeping',
    Severity.WARNING,
    subject='cputune/vcpusched',
    expected='a vCPU that is not real-time, or a pCPU for the emulator '
    'threads alone',
    why='Where every vCPU is real-time and the emulator threads have no '
    'pCPU of their own, nothing that serves the guest ever runs while it is '
    'busy (nova: hw:cpu_realtime_mask, hw:emulator_threads_policy).',
    mend='leave vCPU 0 out of the real-time vCPUs',
)
def housekeeping_is_left(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for a domain all of whose vCPUs are real-time."""
    realtime = realtime_vcpus(domain)
    alone = (emulator_cpus(domain) or CPUSet()) - realtime_cpus(domain)
    if realtime and len(realtime) == vcpu_count(domain) and not alone:
        yield Flaw(actual='all vCPUs are real-time')


@rule(
    'RL-S08',
    'vCPUs run below the kernel\'s interrupt threads',
    Severity.WARNING,
    subject='cputune/vcpusched',
    expected='a priority below 50',
    why='On a real-time kernel interrupt threads run at FIFO 50 and RCU and '
    'softirq threads below: a vCPU above them that never sleeps stalls the '
    'host (kernel: core-api/real-time; PREEMPT_RT).',
    mend='use 1: on a pCPU of its own a vCPU needs no more',
)
def vcpus_run_below_interrupts(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for vCPUs at 50 or above."""
    high = {
        vcpu: sched.priority
        for vcpu, sched in realtime_vcpus(domain).items()
        if (sched.priority or 0) >= _IRQ_PRIORITY
    }
    for priority in sorted({p for p in high.values() if p is not None}):
        vcpus = CPUSet(v for v, p in high.items() if p == priority)
        yield Flaw(actual=f'vCPUs {vcpus} have priority {priority}')


@rule(
    'RL-S09',
    'Emulator threads do not preempt real-time vCPUs',
    Severity.ERROR,
    subject='cputune/emulatorsched',
    expected='a lower priority than the vCPUs on the same pCPUs',
    why='A real-time emulator thread on the pCPU of a real-time vCPU of the '
    'same or a lower priority takes its turns, device by device.',
    mend='pin the emulator threads elsewhere, or lower their priority',
)
def emulator_is_lower(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Compare with the vCPUs on the emulator's pCPUs."""
    sched = domain.cputune.emulatorsched
    if sched is None or sched.scheduler not in REALTIME:
        return
    place = emulator_cpus(domain)
    for vcpu, other in realtime_vcpus(domain).items():
        pin = pin_of(domain, vcpu)
        meets = place is None or pin is None or bool(place & pin)
        if meets and (sched.priority or 0) >= (other.priority or 0):
            yield Flaw(
                actual=f'priority {sched.priority} beside vCPU {vcpu} of '
                f'priority {other.priority}'
            )


@rule(
    'RL-S10',
    'Real-time vCPUs are not throttled',
    Severity.WARNING,
    subject='cputune/quota',
    expected='no <quota> beside real-time vCPUs',
    why='Quotas bind the group of the domain: they do nothing to a FIFO '
    'vCPU, and throttle the emulator threads that it waits for (kernel: '
    'scheduler/sched-bwc).',
    mend='take <quota> and <period> out',
)
def realtime_is_not_throttled(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for a quota."""
    quota = domain.cputune.quota
    if quota is not None and quota > 0 and realtime_vcpus(domain):
        yield Flaw(actual=f'quota is {quota} us')


RULES = RuleGroup(
    (
        schedulers_are_known,
        priorities_are_in_range,
        realtime_has_priority,
        schedulers_are_for_vcpus,
        schedulers_do_not_overlap,
        schedulers_are_for_iothreads,
        housekeeping_is_left,
        vcpus_run_below_interrupts,
        emulator_is_lower,
        realtime_is_not_throttled,
    )
)

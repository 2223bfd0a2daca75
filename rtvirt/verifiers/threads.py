# SPDX-License-Identifier: Apache-2.0
"""T: the threads are there, and run where they are to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Severity
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.verifiers.base import Gap
from rtvirt.verifiers.base import VerifierGroup
from rtvirt.verifiers.base import verifier
from rtvirt.verifiers.proof import ThreadProof
from rtvirt.verifiers.proof import is_placed
from rtvirt.verifiers.proof import overlap
from rtvirt.verifiers.proof import prove_threads
from rtvirt.verifiers.wanted import threads_of_domain
from rtvirt.verifiers.words import mend_cpus
from rtvirt.verifiers.words import name_cpus
from rtvirt.verifiers.words import say_cpus
from rtvirt.verifiers.words import say_scheduling

_OWN_GROUP: Final = re.compile(r'/(?:vcpu[0-9]+|iothread[0-9]+|emulator)$')
"""The groups that libvirt makes for one kind of thread each."""


@verifier(
    'RV-T01',
    'Each thread of the document is there',
    Severity.ERROR,
    why='A vCPU without a thread does not run; one whose thread has another '
    'name cannot be proved.',
)
def threads_are_there(
    domain: Domain, observed: ObservedDomain
) -> Iterator[Gap]:
    """Look for vCPUs and I/O threads without a thread."""
    for proof in _prove(domain, observed):
        if proof.thread is None and proof.planned is not None:
            yield Gap(
                subject=proof.subject,
                expected=f'a thread on {say_scheduling(proof.planned)}',
                actual='there is none',
                mend='look into the log that libvirt keeps of the domain, '
                'and start it anew',
            )


@verifier(
    'RV-T02',
    'Each thread is one of the document',
    Severity.ERROR,
    why='A vCPU or I/O thread that was plugged in behind libvirt\'s back '
    'has neither pins nor a scheduler.',
)
def threads_are_known(
    domain: Domain, observed: ObservedDomain
) -> Iterator[Gap]:
    """Look for vCPU and I/O threads that the document does not have."""
    for proof in _prove(domain, observed):
        if proof.planned is None and proof.thread and not proof.ok:
            yield Gap(
                subject=proof.subject,
                expected='no such thread',
                actual=_say_actual(proof.thread),
                mend='plug it out, or add it to the document with its pins',
            )


@verifier(
    'RV-T03',
    'Each vCPU runs where it is pinned',
    Severity.ERROR,
    why='Elsewhere it meets housekeeping work, or takes the pCPU of another '
    'guest\'s vCPU.',
)
def vcpus_are_placed(
    domain: Domain, observed: ObservedDomain
) -> Iterator[Gap]:
    """Compare the affinity of vCPU threads with <vcpupin>."""
    for planned, thread, subject in _pairs(domain, observed):
        if thread.role is ThreadRole.VCPU and not is_placed(planned, thread):
            yield _misplaced(planned, thread, subject)


@verifier(
    'RV-T04',
    'Emulator and I/O threads run where they are pinned',
    Severity.ERROR,
    why='What is pinned there shares its pCPU with threads that nobody '
    'planned for.',
)
def others_are_placed(
    domain: Domain, observed: ObservedDomain
) -> Iterator[Gap]:
    """Compare the other threads with <emulatorpin> and <iothreadpin>."""
    realtime = threads_of_domain(domain).realtime_cpus
    for planned, thread, subject in _pairs(domain, observed):
        if (
            thread.role is not ThreadRole.VCPU
            and not is_placed(planned, thread)
            and not overlap(thread, realtime)
        ):
            yield _misplaced(planned, thread, subject)


@verifier(
    'RV-T05',
    'Emulator and I/O threads keep off real-time pCPUs',
    Severity.ERROR,
    why='Behind a busy FIFO vCPU such a thread never runs, and whatever '
    'waits for it stands still: QMP, disks, the guest. Under a higher '
    'priority it delays the vCPU instead.',
)
def others_keep_off(domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Compare the other threads with the pCPUs of real-time vCPUs."""
    realtime = threads_of_domain(domain).realtime_cpus
    for planned, thread, subject in _pairs(domain, observed):
        if overlap(thread, realtime):
            yield Gap(
                subject=subject,
                expected=f'no pCPU of {realtime}, which real-time vCPUs have',
                actual=_say_actual(thread),
                mend=_mend_overlap(domain, planned, thread, realtime),
            )


@verifier(
    'RV-T06',
    'The control groups of threads allow their pCPUs',
    Severity.ERROR,
    why='A pCPU that the cpuset lacks is no use in an affinity: the kernel '
    'runs the thread elsewhere. In a group that libvirt made for one thread, '
    'a pCPU too many is where the thread goes as soon as its own is taken '
    'offline.',
)
def cpusets_allow(domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Compare the cpuset of each thread's group with its pins."""
    for planned, thread, subject in _pairs(domain, observed):
        allowed, group = thread.cgroup_cpus, thread.cgroup
        if not planned.cpus:
            continue
        if isinstance(allowed, Missing) or isinstance(group, Missing):
            why = group if isinstance(group, Missing) else allowed
            if isinstance(why, Missing) and not why.is_absent:
                yield _unread(planned, subject, why)
        elif planned.cpus - allowed or (
            allowed != planned.cpus and _OWN_GROUP.search(group)
        ):
            yield Gap(
                subject=subject,
                expected=f'a cpuset with {say_cpus(planned)}',
                actual=f'{group} has {name_cpus(allowed)}',
                mend=f'write {planned.cpus} to cpuset.cpus of {group}',
            )


def _unread(planned: Scheduling, subject: str, why: Missing) -> Gap:
    return Gap(
        subject=subject,
        expected=f'a cpuset with {say_cpus(planned)}',
        actual=f'{why.path} is {why}',
        mend='run it as root, on the host',
        is_undecided=True,
    )


def _prove(
    domain: Domain, observed: ObservedDomain
) -> tuple[ThreadProof, ...]:
    return prove_threads(threads_of_domain(domain), observed)


def _pairs(
    domain: Domain, observed: ObservedDomain
) -> Iterator[tuple[Scheduling, ObservedThread, str]]:
    """Yield the threads that are there, with what is wanted of them."""
    for proof in _prove(domain, observed):
        if proof.planned is not None and proof.thread is not None:
            yield proof.planned, proof.thread, proof.subject


def _misplaced(
    planned: Scheduling, thread: ObservedThread, subject: str
) -> Gap:
    return Gap(
        subject=subject,
        expected=say_cpus(planned),
        actual=_say_actual(thread),
        mend=mend_cpus(planned, thread.tid),
    )


def _mend_overlap(
    domain: Domain,
    planned: Scheduling,
    thread: ObservedThread,
    realtime: CPUSet,
) -> str:
    if planned.cpus and not planned.cpus & realtime:
        return mend_cpus(planned, thread.tid)
    element = (
        f'<iothreadpin iothread="{thread.number}">'
        if thread.role is ThreadRole.IOTHREAD
        else '<emulatorpin>'
    )
    return (
        f'give domain {domain.name} an {element} without pCPUs {realtime}, '
        'and start it anew'
    )


def _say_actual(thread: ObservedThread) -> str:
    return f'{say_cpus(thread.scheduling)} (tid {thread.tid}, {thread.name})'


VERIFIERS = VerifierGroup(
    (
        threads_are_there,
        threads_are_known,
        vcpus_are_placed,
        others_are_placed,
        others_keep_off,
        cpusets_allow,
    )
)

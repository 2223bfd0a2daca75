# SPDX-License-Identifier: Apache-2.0
"""P: the document still says what its plan does."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.model.finding import Severity
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import Scheduling
from rtvirt.model.plan import Plan
from rtvirt.verifiers.base import Gap
from rtvirt.verifiers.base import VerifierGroup
from rtvirt.verifiers.base import verifier
from rtvirt.verifiers.control import groups_of_domain
from rtvirt.verifiers.control import groups_of_plan
from rtvirt.verifiers.control import say_groups
from rtvirt.verifiers.proof import name_thread
from rtvirt.verifiers.wanted import memory_of_domain
from rtvirt.verifiers.wanted import memory_of_plan
from rtvirt.verifiers.wanted import threads_of_domain
from rtvirt.verifiers.wanted import threads_of_plan
from rtvirt.verifiers.words import say_cpus
from rtvirt.verifiers.words import say_memory
from rtvirt.verifiers.words import say_policy

_ANEW = (
    'put the plan\'s value back into the document (virsh edit), or plan '
    'anew; then start the domain anew'
)


@verifier(
    'RV-P01',
    'The plan can be read',
    Severity.ERROR,
    why='Without it nobody knows which pCPUs the domain holds: they can be '
    'given to another one.',
)
def plan_is_readable(
    domain: Domain, _observed: ObservedDomain
) -> Iterator[Gap]:
    """Look for metadata that are no plan."""
    try:
        plan_of(domain)
    except DomainXMLError as error:
        yield Gap(
            subject='metadata',
            expected='a plan of this version of rtvirt',
            actual=str(error),
            mend=error.hint,
        )


@verifier(
    'RV-P02',
    'Threads are pinned as planned',
    Severity.ERROR,
    why='What was moved by hand may lie on a pCPU that another domain\'s '
    'plan holds.',
)
def pins_are_planned(
    domain: Domain, _observed: ObservedDomain
) -> Iterator[Gap]:
    """Compare the document's pins with the plan's."""
    for subject, planned, written in _differences(domain):
        if written is None or planned.cpus != written.cpus:
            yield Gap(
                subject=subject,
                expected=say_cpus(planned),
                actual=say_cpus(written) if written else 'there is none',
                mend=_ANEW,
            )


@verifier(
    'RV-P03',
    'Threads have the schedulers planned',
    Severity.ERROR,
    why='The latency that was planned for is that of the plan\'s scheduler.',
)
def schedulers_are_planned(
    domain: Domain, _observed: ObservedDomain
) -> Iterator[Gap]:
    """Compare the document's schedulers with the plan's."""
    for subject, planned, written in _differences(domain):
        if written is not None and say_policy(planned) != say_policy(written):
            yield Gap(
                subject=subject,
                expected=say_policy(planned),
                actual=say_policy(written),
                mend=_ANEW,
            )


@verifier(
    'RV-P04',
    'The memory is backed as planned',
    Severity.ERROR,
    why='Pages of another size or node are those that another plan counts on.',
)
def memory_is_planned(
    domain: Domain, _observed: ObservedDomain
) -> Iterator[Gap]:
    """Compare the document's memory with the plan's."""
    plan = _plan_of(domain)
    if plan is None:
        return
    planned, written = memory_of_plan(plan), memory_of_domain(domain)
    if planned != written:
        yield Gap(
            subject='memoryBacking',
            expected=say_memory(planned),
            actual=say_memory(written),
            mend=_ANEW,
        )


@verifier(
    'RV-P05',
    'Caches and memory bandwidth are as planned',
    Severity.ERROR,
    why='The plan took them from the host: what the document does not give '
    'lies idle, and what it gives beyond is another guest\'s.',
)
def control_is_planned(
    domain: Domain, _observed: ObservedDomain
) -> Iterator[Gap]:
    """Compare <cachetune> and <memorytune> with the plan."""
    plan = _plan_of(domain)
    if plan is None:
        return
    planned, written = groups_of_plan(plan), groups_of_domain(domain)
    if planned != written:
        yield Gap(
            subject='cachetune',
            expected=say_groups(planned),
            actual=say_groups(written),
            mend=_ANEW,
        )


def _plan_of(domain: Domain) -> Plan | None:
    try:
        return plan_of(domain)
    except DomainXMLError:
        return None  # RV-P01 says so


def _differences(
    domain: Domain,
) -> Iterator[tuple[str, Scheduling, Scheduling | None]]:
    """Yield the threads of which plan and document say different things."""
    plan = _plan_of(domain)
    if plan is None:
        return
    written = dict(threads_of_domain(domain).all())
    for key, planned in threads_of_plan(plan).all():
        if planned != written.get(key):
            yield name_thread(key), planned, written.get(key)


VERIFIERS = VerifierGroup(
    (
        plan_is_readable,
        pins_are_planned,
        schedulers_are_planned,
        memory_is_planned,
        control_is_planned,
    )
)

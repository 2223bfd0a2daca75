# SPDX-License-Identifier: Apache-2.0
"""L: the domain starts the next time as it runs now."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Severity
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import Scheduling
from rtvirt.verifiers.base import Gap
from rtvirt.verifiers.base import VerifierGroup
from rtvirt.verifiers.base import verifier
from rtvirt.verifiers.control import groups_of_domain
from rtvirt.verifiers.control import say_groups
from rtvirt.verifiers.proof import name_thread
from rtvirt.verifiers.wanted import memory_of_domain
from rtvirt.verifiers.wanted import threads_of_domain
from rtvirt.verifiers.words import say_memory
from rtvirt.verifiers.words import say_scheduling


@verifier(
    'RV-L01',
    'Threads start the next time as they run',
    Severity.ERROR,
    why='What was changed in the persistent document alone takes effect with '
    'the next start, when nobody looks; what was changed in the live one '
    'alone is lost then.',
)
def threads_are_kept(
    domain: Domain, observed: ObservedDomain
) -> Iterator[Gap]:
    """Compare pins and schedulers of the two documents."""
    if isinstance(observed.persistent, Missing):
        return  # a transient domain has none
    try:
        kept = _parse(observed.persistent)
    except DomainXMLError as error:
        yield Gap(
            subject='persistent document',
            expected='one that can be read',
            actual=str(error),
            mend=f'virsh edit {domain.name}',
        )
        return
    now = dict(threads_of_domain(domain).all())
    then = dict(threads_of_domain(kept).all())
    for key in {**now, **then}:
        if now.get(key) != then.get(key):
            yield Gap(
                subject=name_thread(key),
                expected=_say_thread(now.get(key)),
                actual=f'the persistent document: '
                f'{_say_thread(then.get(key))}',
                mend=_mend(domain),
            )


@verifier(
    'RV-L02',
    'The memory is backed the next time as it is',
    Severity.ERROR,
    why='Without its huge pages, its node or its lock the guest starts all '
    'the same, and is slow from then on.',
)
def memory_is_kept(domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Compare the memory of the two documents."""
    kept = _kept(observed)
    if kept is None:
        return
    now, then = memory_of_domain(domain), memory_of_domain(kept)
    if now != then:
        yield Gap(
            subject='memoryBacking',
            expected=say_memory(now),
            actual=f'the persistent document: {say_memory(then)}',
            mend=_mend(domain),
        )


@verifier(
    'RV-L03',
    'Cache and bandwidth are the next time as they are',
    Severity.ERROR,
    why='Without its part of the cache the guest starts all the same, and '
    'is slow from then on.',
)
def control_is_kept(domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Compare <cachetune> and <memorytune> of the two documents."""
    kept = _kept(observed)
    if kept is None:
        return
    now, then = groups_of_domain(domain), groups_of_domain(kept)
    if now != then:
        yield Gap(
            subject='cachetune',
            expected=say_groups(now),
            actual=f'the persistent document: {say_groups(then)}',
            mend=_mend(domain),
        )


@verifier(
    'RV-L04',
    'The plan is kept',
    Severity.ERROR,
    why='The pCPUs of a domain that is not running are held by the plan in '
    'its persistent document alone.',
)
def plan_is_kept(domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Compare the plans in the metadata of the two documents."""
    kept = _kept(observed)
    if kept is None or (kept.plan or '').split() == (
        (domain.plan or '').split()
    ):
        return
    yield Gap(
        subject='metadata',
        expected='the plan of the running domain'
        if domain.plan
        else 'no plan, as in the running domain',
        actual='the persistent document has '
        + ('another one' if kept.plan else 'none'),
        mend=_mend(domain),
    )


def _kept(observed: ObservedDomain) -> Domain | None:
    """Return the persistent document; RV-L01 tells of a broken one."""
    if isinstance(observed.persistent, Missing):
        return None
    try:
        return _parse(observed.persistent)
    except DomainXMLError:
        return None


@functools.lru_cache(maxsize=128)
def _parse(text: str) -> Domain:
    """Read a persistent document, which stays the same for weeks.

    The watch holds each against what runs twice a minute: this saves it a
    third of its time.
    """
    return parse_domain(text)


def _say_thread(scheduling: Scheduling | None) -> str:
    return say_scheduling(scheduling) if scheduling else 'no such thread'


def _mend(domain: Domain) -> str:
    return (
        f'virsh edit {domain.name}: put it back; or start the domain anew, '
        'where it is meant'
    )


VERIFIERS = VerifierGroup(
    (threads_are_kept, memory_is_kept, control_is_kept, plan_is_kept)
)

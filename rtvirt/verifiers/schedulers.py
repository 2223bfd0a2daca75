# SPDX-License-Identifier: Apache-2.0
"""S: the threads have their policies and priorities."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.finding import Severity
from rtvirt.model.observed import ObservedDomain
from rtvirt.verifiers.base import Gap
from rtvirt.verifiers.base import VerifierGroup
from rtvirt.verifiers.base import verifier
from rtvirt.verifiers.proof import is_scheduled
from rtvirt.verifiers.proof import prove_threads
from rtvirt.verifiers.wanted import threads_of_domain
from rtvirt.verifiers.words import mend_policy
from rtvirt.verifiers.words import say_policy


@verifier(
    'RV-S01',
    'Each thread has its scheduling policy',
    Severity.ERROR,
    why='Under "other" a vCPU waits for whatever else is runnable; a thread '
    'that is real-time without being planned so keeps others from running. '
    'libvirt sets policies once, at the start, and never reads them back.',
)
def policies_hold(domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Compare each thread's policy with the document."""
    return _compare(domain, observed, is_policy=True)


@verifier(
    'RV-S02',
    'Each real-time thread has its priority',
    Severity.ERROR,
    why='The priority decides who waits for whom: below the kernel\'s own '
    'threads a vCPU is delayed, above them it starves what serves it.',
)
def priorities_hold(domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Compare each thread's priority, where its policy is right."""
    return _compare(domain, observed, is_policy=False)


def _compare(
    domain: Domain, observed: ObservedDomain, *, is_policy: bool
) -> Iterator[Gap]:
    for proof in prove_threads(threads_of_domain(domain), observed):
        planned, thread = proof.planned, proof.thread
        if planned is None or thread is None or is_scheduled(planned, thread):
            continue
        actual = thread.scheduling
        if (actual.policy != planned.policy) is is_policy:
            yield Gap(
                subject=proof.subject,
                expected=say_policy(planned),
                actual=f'{say_policy(actual)} (tid {thread.tid}, '
                f'{thread.name})',
                mend=mend_policy(planned, thread.tid),
            )


VERIFIERS = VerifierGroup((policies_hold, priorities_hold))

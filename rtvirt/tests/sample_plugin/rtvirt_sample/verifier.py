# SPDX-License-Identifier: Apache-2.0
"""A verifier of running domains: what this site demands of their threads."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Severity
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ThreadRole
from rtvirt.verifiers.base import Gap
from rtvirt.verifiers.base import VerifierGroup
from rtvirt.verifiers.base import verifier

_MOST = 1000


@verifier(
    'SAMPLE-V1',
    'vCPUs are rarely made to leave their pCPUs',
    Severity.WARNING,
    why='Who has a pCPU alone leaves it when it wants to. Each time that it '
    'had to, somebody else ran in its place.',
)
def undisturbed(_domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Look at the involuntary switches; hidden ones are not judged."""
    for thread in observed.threads:
        switches = thread.involuntary_switches
        if thread.role is not ThreadRole.VCPU or isinstance(switches, Missing):
            continue
        if switches > _MOST:
            yield Gap(
                subject=f'vCPU {thread.number}',
                expected=f'at most {_MOST} involuntary switches',
                actual=f'{switches} (tid {thread.tid})',
                mend='rtvirt host check',
            )


VERIFIERS = VerifierGroup((undisturbed,))

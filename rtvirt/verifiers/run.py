# SPDX-License-Identifier: Apache-2.0
"""Run verifiers over a domain and what was observed of it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable

from rtvirt.exception import ModelError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.finding import Finding
from rtvirt.model.observed import ObservedDomain

Verify = Callable[[Domain, ObservedDomain], Iterable[Finding]]
"""What an entry point of ``rtvirt.verifiers`` names."""


def run_verifiers(
    domain: Domain, observed: ObservedDomain, plugins: Iterable[Verify]
) -> tuple[Finding, ...]:
    """Return what is not as a domain wants it, the worst first.

    :raises ModelError: if it is another domain that was observed.
    """
    if domain.uuid is not None and domain.uuid != observed.uuid:
        raise ModelError(
            f'domain {domain.name!r:.60} is {domain.uuid:.60}, and '
            f'{observed.uuid:.60} was observed'
        )
    findings = [
        finding for plugin in plugins for finding in plugin(domain, observed)
    ]
    return tuple(sorted(findings, key=lambda f: (f.severity.rank, f.code)))

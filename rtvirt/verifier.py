# SPDX-License-Identifier: Apache-2.0
"""Verify a domain with the verifiers that are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtvirt import plugins
from rtvirt.verifiers.run import run_verifiers

if TYPE_CHECKING:
    from rtvirt.libvirtxml.domain import Domain
    from rtvirt.model.finding import Finding
    from rtvirt.model.observed import ObservedDomain


def verify(domain: Domain, observed: ObservedDomain) -> tuple[Finding, ...]:
    """Return what is not as a domain's document wants it, the worst first.

    :param domain: of a running domain: what ``virsh dumpxml`` prints.
    :param observed: what the kernel showed of it.
    :raises ModelError: if it is another domain that was observed.
    :raises PluginError: if a verifier is broken, or two are in conflict.
    """
    return run_verifiers(domain, observed, plugins.verifiers())

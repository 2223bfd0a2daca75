# SPDX-License-Identifier: Apache-2.0
"""What is proved of a host, as the traits that placement schedules by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rtvirt.checks.run import Verdict
from rtvirt.checks.run import summarize
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import find_isolation
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.finding import Finding
from rtvirt.model.host import HostTopology

READY: Final = 'CUSTOM_RTVIRT_REALTIME_READY'
"""No check found anything that puts the latency budget at risk, and none
of that weight was undecided."""

KERNEL: Final = 'CUSTOM_RTVIRT_PREEMPT_RT'
"""The kernel runs with PREEMPT_RT."""

ISOLATION: Final = 'CUSTOM_RTVIRT_CPU_ISOLATION'
"""All pCPUs meant for real-time guests are outside load balancing."""

CACHE: Final = 'CUSTOM_RTVIRT_RDT_CACHE'
"""The host shares its L3 caches out (``rtvirt:cache_mib``)."""

BANDWIDTH: Final = 'CUSTOM_RTVIRT_RDT_BANDWIDTH'
"""It shares its memory bandwidth out (``rtvirt:memory_bandwidth``)."""

PREFIX: Final = 'CUSTOM_RTVIRT_'
TRAITS: Final = (READY, KERNEL, ISOLATION, CACHE, BANDWIDTH)


def find_traits(
    facts: HostFacts, findings: Iterable[Finding]
) -> frozenset[str]:
    """Return the traits of a host.

    :param findings: of the checks of these facts.
    """
    host = facts.topology
    banks = host.caches if isinstance(host, HostTopology) else ()
    nodes = host.bandwidths if isinstance(host, HostTopology) else ()
    wanted = realtime_cpus(facts)
    holds = {
        READY: summarize(findings).verdict is Verdict.READY,
        KERNEL: facts.kernel.realtime is True,
        ISOLATION: bool(wanted) and wanted <= find_isolation(facts).cpus,
        CACHE: any(bank.to_steps(1) for bank in banks),
        BANDWIDTH: any(node.to_steps(1) for node in nodes),
    }
    return frozenset(trait for trait in TRAITS if holds[trait])

# SPDX-License-Identifier: Apache-2.0
"""P: two domains that are to run on one host together."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

from rtvirt.libvirtxml.domain import Domain
from rtvirt.lint_rules.view import realtime_cpus
from rtvirt.lint_rules.view import vcpu_count
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity

CODES: Final = {
    'RL-P01': 'No pCPU is pinned to by two domains',
    'RL-P02': 'No core is split between a real-time and another domain',
}
"""Of each rule about two domains, what holds where it finds nothing."""


def lint_pairs(
    domains: Sequence[Domain], facts: HostFacts | None
) -> Iterator[Finding]:
    """Yield what is wrong between two domains of one host."""
    for one, other in itertools.combinations(domains, 2):
        yield from _shared_cpus(one, other)
        if facts is not None and not isinstance(facts.topology, Missing):
            cores = [c for cell in facts.topology.cells for c in cell.siblings]
            yield from _split_cores(one, other, cores)
            yield from _split_cores(other, one, cores)


def _dedicated(domain: Domain) -> CPUSet:
    """Return the pCPUs that single vCPUs are pinned to."""
    cpus = CPUSet()
    for vcpu, pin in domain.cputune.vcpupins.items():
        if len(pin) == 1 and vcpu < vcpu_count(domain):
            cpus |= pin
    return cpus


def _shared_cpus(one: Domain, other: Domain) -> Iterator[Finding]:
    both = _dedicated(one) & _dedicated(other)
    if both:
        realtime = both & (realtime_cpus(one) | realtime_cpus(other))
        yield Finding(
            code='RL-P01',
            severity=Severity.ERROR if realtime else Severity.WARNING,
            subject=f'{one.name} and {other.name}',
            expected='pCPUs of its own for each pinned vCPU',
            actual=f'both are pinned to pCPUs {both}',
            hint='pin one of them elsewhere; libvirt starts both',
        )


def _split_cores(
    one: Domain, other: Domain, cores: Sequence[CPUSet]
) -> Iterator[Finding]:
    realtime = realtime_cpus(one)
    theirs = _dedicated(other)
    for core in cores:
        mine = core & realtime
        if mine and (shared := (core - mine) & theirs):
            yield Finding(
                code='RL-P02',
                severity=Severity.ERROR,
                subject=f'{one.name} and {other.name}',
                expected='whole cores for real-time vCPUs',
                actual=f'pCPU {mine} of {one.name} is real-time, its sibling '
                f'{shared} is {other.name}\'s',
                hint='give one domain both siblings, or switch SMT off',
            )

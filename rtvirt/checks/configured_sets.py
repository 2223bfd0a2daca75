# SPDX-License-Identifier: Apache-2.0
"""C: the same set of pCPUs, wherever it is written down."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import unreadable
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import find_isolation
from rtvirt.model.facts.isolation import isolcpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-C07',
    'The sets of isolated pCPUs agree',
    Severity.ERROR,
    reads=(
        '/proc/cmdline',
        '/sys/devices/system/cpu/isolated',
        '/etc/tuned/*-variables.conf',
        '/etc/nova/nova.conf [compute] cpu_dedicated_set',
        '/etc/nova/nova.conf [compute] cpu_shared_set',
    ),
    expected='one set in all places',
    why='The isolated pCPUs are written down for the boot loader, for tuned '
    'and for nova, and nothing compares them: nova does not know '
    'isolcpus=. A pCPU in one list only is either wasted or not isolated.',
    source='nova: admin/cpu-topologies; kubernetes#87532; tuned#514',
    mend='write the same list in all places ("rtvirt host tune" prints '
    'them), then reboot',
    safety=Safety.REBOOT,
)
def agreement(facts: HostFacts) -> Iterator[Answer]:
    """Compare each with what the kernel made of its command line."""
    yield from unreadable(
        facts.tuned.isolated, facts.nova.dedicated, facts.nova.shared
    )
    isolation = find_isolation(facts)
    given = isolcpus(facts)
    if given is not None and given.stops_balancing and given.cpus:
        yield from _compare(
            'isolcpus=', given.cpus, 'isolated', isolation.boot
        )
    tuned = facts.tuned.isolated
    if isinstance(tuned, CPUSet):
        yield from _compare('tuned', tuned, 'isolated', isolation.cpus)
    yield from _compare_nova(facts, isolation.cpus)


def _compare_nova(facts: HostFacts, isolated: CPUSet) -> Iterator[Answer]:
    dedicated = facts.nova.dedicated
    if isinstance(dedicated, Missing):
        return
    asked = facts.intent.dedicated
    if asked is not None:
        yield from _compare(
            'cpu_dedicated_set', dedicated, 'the set asked for', asked
        )
    if idle := isolated - dedicated:
        yield Answer(
            subject='cpu_dedicated_set',
            actual=f'{idle} are isolated and no guest may have them',
            expected=str(isolated),
            severity=Severity.INFO,
        )
    overlap = dedicated & value_or(facts.nova.shared, CPUSet())
    if overlap:
        yield Answer(
            subject='cpu_dedicated_set',
            actual=f'shares {overlap} with cpu_shared_set',
            expected='disjoint sets',
        )


def _compare(
    name: str, cpus: CPUSet, other: str, wanted: CPUSet
) -> Iterator[Answer]:
    if cpus != wanted:
        yield Answer(
            subject=name,
            actual=str(cpus) or 'none',
            expected=f'{wanted or "none"}, as {other}',
        )


@check(
    'RT-X05',
    'No unpinned guest floats over isolated pCPUs',
    Severity.ERROR,
    reads=(
        '/etc/nova/nova.conf [compute] cpu_shared_set',
        '/run/libvirt/qemu/*.xml',
    ),
    expected='shared and unpinned vCPUs on balanced pCPUs',
    why='There is no load balancing on isolated pCPUs: all threads of a '
    'guest that floats over them stay on the first one. The guest has '
    'several vCPUs and the speed of a fraction of one.',
    source='kernel: admin-guide/kernel-parameters (isolcpus); '
    'seapath/ansible#908',
    mend='cpu_shared_set, and the cpuset of unpinned guests, with '
    'housekeeping pCPUs only',
    safety=Safety.DISRUPTIVE,
)
def floating_guests(facts: HostFacts) -> Iterator[Answer]:
    """Look at nova's set and at the vCPUs of domains that run."""
    isolated = find_isolation(facts).cpus
    overlap = value_or(facts.nova.shared, CPUSet()) & isolated
    if overlap:
        yield Answer(
            subject='cpu_shared_set', actual=f'{overlap} are isolated'
        )
    if isinstance(facts.libvirt.domains, Missing):
        yield from unreadable(facts.libvirt.domains)
        return
    for domain in facts.libvirt.domains:
        ranges = set(domain.pins.values())
        if len(domain.pins) < domain.vcpus:
            ranges.add(domain.cpus)
        mask = 0
        for cpus in ranges:
            if len(cpus) > 1:
                mask |= (cpus & isolated).mask
        if mask:
            yield Answer(
                subject=domain.name,
                actual=f'vCPUs float over {CPUSet.from_mask(mask)}',
            )


CHECKS = CheckGroup((agreement, floating_guests))

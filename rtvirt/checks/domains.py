# SPDX-License-Identifier: Apache-2.0
"""H: the domains that run do not take pCPUs from each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from collections.abc import Iterator

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import unreadable
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import unpinned_cpus
from rtvirt.model.facts.libvirt import RunningDomain
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-H04',
    'Each pCPU is pinned to by one guest',
    Severity.ERROR,
    reads=('/run/libvirt/qemu/*.xml',),
    expected='a pCPU of its own for each pinned vCPU, which no other guest '
    'may use',
    why='libvirt starts two guests on one pCPU without a word. Of two '
    'real-time vCPUs one starves the other; an unpinned guest takes its '
    'turns wherever it may run.',
    source='libvirt: formatdomain (vcpupin); nova: admin/cpu-topologies '
    '(no mix of pinned and unpinned guests without sets)',
    mend='pin one of them elsewhere: virsh vcpupin; give unpinned guests a '
    'cpuset of housekeeping pCPUs',
    safety=Safety.LIVE,
)
def one_guest(facts: HostFacts) -> Iterator[Answer]:
    """Compare each pair of domains."""
    domains = facts.libvirt.domains
    if isinstance(domains, Missing):
        yield from unreadable(domains)
        return
    for one, other in itertools.combinations(domains, 2):
        both = one.pinned & other.pinned
        if both:
            yield Answer(
                subject=f'{one.name} and {other.name}',
                actual=f'both pinned to {both}',
            )
    everywhere = unpinned_cpus(facts)
    for domain in domains:
        if domain.pinned:
            yield from _floaters(domain, domains, everywhere)


def _floaters(
    domain: RunningDomain,
    domains: Iterable[RunningDomain],
    everywhere: CPUSet,
) -> Iterator[Answer]:
    """Yield the unpinned guests that may run on a domain's pCPUs."""
    for other in domains:
        if other is domain or len(other.pins) >= other.vcpus:
            continue
        overlap = (other.cpus or everywhere) & domain.pinned
        if overlap:
            yield Answer(
                subject=f'{other.name} and {domain.name}',
                actual=f'the first floats over {overlap}, pinned by the '
                'second',
            )


@check(
    'RT-X04',
    'Emulator and I/O threads keep off real-time pCPUs',
    Severity.ERROR,
    reads=('/run/libvirt/qemu/*.xml',),
    expected='emulatorpin and iothreadpin outside the pCPUs of real-time '
    'vCPUs',
    why='Emulator and I/O threads are ordinary ones: behind a busy '
    'real-time vCPU they never run. The guest then hangs at the first '
    'device it waits for, often already at boot; libvirt accepts it.',
    source='libvirt: kbase/kvm-realtime; seapath/ansible#438',
    mend='virsh emulatorpin, virsh iothreadpin to housekeeping pCPUs; '
    'hw:emulator_threads_policy in flavors',
    safety=Safety.LIVE,
)
def service_threads(facts: HostFacts) -> Iterator[Answer]:
    """Compare with the real-time pCPUs of all domains."""
    domains = facts.libvirt.domains
    if isinstance(domains, Missing):
        yield from unreadable(domains)
        return
    mask = 0
    for domain in domains:
        mask |= domain.realtime.mask
    realtime = CPUSet.from_mask(mask)
    everywhere = unpinned_cpus(facts)
    for domain in domains:
        unpinned = domain.cpus or everywhere
        emulator = domain.emulator or unpinned
        if emulator & realtime:
            yield _stuck(domain, 'emulator threads', emulator, realtime)
        places = set(domain.iothread_pins.values())
        if len(domain.iothread_pins) < domain.iothreads:
            places.add(unpinned)
        for cpus in sorted(places, key=str):
            if cpus & realtime:
                yield _stuck(domain, 'I/O threads', cpus, realtime)


def _stuck(
    domain: RunningDomain, what: str, cpus: CPUSet, realtime: CPUSet
) -> Answer:
    alone = cpus <= realtime
    return Answer(
        subject=f'{domain.name}: {what}',
        actual=f'on {cpus & realtime}'
        + (', and nowhere else' if alone else ''),
        severity=None if alone else Severity.WARNING,
    )


CHECKS = CheckGroup((one_guest, service_threads))

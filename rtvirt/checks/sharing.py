# SPDX-License-Identifier: Apache-2.0
"""C: what real-time pCPUs share with others: cores and caches."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity
from rtvirt.model.host import HostCell


@check(
    'RT-C08',
    'Real-time cores run one thread',
    Severity.WARNING,
    reads=(
        '/sys/devices/system/cpu/smt/active',
        '/sys/devices/system/cpu/cpu*/topology/thread_siblings_list',
    ),
    expected='SMT off, or one sibling of each core idle',
    why='Two threads of a core share its execution units and its first two '
    'caches, so that each slows the other by an amount nobody bounds. '
    'libvirt calls SMT incompatible with real time; RHEL pins siblings '
    'deliberately, which is a decision and not a default.',
    source='libvirt: kbase/kvm-realtime; RHEL 10: configuring real-time '
    'virtualization; nova: admin/real-time',
    mend='boot with nosmt, or use hw:cpu_thread_policy=isolate in flavors',
    safety=Safety.REBOOT,
)
def one_thread(facts: HostFacts) -> Iterator[Answer]:
    """Look for cores with more than one thread for guests."""
    if isinstance(facts.topology, Missing):
        yield undecided(facts.topology)
        return
    yield from unreadable(facts.cpu.smt_active)
    wanted = realtime_cpus(facts)
    shared = [
        core & wanted
        for cell in facts.topology.cells
        for core in cell.siblings
        if len(core & wanted) > 1
    ]
    if shared:
        yield Answer(
            actual=f'{len(shared)} cores with more than one, as {shared[0]}'
        )


@check(
    'RT-X03',
    'Siblings have one owner',
    Severity.ERROR,
    reads=('/sys/devices/system/cpu/cpu*/topology/thread_siblings_list',),
    expected='no core split between real-time guests and the rest',
    why='A housekeeping thread on the sibling of a vCPU stops it for as '
    'long as it keeps the core busy, although no list of CPUs shows them '
    'together. The same holds for vCPUs of two guests.',
    source='kernel: Documentation/admin-guide/hw-vuln/core-scheduling.rst; '
    'cnf-features-deploy#1298',
    mend='give both siblings of a core to real-time guests, or neither',
    safety=Safety.REBOOT,
)
def sibling_owner(facts: HostFacts) -> Iterator[Answer]:
    """Look for cores that are split, then for cores with two guests."""
    if isinstance(facts.topology, Missing):
        yield undecided(facts.topology)
        return
    wanted = realtime_cpus(facts)
    cores = [core for cell in facts.topology.cells for core in cell.siblings]
    for core in cores:
        if core & wanted and core - wanted:
            yield Answer(
                subject=f'core {core}',
                actual=f'{core & wanted} for guests, {core - wanted} not',
            )
    if isinstance(facts.libvirt.domains, Missing):
        yield from unreadable(facts.libvirt.domains)
        return
    for core in cores:
        owners = [
            domain.name
            for domain in facts.libvirt.domains
            if domain.pinned & core
        ]
        realtime = any(
            domain.realtime & core for domain in facts.libvirt.domains
        )
        if realtime and len(owners) > 1:
            yield Answer(
                subject=f'core {core}',
                actual=f'pinned by {" and ".join(owners)}',
            )


@check(
    'RT-C09',
    'Few L3 caches are shared with housekeeping',
    Severity.WARNING,
    reads=('/sys/devices/system/cpu/cpu*/cache/index*/shared_cpu_list',),
    expected='at most one L3 cache of a node with pCPUs of both kinds',
    why='Where a node has several L3 caches, a vCPU need not share one with '
    'the host. Housekeeping pCPUs that are spread over the caches evict the '
    'lines of guests in each of them.',
    source='AMD: tuning guides for EPYC (L3 as NUMA); kubernetes KEP-4800',
    mend='choose the housekeeping pCPUs of a node inside one L3 cache',
    safety=Safety.REBOOT,
)
def shared_caches(facts: HostFacts) -> Iterator[Answer]:
    """Count the mixed caches of each node."""
    if isinstance(facts.topology, Missing):
        yield undecided(facts.topology)
        return
    wanted = realtime_cpus(facts)
    for cell in facts.topology.cells:
        mixed = _mixed_caches(cell, wanted)
        if len(mixed) > 1:
            yield Answer(
                subject=f'node {cell.id}',
                actual=f'{len(mixed)} caches: '
                + ' and '.join(str(cache) for cache in mixed[:3]),
            )


def _mixed_caches(cell: HostCell, wanted: CPUSet) -> list[CPUSet]:
    return [l3 for l3 in cell.l3 if l3 & wanted and l3 - wanted]


CHECKS = CheckGroup((one_thread, sibling_owner, shared_caches))

# SPDX-License-Identifier: Apache-2.0
"""H: nova-compute's configuration makes sense on this host."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-H05',
    'nova-compute is configured for dedicated pCPUs',
    Severity.WARNING,
    reads=('/etc/nova/nova.conf',),
    expected='cpu_dedicated_set, no vcpu_pin_set, pages reserved where '
    'there are any',
    why='Without cpu_dedicated_set nova offers no PCPU, and pinned and '
    'unpinned guests share all pCPUs. vcpu_pin_set is deprecated and '
    'refused beside the newer sets.',
    source='nova: admin/cpu-topologies, configuration/config '
    '(reserved_huge_pages)',
    mend='correct nova.conf and restart nova-compute',
    safety=Safety.DISRUPTIVE,
)
def configuration(facts: HostFacts) -> Iterator[Answer]:
    """Look at each option, where there is a nova."""
    nova = facts.nova
    yield from unreadable(
        nova.dedicated,
        nova.shared,
        nova.pin_set,
        nova.reserved_pages,
        nova.realtime_priority,
        nova.power_management,
    )
    if not nova.files:
        return
    where = nova.files[-1]
    if not isinstance(nova.pin_set, Missing):
        clash = not (
            isinstance(nova.dedicated, Missing)
            and isinstance(nova.shared, Missing)
        )
        yield Answer(
            subject=f'{where} [DEFAULT] vcpu_pin_set',
            actual=str(nova.pin_set)
            + (', beside the newer sets' if clash else ''),
            expected='not set',
            severity=Severity.ERROR if clash else None,
        )
    elif isinstance(nova.dedicated, Missing) and nova.dedicated.is_absent:
        yield Answer(
            subject=f'{where} [compute] cpu_dedicated_set',
            actual='not set',
            expected='the pCPUs for pinned guests',
        )
    yield from _priority(facts, where)
    yield from _reserved_pages(facts, where)


def _priority(facts: HostFacts, where: str) -> Iterator[Answer]:
    priority = facts.nova.realtime_priority
    if not isinstance(priority, Missing) and not 1 <= priority <= 99:
        yield Answer(
            subject=f'{where} [libvirt] realtime_scheduler_priority',
            actual=str(priority),
            expected='1 to 99',
            severity=Severity.ERROR,
        )


def _reserved_pages(facts: HostFacts, where: str) -> Iterator[Answer]:
    """Compare what is kept from guests with what there is."""
    if isinstance(facts.topology, Missing):
        yield undecided(facts.topology)
        return
    pools = {
        (cell.id, pool.size_kib): pool.total
        for cell in facts.topology.cells
        for pool in cell.pages
    }
    for entry in value_or(facts.nova.reserved_pages, ()):
        total = pools.get((entry.cell, entry.size_kib), 0)
        if entry.count > total:
            yield Answer(
                subject=f'{where} [DEFAULT] reserved_huge_pages',
                actual=f'{entry.count} of {entry.size_kib} KiB on node '
                f'{entry.cell}, which has {total}',
                expected='at most what the node has',
            )


CHECKS = CheckGroup((configuration,))

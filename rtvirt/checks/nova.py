# SPDX-License-Identifier: Apache-2.0
"""H: nova-compute's configuration makes sense on this host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import some
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity

RELEASES: Final = frozenset({32, 33, 34})
"""Releases of nova that rtvirt is tested with."""

_DRIVER: Final = 'rtvirt.RTLibvirtDriver'
_FILTERS: Final = frozenset({'NUMATopologyFilter', 'RTVirtFilter'})


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


@check(
    'RT-H06',
    'nova-compute loads rtvirt\'s driver',
    Severity.ERROR,
    reads=('/etc/nova/nova.conf',),
    expected='a nova that can import it',
    why='With a driver that it cannot import nova-compute does not start. '
    'With another one no extra spec rtvirt:* has an effect, and nobody '
    'proves what was started.',
    source='nova: nova.virt.driver.load_compute_driver',
    mend='install rtvirt into the environment of nova-compute, and set '
    '[DEFAULT] compute_driver = rtvirt.RTLibvirtDriver',
    safety=Safety.DISRUPTIVE,
)
def driver(facts: HostFacts) -> Iterator[Answer]:
    """Ask whether the driver that is configured can be loaded."""
    nova = facts.nova
    if not nova.files or isinstance(nova.driver, Missing):
        yield from unreadable(nova.driver)
        return
    where = f'{nova.files[-1]} [DEFAULT] compute_driver'
    if not nova.driver.startswith('rtvirt.'):
        yield Answer(
            subject=where,
            actual=nova.driver,
            expected=f'{_DRIVER}, if nova is to do what rtvirt plans',
            severity=Severity.INFO,
        )
    elif nova.driver != _DRIVER:
        yield Answer(subject=where, actual=nova.driver, expected=_DRIVER)
    elif not isinstance(nova.installed, Missing) and nova.installed.fault:
        yield Answer(
            subject=nova.installed.python, actual=nova.installed.fault
        )


@check(
    'RT-H07',
    'nova-scheduler looks at NUMA topologies',
    Severity.ERROR,
    reads=('/etc/nova/nova.conf',),
    expected='RTVirtFilter (or NUMATopologyFilter)',
    why='The filter is not among those that nova enables by default. Without '
    'it a guest is sent to hosts that have no room for it in one piece, and '
    'fails there, host by host.',
    source='nova: admin/scheduling (enabled_filters)',
    mend='add RTVirtFilter to [filter_scheduler] enabled_filters, and '
    'rtvirt.nova.filter.RTVirtFilter to available_filters, where '
    'nova-scheduler runs',
    safety=Safety.LIVE,
)
def filters(facts: HostFacts) -> Iterator[Answer]:
    """Look for a filter, where filters are named."""
    nova = facts.nova
    if isinstance(nova.filters, Missing):
        yield from unreadable(nova.filters)
    elif not _FILTERS.intersection(nova.filters):
        yield Answer(
            subject=f'{nova.files[-1]} [filter_scheduler] enabled_filters',
            actual=some(nova.filters),
        )


@check(
    'RT-H08',
    'nova and rtvirt are of versions that go together',
    Severity.WARNING,
    reads=('/etc/nova/nova.conf',),
    expected=f'nova {min(RELEASES)} to {max(RELEASES)}, and one version of '
    'rtvirt',
    why='rtvirt overrides methods of nova\'s libvirt driver that nova may '
    'change without notice, and is tested with these releases. Two versions '
    'of rtvirt on a host may plan and prove differently.',
    source='rtvirt: the tests in rtvirt/tests/services',
    mend='install a release of rtvirt that supports this nova, everywhere '
    'on the host',
    safety=Safety.DISRUPTIVE,
)
def versions(facts: HostFacts) -> Iterator[Answer]:
    """Compare the versions with those known, and with each other."""
    installed = facts.nova.installed
    if isinstance(installed, Missing):
        yield from unreadable(installed)
        return
    release = installed.version.partition('.')[0]
    if not release.isdecimal() or int(release) not in RELEASES:
        yield Answer(
            subject=installed.python, actual=f'nova {installed.version}'
        )
    own = value_or(facts.nova.rtvirt, '')
    if own and installed.rtvirt and own != installed.rtvirt:
        yield Answer(
            subject=installed.python,
            actual=f'rtvirt {installed.rtvirt}',
            expected=f'{own}, which runs this check',
        )


CHECKS = CheckGroup((configuration, driver, filters, versions))

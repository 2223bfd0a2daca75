# SPDX-License-Identifier: Apache-2.0
"""F: huge pages."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity

_GIB_KIB = 1048576


@check(
    'RT-F01',
    'Nodes with real-time pCPUs have huge pages',
    Severity.ERROR,
    reads=('/sys/devices/system/node/node*/hugepages',),
    expected='huge pages on each node with pCPUs for guests',
    why='A guest on ordinary pages suffers misses of both page tables and '
    'the host\'s own use of memory. Pages of another node do not help: the '
    'guest\'s memory is bound to its own.',
    source='kernel: Documentation/admin-guide/mm/hugetlbpage.rst; nova: '
    'admin/huge-pages; kubevirt#6981',
    mend='boot with hugepagesz=1G hugepages=N, which spreads them evenly '
    'over nodes, or hugepages=NODE:N,NODE:N',
    safety=Safety.REBOOT,
)
def reserved(facts: HostFacts) -> Iterator[Answer]:
    """Look for nodes that have guests' pCPUs and no huge page."""
    if isinstance(facts.topology, Missing):
        yield undecided(facts.topology)
        return
    wanted = realtime_cpus(facts)
    for cell in facts.topology.cells:
        # The smallest pool is that of ordinary pages.
        huge = sum(pool.total for pool in cell.pages[1:])
        if cell.cpus & wanted and not huge:
            yield Answer(subject=f'node {cell.id}', actual='no huge page')


@check(
    'RT-F02',
    'The huge pages asked for at boot are there',
    Severity.ERROR,
    reads=('/proc/cmdline', '/sys/kernel/mm/hugepages', '/proc/cpuinfo'),
    expected='as many as hugepages= says, of a size the processor has',
    why='The kernel takes what it can get of the pages it is asked for, and '
    'only its log tells that there were fewer. Pages of 1 GiB need the '
    'processor\'s pdpe1gb and can hardly be had once memory is fragmented.',
    source='kernel: Documentation/admin-guide/mm/hugetlbpage.rst',
    mend='free memory, or ask for fewer pages, and reboot',
    safety=Safety.REBOOT,
)
def as_booted(facts: HostFacts) -> Iterator[Answer]:
    """Compare the pools with what was asked for."""
    cmdline, pools = facts.kernel.cmdline, facts.memory.pages
    if isinstance(cmdline, Missing) or isinstance(pools, Missing):
        yield from unreadable(cmdline, pools)
        return
    asked = boot_pages(facts)
    has_1g = facts.cpu.has_flag('pdpe1gb')
    if asked.get(_GIB_KIB) and facts.cpu.is_x86 and has_1g is False:
        yield Answer(
            subject='/proc/cpuinfo',
            actual='no pdpe1gb',
            expected='pdpe1gb for pages of 1 GiB',
        )
    there = {pool.size_kib: pool.total for pool in pools}
    for size_kib, count in asked.items():
        if there.get(size_kib, 0) < count:
            yield Answer(
                subject=f'hugepages-{size_kib}kB',
                actual=f'{there.get(size_kib, 0)} pages',
                expected=f'{count}, as booted with',
            )


_UNIT_KIB = {'K': 1, 'M': 1024, 'G': _GIB_KIB}


def boot_pages(facts: HostFacts) -> dict[int, int]:
    """Return pages by size in KiB that the command line asks for.

    ``hugepages=`` counts pages of the ``hugepagesz=`` before it, else of
    the default size; ``0:4,1:2`` counts by node.
    """
    cmdline = facts.kernel.cmdline
    if isinstance(cmdline, Missing):
        return {}
    default = _size_kib(cmdline.value('default_hugepagesz') or '2M')
    size = default
    found: dict[int, int] = {}
    for name, value in cmdline.parameters():
        if name == 'hugepagesz':
            size = _size_kib(value)
        elif name == 'hugepages' and size:
            found[size] = _count(value)
    return found


def _size_kib(text: str) -> int:
    number, unit = text[:-1], text[-1:].upper()
    if unit not in _UNIT_KIB or not number.isdecimal() or len(number) > 9:
        return 0
    return int(number) * _UNIT_KIB[unit]


def _count(text: str) -> int:
    counts = [item.rpartition(':')[2] for item in text.split(',')]
    return sum(int(c) for c in counts if c.isdecimal() and len(c) < 10)


@check(
    'RT-F06',
    'Huge pages of each size can be mapped',
    Severity.FATAL,
    reads=('/proc/mounts', '/etc/libvirt/qemu.conf'),
    expected='a hugetlbfs mount for each size in use',
    why='libvirt backs a guest by files of a hugetlbfs mount of the page '
    'size, and finds the mounts when its daemon starts. Without one the '
    'guest fails to start: "Unable to find any usable hugetlbfs mount".',
    source='libvirt: qemu.conf (hugetlbfs_mount); kernel: hugetlbpage.rst',
    mend='mount -t hugetlbfs -o pagesize=1G hugetlbfs /dev/hugepages1G, '
    'best as a systemd mount unit, and restart the daemon',
    safety=Safety.LIVE,
)
def mounts(facts: HostFacts) -> Iterator[Answer]:
    """Compare the sizes in use with those mounted."""
    configured = facts.libvirt.hugetlbfs_mount
    yield from unreadable(configured)
    if not isinstance(configured, Missing) and not any(configured):
        yield Answer(
            subject='/etc/libvirt/qemu.conf',
            actual='hugetlbfs_mount is empty: huge pages are off',
            mend='take hugetlbfs_mount out of /etc/libvirt/qemu.conf and '
            'restart the daemon',
        )
    found, pools = facts.memory.mounts, facts.memory.pages
    if isinstance(found, Missing) or isinstance(pools, Missing):
        yield from unreadable(found, pools)
        return
    mounted = {mount.size_kib for mount in found}
    for pool in pools:
        if pool.total and pool.size_kib not in mounted:
            yield Answer(actual=f'no mount for pages of {pool.size_kib} KiB')


@check(
    'RT-F07',
    'Huge pages are not overcommitted',
    Severity.WARNING,
    reads=('/sys/kernel/mm/hugepages/hugepages-*/nr_overcommit_hugepages',),
    expected='0',
    why='With overcommit the kernel makes surplus pages when a guest asks '
    'for them, from memory that may be fragmented by then. A shortage then '
    'shows when a guest starts, and not when it is planned.',
    source='kernel: Documentation/admin-guide/mm/hugetlbpage.rst; '
    'kubevirt#14854',
    mend='sysctl vm.nr_overcommit_hugepages=0',
    safety=Safety.LIVE,
)
def overcommit(facts: HostFacts) -> Iterator[Answer]:
    """Look at each size."""
    pools = facts.memory.pages
    yield from unreadable(pools)
    for pool in value_or(pools, ()):
        if pool.overcommit or pool.surplus:
            yield Answer(
                subject=f'hugepages-{pool.size_kib}kB',
                actual=f'{pool.overcommit} allowed, {pool.surplus} in use',
            )


CHECKS = CheckGroup((reserved, as_booted, mounts, overcommit))

# SPDX-License-Identifier: Apache-2.0
"""N: the host has what one guest needs, and has it free.

Whether a guest fits is the fit's to say. Here its reasons become findings,
so that they stand beside what else is wrong with the host.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import undecided
from rtvirt.exception import ConfigError
from rtvirt.exception import FitError
from rtvirt.fitting.engine import fit
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity
from rtvirt.model.host import HostTopology
from rtvirt.model.partition import partition
from rtvirt.model.reason import ReasonCode

_PAGES: Final = frozenset(
    {ReasonCode.PAGES, ReasonCode.PAGE_SIZE, ReasonCode.MEMORY}
)
_RESCTRL: Final = frozenset({ReasonCode.CACHE, ReasonCode.MEMORY_BANDWIDTH})
_CPUS: Final = frozenset(ReasonCode) - _PAGES - _RESCTRL


def available(facts: HostFacts) -> HostTopology | Missing:
    """Return the host with its pCPUs and pages dealt out as configured.

    :raises ConfigError: if a set names pCPUs that are not online.
    """
    if isinstance(facts.topology, Missing):
        return facts.topology
    if isinstance(facts.libvirt.held, Missing):
        return facts.libvirt.held
    dedicated = realtime_cpus(facts)
    cpus = CPUSet(cpu for cell in facts.topology.cells for cpu in cell.cpus)
    shared = value_or(facts.nova.shared, cpus - dedicated) - dedicated
    return partition(
        facts.topology,
        dedicated=dedicated or None,
        shared=shared or None,
        pinned=facts.libvirt.held & dedicated,
        reserved=value_or(facts.nova.reserved_pages, ()),
    )


def _answers(
    facts: HostFacts, codes: frozenset[ReasonCode]
) -> Iterator[Answer]:
    """Yield the reasons with these codes for which the guest fits not."""
    guest = facts.intent.guest
    if guest is None:
        return
    try:
        host = available(facts)
        if isinstance(host, Missing):
            yield undecided(host)
        else:
            fit(guest, host)
    except ConfigError as error:
        if ReasonCode.DEDICATED_CPUS in codes:
            yield Answer(subject=guest.name, actual=str(error))
    except FitError as error:
        for reason in error.reasons:
            if reason.code in codes:
                yield Answer(
                    subject=guest.name
                    if reason.host_cell is None
                    else f'{guest.name} on node {reason.host_cell}',
                    actual=str(reason),
                )


@check(
    'RT-N01',
    'There are pCPUs for the guest',
    Severity.FATAL,
    reads=('/sys/devices/system/cpu', '/run/libvirt/qemu/*.xml'),
    expected='free dedicated pCPUs as the flavor asks for them',
    why='Each dedicated vCPU takes a pCPU of one node, by the thread and '
    'cache policies of the flavor, and the emulator threads need one where '
    'no real-time vCPU runs. Pinned guests that run hold theirs.',
    source='rtvirt explain (the same reasons, and what would help)',
    mend='rtvirt explain --flavor F names the smallest change that fits',
    safety=Safety.LIVE,
)
def cpus(facts: HostFacts) -> Iterator[Answer]:
    """Fit the guest."""
    yield from _answers(facts, _CPUS)


@check(
    'RT-N02',
    'There is memory for the guest',
    Severity.FATAL,
    reads=('/sys/devices/system/node/node*/hugepages',),
    expected='free pages of the size the flavor asks for on the node of '
    'each guest cell',
    why='Pages count by node: the guest fails to start when its node has '
    'too few, however many another one has free. The memory of a real-time '
    'guest is locked, so that neither swap nor overcommitment stands in '
    'for it.',
    source='nova: admin/huge-pages; kubevirt#6981',
    mend='reserve more: boot with hugepages=NODE:N, or write '
    'nr_hugepages of the node while memory is not yet fragmented',
    safety=Safety.REBOOT,
)
def pages(facts: HostFacts) -> Iterator[Answer]:
    """Fit the guest."""
    yield from _answers(facts, _PAGES)


@check(
    'RT-F08',
    'resctrl can give the guest its share of cache and bandwidth',
    Severity.FATAL,
    reads=('/sys/fs/resctrl/info', '/proc/mounts'),
    expected='resctrl mounted, with free cache of the size asked for',
    why='libvirt allocates cache and memory bandwidth through the resctrl '
    'file system and refuses cachetune where it is not mounted. The '
    'processor has to support it, and each guest takes one of few groups.',
    source='kernel: Documentation/filesystems/resctrl.rst; libvirt: '
    'formatdomain (cachetune)',
    mend='mount -t resctrl resctrl /sys/fs/resctrl and restart the daemon; '
    'or a flavor without rtvirt:cache_mib and rtvirt:memory_bandwidth',
    safety=Safety.LIVE,
)
def allocation(facts: HostFacts) -> Iterator[Answer]:
    """Fit the guest."""
    yield from _answers(facts, _RESCTRL)


CHECKS = CheckGroup((cpus, pages, allocation))

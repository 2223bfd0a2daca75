# SPDX-License-Identifier: Apache-2.0
"""Plans read back from documents: the way of the configurators, backwards."""

from __future__ import annotations

from typing import Final

from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.plan import Plan
from rtvirt.model.plan import PlannedCell

_ORDINARY_KIB: Final = 4
_NOWHERE: Final = CPUSet()
_ANEW: Final = 'apply the plan again: rtvirt domain xml --base FILE ...'


def planned(guest: GuestRequirement, domain: Domain) -> Plan:
    """Return the plan that a document carries out for a guest.

    For documents of others who placed the guest already, as nova does: pins,
    host cells, pages and the place of the emulator threads are the
    document's. What it takes of caches and bandwidth is not read.

    :raises DomainXMLError: if the document does not place the guest.
    :raises ModelError: if it places it against what the guest asks for.
    """
    emulator = domain.cputune.emulatorpin or _NOWHERE
    # Where the emulator threads float, the I/O threads float with them.
    count = guest.iothreads if emulator else 0
    return Plan(
        guest=guest,
        cells=tuple(
            [_planned_cell(guest, cell, domain) for cell in guest.cells]
        ),
        floating=_NOWHERE if guest.cells else _floating(domain),
        emulator=emulator,
        iothreads=dict.fromkeys(range(1, count + 1), emulator),
    )


def document_priorities(domain: Domain) -> FrozenDict[int, int]:
    """Return the priority of each vCPU that a document puts under one."""
    return FrozenDict(
        {
            vcpu: sched.priority
            for sched in domain.cputune.vcpuscheds
            if sched.priority
            for vcpu in sched.cpus
        }
    )


def _floating(domain: Domain) -> CPUSet:
    return (domain.vcpu and domain.vcpu.cpuset) or _NOWHERE


def _planned_cell(
    guest: GuestRequirement, cell: GuestCell, domain: Domain
) -> PlannedCell:
    tune = domain.cputune
    pins = {}
    for vcpu in cell.vcpus:
        if vcpu not in tune.vcpupins:
            raise DomainXMLError(
                f'the document does not pin vCPU {vcpu}', hint=_ANEW
            )
        pins[vcpu] = tune.vcpupins[vcpu]
    emulator = _NOWHERE
    if guest.emulator_policy is EmulatorPolicy.ISOLATE and cell.id == 0:
        emulator = tune.emulatorpin or _NOWHERE
    return PlannedCell(
        guest_cell=cell.id,
        host_cell=_host_cell(cell.id, domain),
        pins=pins,
        emulator=emulator,
        page_size_kib=_page_size_kib(cell.id, domain),
        memory_mib=cell.memory_mib,
    )


def _host_cell(cell: int, domain: Domain) -> int:
    """Return the one node that a guest cell's memory is bound to."""
    rule = domain.numatune.memnodes.get(cell)
    nodes = (rule and rule.nodeset) or _NOWHERE
    if len(nodes) != 1:
        raise DomainXMLError(
            f'the document binds guest cell {cell} to '
            f'{f"nodes {nodes}" if nodes else "no node"}: expected one',
            hint=_ANEW,
        )
    return min(nodes)


def _page_size_kib(cell: int, domain: Domain) -> int:
    for page in domain.memory_backing.hugepages or ():
        if page.nodeset is None or cell in page.nodeset:
            return page.size_kib
    return _ORDINARY_KIB

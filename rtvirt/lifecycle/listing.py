# SPDX-License-Identifier: Apache-2.0
"""The domains of a libvirt, and one of them from all sides."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from rtvirt.exception import DomainXMLError
from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.connection import translated
from rtvirt.host.holding import held_by
from rtvirt.host.running import RunningDomain
from rtvirt.host.running import read_running
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.lifecycle.handle import find
from rtvirt.lifecycle.handle import read_document
from rtvirt.lifecycle.handle import read_state
from rtvirt.lint_rules.view import realtime_vcpus
from rtvirt.lint_rules.view import vcpu_count
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.model.plan import Plan

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDomain:
    """A domain that libvirt knows, whoever made it.

    :ivar state: ``running``, ``paused``, ``shut off``, ...
    :ivar is_persistent: whether libvirt keeps it when it has ended.
    :ivar is_planned: whether it has a plan.
    :ivar realtime: its real-time vCPUs.
    :ivar cpus: the pCPUs that it has for itself, running or not.
    """

    name: str
    uuid: str
    state: str
    is_persistent: bool
    is_planned: bool
    vcpus: int
    realtime: CPUSet
    cpus: CPUSet
    memory_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDomain:
    """A domain: what it was planned on, what libvirt has, and what runs.

    :ivar domain: its document: of a running one, as it runs.
    :ivar plan: None where it has none.
    :ivar running: None where it does not run, or runs elsewhere.
    """

    listed: ListedDomain
    domain: Domain
    plan: Plan | None
    running: RunningDomain | None


def list_domains(uri: str) -> tuple[ListedDomain, ...]:
    """Return the domains behind a URI, by name, running or not.

    :raises HostError: if libvirt does not answer.
    """
    with connect(uri) as connection:
        with translated('cannot list the domains'):
            handles = connection.listAllDomains()
        cells = _read_cells(connection)
        listed = []
        for handle in handles:
            try:
                listed.append(_list(handle, read_document(handle), cells))
            except HostError as error:
                # It has ended since, or it would not be listed for nothing.
                LOG.info('%s; it is left out', error)
    return tuple(sorted(listed, key=lambda one: one.name))


def show_domain(uri: str, name: str) -> ShownDomain:
    """Return a domain from all sides.

    :raises HostError: if there is no such domain.
    """
    with connect(uri) as connection:
        handle = find(connection, name)
        domain = read_document(handle)
        listed = _list(handle, domain, _read_cells(connection))
        with translated(f'cannot read domain {name!r:.80}'):
            is_active = handle.isActive()
    running = None
    if is_active:
        try:
            (running,) = read_running(uri, [name])
        except HostError as error:
            LOG.warning('%s', error)
    return ShownDomain(
        listed=listed, domain=domain, plan=_plan_of(domain), running=running
    )


def _read_cells(connection: Any) -> list[CPUSet]:
    with translated('cannot read the host'):
        capabilities = connection.getCapabilities()
    host = HostTopology.from_capabilities(capabilities)
    return [cell.cpus for cell in host.cells]


def _list(handle: Any, domain: Domain, cells: list[CPUSet]) -> ListedDomain:
    with translated(f'cannot read domain {domain.name!r:.80}'):
        is_persistent = bool(handle.isPersistent())
    return ListedDomain(
        name=domain.name,
        uuid=domain.uuid or '',
        state=read_state(handle),
        is_persistent=is_persistent,
        is_planned=domain.plan is not None,
        vcpus=vcpu_count(domain),
        realtime=CPUSet(realtime_vcpus(domain)),
        cpus=held_by(domain, cells),
        memory_mib=(domain.memory_kib or 0) >> 10,
    )


def _plan_of(domain: Domain) -> Plan | None:
    try:
        return plan_of(domain)
    except DomainXMLError as error:
        LOG.warning('%s', error)
        return None

# SPDX-License-Identifier: Apache-2.0
"""Running domains: what libvirt says of them beside what the kernel does."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rtvirt.exception import DomainXMLError
from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.connection import translated
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.qemu import Guest
from rtvirt.host.qemu import find_guests
from rtvirt.host.qemu import observe
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.model.observed import ObservedDomain

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDomain:
    """A running domain, seen from both sides.

    :ivar domain: its document as libvirt has it now.
    :ivar observed: its process as the kernel has it.
    """

    domain: Domain
    observed: ObservedDomain


def read_running(
    uri: str, names: Iterable[str] | None = None
) -> tuple[RunningDomain, ...]:
    """Read running domains of this machine.

    :param names: None means all that run; one that ends meanwhile is then
        left out.
    :raises HostError: if libvirt does not answer, a domain that is named
        is not there or does not run, or its process is on another machine.
    """
    with connect(uri) as connection:
        if names is None:
            documents = _read_all(connection)
        else:
            # dict: who names one twice means it once.
            documents = [
                _read_one(connection, n) for n in dict.fromkeys(names)
            ]
    tree = DirectoryTree()
    guests = find_guests(tree)
    found = []
    for domain in documents:
        guest = _process_of(domain, guests, uri)
        try:
            observed = observe(tree, guest)
        except HostError as error:
            if names is not None:
                raise
            LOG.info('%s; it is left out', error)
        else:
            found.append(RunningDomain(domain=domain, observed=observed))
    return tuple(found)


def _read_all(connection: Any) -> list[Domain]:
    """Return the documents of all domains that run, by name."""
    with translated('cannot list the domains'):
        domains = [d for d in connection.listAllDomains() if d.isActive()]
    documents = []
    for domain in domains:
        try:
            documents.append(_parse(domain))
        except HostError as error:
            # It has ended since, or it would be listed for nothing.
            LOG.info('%s; it is left out', error)
    return sorted(documents, key=lambda document: document.name)


def _read_one(connection: Any, name: str) -> Domain:
    with translated(f'cannot read domain {name!r:.80}'):
        domain = connection.lookupByName(name)
        is_active = domain.isActive()
    if not is_active:
        raise HostError(
            f'domain {name!r:.80} does not run: there is nothing to verify',
            hint=f'start it: virsh start {name}',
        )
    return _parse(domain)


def _parse(domain: Any) -> Domain:
    with translated(f'cannot read domain {domain.name()!r:.80}'):
        text = domain.XMLDesc()
    try:
        return parse_domain(text)
    except DomainXMLError as error:
        raise HostError(
            f'domain {domain.name()!r:.80}: {error}', hint=error.hint
        ) from error


def _process_of(domain: Domain, guests: Any, uri: str) -> Guest:
    guest: Guest | None = guests.get(domain.uuid)
    if guest is None:
        raise HostError(
            f'domain {domain.name!r:.80} runs, but none of the processes '
            'here is its',
            hint=f'run this on the machine behind {uri}, outside of '
            'containers',
        )
    return guest

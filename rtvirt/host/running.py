# SPDX-License-Identifier: Apache-2.0
"""Running domains: what libvirt says of them beside what the kernel does."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Final

from rtvirt.exception import DomainXMLError
from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.connection import translated
from rtvirt.host.cpuset import Cpusets
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.facts.task import read_tasks
from rtvirt.host.identity import Key
from rtvirt.host.identity import ask_qemu
from rtvirt.host.identity import read_noted
from rtvirt.host.live import STARTING
from rtvirt.host.qemu import Guest
from rtvirt.host.qemu import Identity
from rtvirt.host.qemu import find_guests
from rtvirt.host.qemu import observe
from rtvirt.host.resctrl_group import read_resctrl
from rtvirt.host.stranger import Neighbours
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.lint_rules.view import dedicated_cpus
from rtvirt.lint_rules.view import realtime_cpus
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import Stranger
from rtvirt.model.observed import ThreadSource

LOG = logging.getLogger(__name__)

_XML_INACTIVE: Final = 2
"""``VIR_DOMAIN_XML_INACTIVE``: the document of the next start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDomain:
    """A running domain, seen from both sides.

    :ivar domain: its document as libvirt has it now.
    :ivar observed: its process as the kernel has it.
    """

    domain: Domain
    observed: ObservedDomain


def read_running(
    uri: str,
    names: Iterable[str] | None = None,
    *,
    wanted: Callable[[Domain], bool] | None = None,
    ask: bool = False,
) -> tuple[RunningDomain, ...]:
    """Read running domains of this machine.

    :param names: None means all that run; one that starts or ends meanwhile
        is then left out.
    :param wanted: whether a domain is to be read, by its document.
    :param ask: ask QEMU itself which thread runs which vCPU
        (:mod:`rtvirt.host.identity`): libvirt marks such domains as tainted.
        Else libvirt's own notes tell, or the names of the threads.
    :raises HostError: if libvirt does not answer, a domain that is named
        is not there or does not run, or its process is on another machine.
    """
    with connect(uri, read_only=not ask) as connection:
        if names is None:
            told = _read_all(connection, ask=ask)
        else:
            # dict: who names one twice means it once.
            told = [
                _read_one(connection, name, ask=ask)
                for name in dict.fromkeys(names)
            ]
        host = _Host(uri, connection)
        found = []
        for one in told:
            if wanted is not None and not wanted(one.domain):
                continue
            try:
                observed = host.observe(one)
            except HostError as error:
                if names is not None or _still_runs(one):
                    raise
                LOG.info('%s; it is left out', error)
            else:
                found.append(
                    RunningDomain(domain=one.domain, observed=observed)
                )
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What libvirt says of a running domain.

    :ivar handle: libvirt's own object.
    :ivar asked: the threads that its QEMU named, None where it was not
        asked.
    """

    handle: Any
    domain: Domain
    persistent: str | Missing
    asked: Mapping[int, Key] | None


class _Host:
    """This machine, as far as it is the same for all domains."""

    def __init__(self, uri: str, connection: Any) -> None:
        self._uri = uri
        self._connection = connection
        self._tree = DirectoryTree()
        self._guests = find_guests(self._tree)
        self._neighbours = Neighbours(
            read_tasks(self._tree), self._guests.values()
        )
        self._is_settled = False
        self._cpusets = Cpusets(self._tree)
        self._resctrl = read_resctrl(self._tree)

    def _process_of(self, domain: Domain) -> Guest:
        guest = self._guests.get(domain.uuid or '')
        if guest is None:
            raise HostError(
                f'domain {domain.name!r:.80} runs, but none of the processes '
                'here is its',
                hint=f'run this on the machine behind {self._uri}, outside '
                'of containers',
            )
        return guest

    def observe(self, told: _Told) -> ObservedDomain:
        """Read a domain's threads and memory, and who is beside them."""
        guest = self._process_of(told.domain)
        observed = observe(
            self._tree,
            guest,
            identity=self._identify(told, guest),
            cpusets=self._cpusets,
            resctrl=self._resctrl,
        )
        domain = told.domain
        cpus = dedicated_cpus(domain) | realtime_cpus(domain)
        return dataclasses.replace(
            observed,
            strangers=self._find_strangers(guest, cpus),
            persistent=told.persistent,
        )

    def _find_strangers(
        self, guest: Guest, cpus: CPUSet
    ) -> tuple[Stranger, ...] | Missing:
        found = self._neighbours.find_strangers(guest, cpus)
        if self._is_settled or isinstance(found, Missing):
            return found
        if any(stranger.guest for stranger in found):
            self._settle()
            found = self._neighbours.find_strangers(guest, cpus)
        return found

    def _settle(self) -> None:
        """Read the neighbours again, without those that are starting.

        QEMU begins with the affinity of its node, and libvirt pins its
        threads some time later. Who had begun at the first reading, and was
        not starting after it, is pinned by now.
        """
        with translated('cannot list the domains'):
            starting = {
                domain.UUIDString()
                for domain in self._connection.listAllDomains()
                if _is_starting(domain)
            }
        settled = self._guests.keys() - starting
        self._neighbours = Neighbours(
            read_tasks(self._tree),
            find_guests(self._tree).values(),
            settled=settled,
        )
        self._is_settled = True

    def _identify(self, told: _Told, guest: Guest) -> Identity:
        if told.asked is not None:
            return Identity(source=ThreadSource.QMP, known=told.asked)
        noted = read_noted(self._tree, guest.pid, told.domain.name)
        if noted is None:
            return Identity()
        return Identity(source=ThreadSource.LIBVIRT, known=noted)


def _read_all(connection: Any, *, ask: bool) -> list[_Told]:
    """Return what libvirt says of all domains that run, by name."""
    with translated('cannot list the domains'):
        domains = [
            domain
            for domain in connection.listAllDomains()
            if domain.isActive() and not _is_starting(domain)
        ]
    told = []
    for domain in domains:
        try:
            told.append(_read(domain, ask=ask))
        except HostError as error:
            # It has ended since, or it would be listed for nothing.
            LOG.info('%s; it is left out', error)
    return sorted(told, key=lambda one: one.domain.name)


def _is_starting(domain: Any) -> bool:
    """Whether libvirt has not pinned all of its threads yet."""
    return tuple(domain.state()) == STARTING


def _still_runs(told: _Told) -> bool:
    with translated(f'cannot read domain {told.domain.name!r:.80}'):
        is_active: int = told.handle.isActive()
    return bool(is_active)


def _read_one(connection: Any, name: str, *, ask: bool) -> _Told:
    with translated(f'cannot read domain {name!r:.80}'):
        domain = connection.lookupByName(name)
        is_active = domain.isActive()
    if not is_active:
        raise HostError(
            f'domain {name!r:.80} does not run: there is nothing to verify',
            hint=f'start it: virsh start {name}',
        )
    return _read(domain, ask=ask)


def _read(domain: Any, *, ask: bool) -> _Told:
    with translated(f'cannot read domain {domain.name()!r:.80}'):
        text = domain.XMLDesc()
        persistent = (
            domain.XMLDesc(_XML_INACTIVE)
            if domain.isPersistent()
            else absent('the persistent document')
        )
    try:
        parsed = parse_domain(text)
    except DomainXMLError as error:
        raise HostError(
            f'domain {domain.name()!r:.80}: {error}', hint=error.hint
        ) from error
    return _Told(
        handle=domain,
        domain=parsed,
        persistent=persistent,
        asked=ask_qemu(domain) if ask else None,
    )

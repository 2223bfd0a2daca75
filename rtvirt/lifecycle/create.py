# SPDX-License-Identifier: Apache-2.0
"""Create a domain: plan, define, start and prove."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rtvirt.conf.settings import Settings
from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.connection import load_libvirt
from rtvirt.host.connection import translated
from rtvirt.host.source import LOCAL_URI
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.lifecycle.handle import exists
from rtvirt.lifecycle.lock import host_lock
from rtvirt.lifecycle.place import place
from rtvirt.lifecycle.prove import StartedDomain
from rtvirt.lifecycle.prove import prove
from rtvirt.lifecycle.prove import start_paused
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.plan import Plan

Render = Callable[[Plan], str]
"""Makes the domain XML of a plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinedDomain:
    """A domain that libvirt keeps, and that holds what it was planned on."""

    name: str
    uuid: str
    plan: Plan


def create_domain(
    guest: GuestRequirement,
    render: Render,
    *,
    settings: Settings = Settings(),
    pinned: CPUSet = CPUSet(),
    paused: bool = False,
    transient: bool = False,
    keep_going: bool = False,
) -> StartedDomain:
    """Place a guest on a host, start it there and prove that it runs so.

    To look what is free, to choose and to define is one step for all who
    create domains on the host: see :func:`define_domain`. If the domain
    cannot be started, it is removed again.

    :param render: makes the domain XML of the plan, as in
        ``lambda plan: domain_xml(plan, name='plc-1')``.
    :param settings: the host (``connection_uri``), how it is dealt out, and
        the lock; :func:`~rtvirt.conf.settings.read_settings` reads them.
    :param pinned: dedicated pCPUs that are taken, beside what libvirt says.
    :param paused: leave its vCPUs standing still.
    :param transient: keep nothing of it after its end.
    :param keep_going: let it run even if it is not as planned.
    :raises FitError: if it does not fit; its hint names who holds what.
    :raises HostError: if libvirt, the host or the lock do not do as they
        should.
    """
    uri = settings.connection_uri or LOCAL_URI
    with connect(uri, read_only=False) as connection:
        if transient:
            handle = _start_transient(
                connection, guest, render, settings, pinned
            )
        else:
            handle, _ = _define(connection, guest, render, settings, pinned)
            try:
                start_paused(handle)
            except HostError:
                with contextlib.suppress(HostError), translated('undefine'):
                    handle.undefine()
                raise
        return prove(handle, uri, paused=paused, keep_going=keep_going)


def define_domain(
    guest: GuestRequirement,
    render: Render,
    *,
    settings: Settings = Settings(),
    pinned: CPUSet = CPUSet(),
) -> DefinedDomain:
    """Place a guest on a host and define it there, without a start.

    It holds its pCPUs and pages from now on. The arguments and errors are
    those of :func:`create_domain`.
    """
    uri = settings.connection_uri or LOCAL_URI
    with connect(uri, read_only=False) as connection:
        handle, plan = _define(connection, guest, render, settings, pinned)
        with translated('cannot read the new domain'):
            return DefinedDomain(
                name=handle.name(), uuid=handle.UUIDString(), plan=plan
            )


def _define(
    connection: Any,
    guest: GuestRequirement,
    render: Render,
    settings: Settings,
    pinned: CPUSet,
) -> tuple[Any, Plan]:
    libvirt = load_libvirt()
    with locked(connection, settings):
        plan, xml, name = _plan(connection, guest, render, settings, pinned)
        with translated(f'cannot define domain {name!r:.80}'):
            flags = libvirt.VIR_DOMAIN_DEFINE_VALIDATE
            return connection.defineXMLFlags(xml, flags), plan


def _start_transient(
    connection: Any,
    guest: GuestRequirement,
    render: Render,
    settings: Settings,
    pinned: CPUSet,
) -> Any:
    """Start a domain that libvirt does not keep.

    It holds nothing before it starts: the lock is held until it has.
    """
    libvirt = load_libvirt()
    with locked(connection, settings):
        _, xml, name = _plan(connection, guest, render, settings, pinned)
        with translated(f'cannot start domain {name!r:.80}'):
            return connection.createXML(
                xml,
                libvirt.VIR_DOMAIN_START_PAUSED
                | libvirt.VIR_DOMAIN_START_VALIDATE,
            )


def _plan(
    connection: Any,
    guest: GuestRequirement,
    render: Render,
    settings: Settings,
    pinned: CPUSet,
) -> tuple[Plan, str, str]:
    """Return the plan, the document and the name of a new domain."""
    plan = place(connection, guest, settings, pinned=pinned)
    xml = render(plan)
    name = parse_domain(xml).name
    if exists(connection, name):
        raise HostError(
            f'there is a domain {name!r:.80} already',
            hint=f'choose another name, start it (rtvirt domain start {name}) '
            f'or remove it (rtvirt domain destroy --undefine {name})',
        )
    return plan, xml, name


def locked(
    connection: Any, settings: Settings
) -> contextlib.AbstractContextManager[None]:
    """Keep others from planning for the host behind a connection.

    :raises HostError: if the lock cannot be had.
    """
    with translated('cannot read the host'):
        name = connection.getHostname()
    return host_lock(name, settings.lock_path, settings.lock_timeout)

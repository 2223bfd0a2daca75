# SPDX-License-Identifier: Apache-2.0
"""Start a domain that is defined, where it was planned or where it fits."""

from __future__ import annotations

import logging
from typing import Any

from rtvirt.conf.settings import Settings
from rtvirt.domain import apply_plan
from rtvirt.exception import FitError
from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.connection import load_libvirt
from rtvirt.host.connection import translated
from rtvirt.host.live import survey
from rtvirt.host.source import LOCAL_URI
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.lifecycle.create import locked
from rtvirt.lifecycle.handle import find
from rtvirt.lifecycle.handle import read_document
from rtvirt.lifecycle.place import dealt
from rtvirt.lifecycle.place import place
from rtvirt.lifecycle.prove import StartedDomain
from rtvirt.lifecycle.prove import prove
from rtvirt.lifecycle.prove import start_paused
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.plan import Plan

LOG = logging.getLogger(__name__)


def start_domain(
    name: str,
    *,
    settings: Settings = Settings(),
    pinned: CPUSet = CPUSet(),
    paused: bool = False,
    keep_going: bool = False,
) -> StartedDomain:
    """Start a domain that is defined and prove that it runs as planned.

    If what its plan holds has been taken since, it is planned anew and
    defined so first. One that rtvirt did not make is started as it is.

    :param settings: see :func:`~rtvirt.lifecycle.create.create_domain`, as
        for the other arguments.
    :raises FitError: if it does not fit any more.
    :raises HostError: if there is no such domain, it runs already, or
        cannot be started.
    """
    uri = settings.connection_uri or LOCAL_URI
    with connect(uri, read_only=False) as connection:
        handle = find(connection, name)
        with translated(f'cannot read domain {name!r:.80}'):
            is_active = handle.isActive()
        if is_active:
            raise HostError(
                f'domain {name!r:.80} runs already',
                hint=f'see whether as planned: rtvirt domain verify {name}',
            )
        with locked(connection, settings):
            _plan_again(connection, handle, settings, pinned)
        start_paused(handle)
        return prove(handle, uri, paused=paused, keep_going=keep_going)


def _plan_again(
    connection: Any, handle: Any, settings: Settings, pinned: CPUSet
) -> None:
    """Define a domain anew where its plan cannot hold any more."""
    libvirt = load_libvirt()
    domain = read_document(handle, libvirt.VIR_DOMAIN_XML_INACTIVE)
    plan = plan_of(domain)
    if plan is None:
        LOG.warning(
            'domain %r has no plan: it starts as it is defined', domain.name
        )
        return
    if _still_holds(connection, domain, plan, settings, pinned):
        return
    anew = place(
        connection,
        plan.guest,
        settings,
        pinned=pinned,
        without=domain.name,
    )
    LOG.warning(
        'what domain %r was planned on is taken: it is planned anew',
        domain.name,
    )
    with translated(f'cannot read domain {domain.name!r:.80}'):
        xml = handle.XMLDesc(
            libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
        )
    with translated(f'cannot define domain {domain.name!r:.80}'):
        connection.defineXMLFlags(
            apply_plan(anew, xml), libvirt.VIR_DOMAIN_DEFINE_VALIDATE
        )


def _still_holds(
    connection: Any,
    domain: Domain,
    plan: Plan,
    settings: Settings,
    pinned: CPUSet,
) -> bool:
    """Whether what a plan takes is free but for its own domain."""
    seen = survey(connection, without=domain.name)
    try:
        dealt(seen, settings, pinned).claim(plan)
    except FitError as error:
        LOG.info('%s', error)
        return False
    return True

# SPDX-License-Identifier: Apache-2.0
"""Migrate a running domain to where it fits, and prove it there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from typing import Final

from rtvirt.conf.settings import Settings
from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.connection import translated
from rtvirt.host.running import RunningDomain
from rtvirt.host.source import LOCAL_URI
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.lifecycle.claim import Claim
from rtvirt.lifecycle.claim import hold
from rtvirt.lifecycle.handle import find
from rtvirt.lifecycle.handle import read_document
from rtvirt.lifecycle.handle import read_state
from rtvirt.lifecycle.prove import StartedDomain
from rtvirt.lifecycle.prove import look
from rtvirt.lifecycle.transfer import route_of
from rtvirt.lifecycle.transfer import send
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.plan import Plan
from rtvirt.verifier import verify

_MOVABLE: Final = ('running', 'blocked', 'paused')


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratedDomain:
    """A domain that runs on another host now.

    :ivar host: the name of that host.
    :ivar plan: what it was planned on there.
    :ivar proof: what was found of it there; None where the kernel of that
        host could not be asked.
    :ivar unproved: why there is no proof.
    """

    name: str
    uuid: str
    host: str
    plan: Plan
    proof: StartedDomain | None = None
    unproved: str = ''


def migrate_domain(
    name: str,
    to: str,
    *,
    settings: Settings = Settings(),
    pinned: CPUSet = CPUSet(),
    migrate_uri: str | None = None,
    listen_address: str | None = None,
    timeout: float | None = None,
    observe: Callable[[str], ObservedDomain] | None = None,
) -> MigratedDomain:
    """Plan a running domain on another host, migrate it and prove it there.

    It is defined at the destination first: so it holds there what it was
    planned on, and whoever creates domains there sees it. Its pins, its
    schedulers, the host cells of its memory and its parts of the caches are
    those of the new plan; what the guest sees stays as it is, the size of
    its pages too. If it does not get there, it runs on where it is, that
    is verified, and nothing is left at the destination.

    :param to: the libvirt of the destination, as this machine reaches it.
    :param settings: of the destination; ``connection_uri`` alone is the
        source.
    :param pinned: dedicated pCPUs of the destination that are taken, beside
        what libvirt says.
    :param migrate_uri: where the source's QEMU sends the memory to, as in
        ``tcp://10.0.0.2``; None leaves it to the destination, which says
        its own host name.
    :param listen_address: where the destination's QEMU waits for it; None
        means all addresses.
    :param timeout: seconds after which the migration is given up.
    :param observe: asked, by the domain's name, what the kernel of the
        destination shows, where that is another machine; it raises
        HostError if that is not known.
    :raises FitError: if it does not fit there; nothing has moved then.
    :raises HostError: if there is no such domain, it does not run or has no
        plan, or cannot be migrated.
    """
    uri = settings.connection_uri or LOCAL_URI
    with (
        connect(uri, read_only=False) as source,
        connect(to, read_only=False) as destination,
    ):
        handle = find(source, name)
        before, old = _check(handle, name)
        route = route_of(migrate_uri, listen_address)
        with hold(handle, old, destination, settings, pinned) as claim:
            try:
                send(handle, destination, claim, route, timeout)
            except HostError as error:
                told = _tell_source(handle, uri, before)
                raise HostError(f'{error}; {told}', hint=error.hint) from error
        return _prove(destination, to, claim, observe)


def _check(handle: Any, name: str) -> tuple[str, Plan]:
    """Return the state of a domain that can be migrated, and its plan."""
    state = read_state(handle)
    if state not in _MOVABLE:
        raise HostError(
            f'domain {name!r:.80} does not run: it is {state}',
            hint='a domain that does not run is created anew where it is to '
            'be: rtvirt domain create --base',
        )
    plan = plan_of(read_document(handle))
    if plan is None:
        raise HostError(
            f'domain {name!r:.80} has no plan: what it is to hold at the '
            'destination is not known',
            hint='move it as it is, without a plan: virsh migrate --live',
        )
    return state, plan


def _tell_source(handle: Any, uri: str, before: str) -> str:
    """Return how a domain is at the source that could not be migrated."""
    try:
        state = read_state(handle)
    except HostError as error:
        return f'what became of it at the source is not known: {error}'
    if state not in _MOVABLE:
        return f'at the source it is {state}'
    held = f'at the source it is {state}'
    if (state == 'paused') is (before == 'paused'):
        held = f'it is {state} at the source as before'
    try:
        proof = look(handle, uri, is_paused=state == 'paused')
    except HostError as error:
        return f'{held}, and cannot be verified: {error}'
    if proof.is_proved:
        return f'{held}, verified: it is as planned'
    return f'{held}, verified: {len(proof.findings)} things are not as planned'


def _prove(
    destination: Any,
    to: str,
    claim: Claim,
    observe: Callable[[str], ObservedDomain] | None,
) -> MigratedDomain:
    """Verify a domain at the destination; it runs, so it is not stopped."""
    target = find(destination, claim.name)
    with translated(f'cannot read domain {claim.name!r:.80}'):
        uuid = target.UUIDString()
    migrated = MigratedDomain(
        name=claim.name, uuid=uuid, host=claim.host, plan=claim.plan
    )
    try:
        is_paused = read_state(target) == 'paused'
        try:
            proof = look(target, to, is_paused=is_paused)
        except HostError:
            if observe is None:
                raise
            proof = _judge(target, observe(claim.name), is_paused=is_paused)
    except HostError as error:
        return dataclasses.replace(migrated, unproved=str(error))
    return dataclasses.replace(migrated, proof=proof)


def _judge(
    handle: Any, observed: ObservedDomain, *, is_paused: bool
) -> StartedDomain:
    """Verify what was observed on another machine."""
    domain = read_document(handle)
    if domain.uuid != observed.uuid:
        raise HostError(
            f'domain {domain.name!r:.80} that was observed is another one, '
            f'{observed.uuid}: it is not the destination that was asked',
            hint='name the machine that the destination is: --ssh',
        )
    return StartedDomain(
        running=RunningDomain(domain=domain, observed=observed),
        findings=verify(domain, observed),
        is_paused=is_paused,
    )

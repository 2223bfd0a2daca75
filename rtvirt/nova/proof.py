# SPDX-License-Identifier: Apache-2.0
"""The proof of a guest that was just started."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oslo_log import log as logging

from rtvirt.checks.run import is_grave
from rtvirt.checks.words import say_finding
from rtvirt.exception import RTVirtError
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.model.finding import Finding
from rtvirt.nova import privileged
from rtvirt.nova.deadline import call_within
from rtvirt.nova.deadline import start
from rtvirt.nova.fault import GuestStopped
from rtvirt.nova.fault import say
from rtvirt.nova.fault import say_first
from rtvirt.nova.tuning import requirement
from rtvirt.verifier import verify

LOG = logging.getLogger(__name__)


def prove(instance: Any, guest: Any, options: Any, *, mode: str = '') -> None:
    """Compare a guest that was started with its plan.

    Under ``enforce`` the caller waits, no longer than ``timeout``; under
    ``warn`` nobody does.

    :param guest: a ``nova.virt.libvirt.guest.Guest``.
    :param options: of ``[rtvirt]`` in nova.conf.
    :param mode: instead of that of the options.
    :raises GuestStopped: if it is not as planned, or cannot be read in
        time, and the mode is ``enforce``; the guest is stopped then.
    """
    mode = mode or options.verify
    if mode == 'off' or not _is_asking(instance):
        return
    seconds = options.timeout

    def examine() -> tuple[Finding, ...]:
        return call_within(
            seconds, 'the proof of the guest', lambda: _examine(guest)
        )

    if mode == 'warn':
        start('proof', lambda: _warn(instance, examine))
        return
    reason = _find_fault(instance, examine)
    if reason:
        _stop(instance, guest, seconds)
        raise GuestStopped(instance_uuid=instance.uuid, reason=reason)


def _is_asking(instance: Any) -> bool:
    try:
        return requirement(instance) is not None
    except RTVirtError:
        # It runs since before rtvirt, which would have refused it.
        return False


def _examine(guest: Any) -> tuple[Finding, ...]:
    if not guest.is_active():
        return ()
    domain = parse_domain(guest.get_xml_desc())
    return verify(domain, privileged.read_guest(guest.uuid))


def _warn(instance: Any, examine: Callable[[], tuple[Finding, ...]]) -> None:
    _find_fault(instance, examine)


def _find_fault(
    instance: Any, examine: Callable[[], tuple[Finding, ...]]
) -> str:
    """Log what comes of the proof; return why it failed, if so."""
    reason = ''
    findings: tuple[Finding, ...] = ()
    try:
        findings = examine()
    except RTVirtError as error:
        reason = say(error)
    # Whatever privsep or libvirt may raise: nobody else would log it.
    except Exception as error:
        LOG.exception('The proof of the guest failed', instance=instance)
        reason = type(error).__name__
    if reason:
        LOG.error('No proof of the guest: %s', reason, instance=instance)
        return f'it could not be proved: {reason}'
    for finding in findings:
        _log(instance, finding)
    grave = [finding for finding in findings if is_grave(finding)]
    if not grave:
        LOG.info('The guest runs as planned', instance=instance)
    return say_first(grave) if grave else ''


def _log(instance: Any, finding: Finding) -> None:
    log_it = LOG.error if is_grave(finding) else LOG.warning
    log_it('Proof: %s', say_finding(finding), instance=instance)


def _stop(instance: Any, guest: Any, seconds: float) -> None:
    try:
        call_within(seconds, 'stopping the guest', guest.poweroff)
    except Exception:
        LOG.exception('The guest could not be stopped', instance=instance)

# SPDX-License-Identifier: Apache-2.0
"""A domain runs when it is proved that it runs as planned."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from dataclasses import dataclass
from typing import Any
from typing import Final

from rtvirt.checks.run import is_grave
from rtvirt.exception import HostError
from rtvirt.host.connection import load_libvirt
from rtvirt.host.connection import translated
from rtvirt.host.live import STARTING
from rtvirt.host.running import RunningDomain
from rtvirt.host.running import read_running
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity
from rtvirt.verifier import verify

_PATIENCE_S: Final = 60
_GLANCE_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedDomain:
    """A domain that was started, and what was found of it.

    :ivar running: its document and what the kernel shows of it.
    :ivar findings: what is not as it is to be, the worst first.
    :ivar is_paused: whether its vCPUs stand still: because that was wanted,
        or because it is not as it is to be.
    """

    running: RunningDomain
    findings: tuple[Finding, ...]
    is_paused: bool

    @property
    def is_proved(self) -> bool:
        """Whether nothing is gravely wrong with it."""
        return not any(is_grave(f, Severity.ERROR) for f in self.findings)


def start_paused(handle: Any) -> None:
    """Start a domain whose vCPUs stand still at first.

    :raises HostError: if libvirt cannot start it.
    """
    libvirt = load_libvirt()
    with translated(f'cannot start domain {handle.name()!r:.80}'):
        handle.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)


def prove(
    handle: Any, uri: str, *, paused: bool, keep_going: bool
) -> StartedDomain:
    """Verify a domain that stands still, and let it go if all is well.

    :param paused: keep it paused even then.
    :param keep_going: let it go even if not.
    :raises HostError: if it cannot be observed; then it stays paused.
    """
    name = handle.name()
    try:
        started = look(handle, uri, is_paused=True)
    except HostError as error:
        raise HostError(
            f'domain {name!r:.80} has started and cannot be verified, so it '
            f'stays paused: {error}',
            hint=error.hint
            or f'let it run without a proof: virsh resume {name}',
        ) from error
    if paused or not (started.is_proved or keep_going):
        return started
    with translated(f'domain {name!r:.80} cannot go on'):
        handle.resume()
    return dataclasses.replace(started, is_paused=False)


def look(handle: Any, uri: str, *, is_paused: bool) -> StartedDomain:
    """Verify a domain, and let it go on or stand still as it does.

    The threads of a neighbour that is about to start may be anywhere until
    libvirt has put them in their places: so long one looks again.

    :param is_paused: whether its vCPUs stand still.
    :raises HostError: if it cannot be observed.
    """
    name = handle.name()
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        is_busy = _is_anybody_starting(handle)
        (running,) = read_running(uri, [name])
        started = StartedDomain(
            running=running,
            findings=verify(running.domain, running.observed),
            is_paused=is_paused,
        )
        if started.is_proved or time.monotonic() > deadline:
            return started
        if not is_busy and not _is_anybody_starting(handle):
            return started
        time.sleep(_GLANCE_S)


def _is_anybody_starting(handle: Any) -> bool:
    with translated('cannot list the domains'):
        domains = handle.connect().listAllDomains()
    for domain in domains:
        # One that has ended meanwhile does not start.
        with contextlib.suppress(HostError), translated('state'):
            if tuple(domain.state()) == STARTING:
                return True
    return False

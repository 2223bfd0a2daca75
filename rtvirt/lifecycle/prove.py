# SPDX-License-Identifier: Apache-2.0
"""A domain runs when it is proved that it runs as planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rtvirt.checks.run import is_grave
from rtvirt.exception import HostError
from rtvirt.host.connection import load_libvirt
from rtvirt.host.connection import translated
from rtvirt.host.running import RunningDomain
from rtvirt.host.running import read_running
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity
from rtvirt.verifier import verify


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
        (running,) = read_running(uri, [name])
    except HostError as error:
        raise HostError(
            f'domain {name!r:.80} has started and cannot be verified, so it '
            f'stays paused: {error}',
            hint=error.hint
            or f'virsh resume {name} lets it run without a proof',
        ) from error
    findings = verify(running.domain, running.observed)
    started = StartedDomain(running=running, findings=findings, is_paused=True)
    if paused or not (started.is_proved or keep_going):
        return started
    with translated(f'domain {name!r:.80} cannot go on'):
        handle.resume()
    return StartedDomain(running=running, findings=findings, is_paused=False)

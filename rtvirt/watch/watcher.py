# SPDX-License-Identifier: Apache-2.0
"""Look at a host's real-time domains in turn, until told to stop."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from rtvirt.exception import HostError
from rtvirt.host.running import RunningDomain
from rtvirt.host.running import read_running
from rtvirt.lint_rules.view import is_realtime
from rtvirt.model.observed import ThreadRole
from rtvirt.verifier import verify
from rtvirt.watch.change import ChangeKind
from rtvirt.watch.change import Ledger
from rtvirt.watch.change import Seen

_GRACE_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the last look at the host went.

    :ivar seen: the domains; those seen last where libvirt does not answer.
    :ivar at: when libvirt answered last, in seconds since 1970; 0 if never.
    :ivar duration_s: of the look.
    :ivar looks: how many there were, failed ones too.
    :ivar failures: those of them in which libvirt did not answer.
    :ivar drifts: of each domain, how many drifts there have been.
    """

    seen: tuple[Seen, ...] = ()
    is_up: bool = False
    at: float = 0.0
    duration_s: float = 0.0
    looks: int = 0
    failures: int = 0
    drifts: dict[str, int]


class Watcher:
    """Verifies all real-time domains of this machine, again and again.

    :param uri: the libvirt of this machine.
    :param tell: is called with each line about a change.
    :param publish: is called with the status after each look.
    """

    def __init__(
        self,
        uri: str,
        *,
        tell: Callable[[str], None],
        publish: Callable[[Status], None],
    ) -> None:
        self._uri = uri
        self._tell = tell
        self._publish = publish
        self._ledger = Ledger()
        self._down: datetime.datetime | None = None
        self.status = Status(drifts={})

    def look(self) -> Status:
        """Verify all real-time domains once.

        A libvirt that does not answer is told and no error: it is asked
        anew with the next look.

        :raises PluginError: if a verifier is broken.
        """
        began = time.monotonic()
        at = datetime.datetime.now(datetime.UTC)
        try:
            running = read_running(self._uri, wanted=is_realtime)
        except HostError as error:
            self._note_down(at, error)
            seen, is_up = self.status.seen, False
        else:
            self._note_up(at)
            seen, is_up = tuple(map(_see, running)), True
        drifts = self._note(seen, at) if is_up else self.status.drifts
        self.status = Status(
            seen=seen,
            is_up=is_up,
            at=at.timestamp() if is_up else self.status.at,
            duration_s=time.monotonic() - began,
            looks=self.status.looks + 1,
            failures=self.status.failures + (not is_up),
            drifts=drifts,
        )
        self._publish(self.status)
        return self.status

    def run(self, interval_s: float, stop: threading.Event) -> None:
        """Look every so often until ``stop`` is set.

        A look runs in a thread of its own: one that waits for a libvirt
        that hangs does not keep the process from ending.
        """
        failed: list[Exception] = []

        def look() -> None:
            try:
                while not stop.is_set():
                    left_s = interval_s - self.look().duration_s
                    stop.wait(max(left_s, 0.0))
            except Exception as error:  # noqa: BLE001 - it is raised below
                failed.append(error)
                stop.set()

        thread = threading.Thread(target=look, name='watch', daemon=True)
        thread.start()
        stop.wait()
        thread.join(_GRACE_S)
        if failed:
            raise failed[0]

    def _note(
        self, seen: tuple[Seen, ...], at: datetime.datetime
    ) -> dict[str, int]:
        """Tell what changed; return the drifts that there have been."""
        drifts = {
            one.name: self.status.drifts.get(one.name, 0) for one in seen
        }
        for change in self._ledger.update(seen, at):
            if change.kind is ChangeKind.DRIFT:
                drifts[change.name] += 1
            self._tell(str(change))
        return drifts

    def _note_down(self, at: datetime.datetime, error: HostError) -> None:
        if self._down is None:
            self._down = at
            mend = f'; mend: {error.hint}' if error.hint else ''
            self._tell(_libvirt(at, f'does not answer: {error}{mend}'))

    def _note_up(self, at: datetime.datetime) -> None:
        if self._down is not None:
            seconds = round((at - self._down).total_seconds())
            self._tell(_libvirt(at, f'answers again, after {seconds} s'))
            self._down = None


def _libvirt(at: datetime.datetime, what: str) -> str:
    return f'{at.isoformat(timespec="seconds")} libvirt: {what}'


def _see(running: RunningDomain) -> Seen:
    observed = running.observed
    return Seen(
        uuid=observed.uuid,
        name=running.domain.name,
        findings=verify(running.domain, observed),
        switches={
            thread.number: thread.involuntary_switches
            for thread in observed.threads
            if thread.role is ThreadRole.VCPU
            and thread.number is not None
            and isinstance(thread.involuntary_switches, int)
        },
    )

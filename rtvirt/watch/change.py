# SPDX-License-Identifier: Apache-2.0
"""What changed from one look at a host to the next. Pure."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass

from rtvirt.model.finding import Finding

_Key = tuple[str, str, bool]
"""Code, subject, and whether it is undecided."""


class ChangeKind(enum.StrEnum):
    """What happened."""

    WATCHED = 'watched'
    """A domain runs that was not there before."""
    DRIFT = 'drift'
    """Something is not as wanted any more."""
    UNKNOWN = 'unknown'
    """Something can not be told any more."""
    BACK = 'back'
    """It is as wanted again, or can be told."""
    GONE = 'gone'
    """A domain does not run any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A domain, and what was found in it.

    :ivar switches: of each vCPU, how often it was made to leave its pCPU
        since it started; those that could not be read are left out.
    """

    uuid: str
    name: str
    findings: tuple[Finding, ...]
    switches: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that changed.

    :ivar since: when a drift that is over began.
    """

    kind: ChangeKind
    at: datetime.datetime
    name: str
    finding: Finding | None = None
    since: datetime.datetime | None = None

    def __str__(self) -> str:
        """Return one line: when, where, what, and what mends it."""
        text = f'{_stamp(self.at)} {self.name}: {self.kind}'
        if self.finding is None:
            return text
        found = self.finding
        text = f'{text}: {found.code} {found.subject}'
        if self.since is not None:
            seconds = round((self.at - self.since).total_seconds())
            return f'{text}, after {seconds} s (since {_stamp(self.since)})'
        text = f'{text}: expected {found.expected}; is {found.actual}'
        return f'{text}; mend: {found.hint}' if found.hint else text


@dataclass(slots=True)
class _Known:
    """A domain as it was seen last."""

    name: str
    open: dict[_Key, tuple[Finding, datetime.datetime]]


class Ledger:
    """What is known of each domain, and since when."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def update(
        self, seen: Iterable[Seen], at: datetime.datetime
    ) -> Iterator[Change]:
        """Take in one look at all domains; yield what is new in it."""
        here = {one.uuid: one for one in seen}
        for uuid in [uuid for uuid in self._known if uuid not in here]:
            name = self._known.pop(uuid).name
            yield Change(kind=ChangeKind.GONE, at=at, name=name)
        for uuid, one in here.items():
            known = self._known.get(uuid)
            if known is None:
                known = self._known[uuid] = _Known(one.name, {})
                yield Change(kind=ChangeKind.WATCHED, at=at, name=one.name)
            yield from _compare(known, one, at)


def _compare(
    known: _Known, seen: Seen, at: datetime.datetime
) -> Iterator[Change]:
    # Several threads may share a subject (emulator): the first stands for
    # all of them.
    now: dict[_Key, Finding] = {}
    for finding in seen.findings:
        key = (finding.code, finding.subject, finding.is_undecided)
        now.setdefault(key, finding)
    for key in [key for key in known.open if key not in now]:
        finding, since = known.open.pop(key)
        yield Change(
            kind=ChangeKind.BACK,
            at=at,
            name=seen.name,
            finding=finding,
            since=since,
        )
    for key, finding in now.items():
        if key not in known.open:
            known.open[key] = finding, at
            yield Change(
                kind=ChangeKind.UNKNOWN
                if finding.is_undecided
                else ChangeKind.DRIFT,
                at=at,
                name=seen.name,
                finding=finding,
            )


def _stamp(at: datetime.datetime) -> str:
    return at.isoformat(timespec='seconds')

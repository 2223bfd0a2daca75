# SPDX-License-Identifier: Apache-2.0
"""A check: one row of the table, and the function that decides it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from typing import TypeVar

from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity

T = TypeVar('T')


class Profile(enum.StrEnum):
    """Where a check makes sense: on a host of guests, or inside one."""

    HOST = 'host'
    GUEST = 'guest'


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One "no" of a check, or one that it could not give.

    What is left empty is taken from the check's row.

    :ivar subject: the file or thing that is wrong; the first that the
        check reads where empty.
    :ivar actual: its value.
    """

    subject: str = ''
    actual: str
    expected: str = ''
    severity: Severity | None = None
    mend: str = ''
    is_undecided: bool = False


Decide = Callable[[HostFacts], Iterable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row of the table of checks.

    :ivar code: ``RT-``, the group's letter and a number; never reused.
    :ivar title: what holds where the check finds nothing.
    :ivar severity: of its findings, unless one says otherwise.
    :ivar reads: the files that decide it.
    :ivar expected: what should be.
    :ivar why: two sentences.
    :ivar source: who says so.
    :ivar mend: what to do, as a command or a setting.
    :ivar safety: what that takes.
    :ivar profiles: where it makes sense.
    """

    code: str
    title: str
    severity: Severity
    reads: tuple[str, ...]
    expected: str
    why: str
    source: str
    mend: str
    safety: Safety | None
    profiles: frozenset[Profile]
    decide: Decide

    def __call__(self, facts: HostFacts) -> Iterator[Finding]:
        """Yield what is wrong with a host."""
        for answer in self.decide(facts):
            yield Finding(
                code=self.code,
                severity=answer.severity or self.severity,
                subject=answer.subject or self.reads[0],
                expected=answer.expected or self.expected,
                actual=answer.actual,
                hint=answer.mend or self.mend,
                safety=self.safety,
                is_undecided=answer.is_undecided,
            )


class CheckGroup(tuple[Check, ...]):
    """Checks that stand together; what an entry point of checks names."""

    __slots__ = ()

    def __call__(self, facts: HostFacts) -> Iterator[Finding]:
        """Yield what is wrong with a host, check by check."""
        for check in self:
            yield from check(facts)


HOST: Final = frozenset({Profile.HOST})
GUEST: Final = frozenset({Profile.GUEST})
BOTH: Final = HOST | GUEST


def check(
    code: str,
    title: str,
    severity: Severity,
    *,
    reads: Iterable[str],
    expected: str,
    why: str,
    source: str,
    mend: str,
    safety: Safety | None,
    profiles: frozenset[Profile] = HOST,
) -> Callable[[Decide], Check]:
    """Make a row of the table of the function that decides it."""

    def make(decide: Decide) -> Check:
        return Check(
            code=code,
            title=title,
            severity=severity,
            reads=tuple(reads),
            expected=expected,
            why=why,
            source=source,
            mend=mend,
            safety=safety,
            profiles=profiles,
            decide=decide,
        )

    return make


def undecided(missing: Missing) -> Answer:
    """Return that it takes this value to decide."""
    return Answer(subject=missing.path, actual=str(missing), is_undecided=True)


def unreadable(*values: object) -> Iterator[Answer]:
    """Yield that a value is there and could not be read.

    One that is absent has nothing to be wrong: the kernel or the machine
    does not have what the check is about.
    """
    for value in values:
        if isinstance(value, Missing) and not value.is_absent:
            yield undecided(value)


def judge(
    value: T | Missing,
    holds: Callable[[T], bool],
    *,
    subject: str = '',
    expected: str = '',
    severity: Severity | None = None,
    mend: str = '',
) -> Iterator[Answer]:
    """Yield a "no" unless the value is as it should be, or absent."""
    if isinstance(value, Missing):
        yield from unreadable(value)
    elif not holds(value):
        yield Answer(
            subject=subject,
            actual=shown(value),
            expected=expected,
            severity=severity,
            mend=mend,
        )


def shown(value: object) -> str:
    """Return a value as the kernel would print it."""
    if isinstance(value, bool):
        return 'Y' if value else 'N'
    return str(value)


def some(names: Iterable[str], most: int = 4) -> str:
    """Return a few of the names, and how many more there are."""
    every = list(names)
    text = ', '.join(every[:most])
    return f'{text} and {len(every) - most} more' if every[most:] else text

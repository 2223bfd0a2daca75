# SPDX-License-Identifier: Apache-2.0
"""A verifier: one row of the table, and the function behind it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity
from rtvirt.model.observed import ObservedDomain


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing that is not as it is to be.

    :ivar subject: the thread, or the element.
    :ivar mend: the command or the setting that mends it.
    :ivar is_undecided: whether it could not be read; ``actual`` says why.
    """

    subject: str
    expected: str
    actual: str
    mend: str = ''
    is_undecided: bool = False


Decide = Callable[[Domain, ObservedDomain], Iterable[Gap]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """One row of the table of verifiers.

    :ivar code: ``RV-``, the group's letter and a number; never reused.
    :ivar title: what holds where it finds nothing.
    :ivar severity: of its findings.
    :ivar why: what comes of it, and who says so.
    """

    code: str
    title: str
    severity: Severity
    why: str
    decide: Decide

    def __call__(
        self, domain: Domain, observed: ObservedDomain
    ) -> Iterator[Finding]:
        """Yield what is not as the domain wants it."""
        for gap in self.decide(domain, observed):
            yield Finding(
                code=self.code,
                severity=self.severity,
                subject=gap.subject,
                expected=gap.expected,
                actual=gap.actual,
                hint=gap.mend,
                is_undecided=gap.is_undecided,
            )


class VerifierGroup(tuple[Verifier, ...]):
    """Verifiers that stand together; what an entry point names."""

    __slots__ = ()

    def __call__(
        self, domain: Domain, observed: ObservedDomain
    ) -> Iterator[Finding]:
        """Yield what is not as the domain wants it, row by row."""
        for verifier in self:
            yield from verifier(domain, observed)


def verifier(
    code: str, title: str, severity: Severity, *, why: str
) -> Callable[[Decide], Verifier]:
    """Make a row of the table of the function that decides it."""

    def make(decide: Decide) -> Verifier:
        return Verifier(
            code=code, title=title, severity=severity, why=why, decide=decide
        )

    return make

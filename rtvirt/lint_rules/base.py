# SPDX-License-Identifier: Apache-2.0
"""A rule: one row of the table, and the functions behind it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field

from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing wrong with a document.

    What is left empty is taken from the rule's row.

    :ivar subject: the element it is about.
    :ivar actual: what stands there.
    """

    actual: str
    subject: str = ''
    expected: str = ''
    severity: Severity | None = None
    mend: str = ''


Decide = Callable[[Domain, HostFacts | None], Iterable[Flaw]]
Fix = Callable[[Domain], None]


@dataclass(slots=True, kw_only=True)
class Rule:
    """One row of the table of rules.

    :ivar code: ``RL-``, the group's letter and a number; never reused.
    :ivar title: what holds where the rule finds nothing.
    :ivar severity: of its findings, unless one says otherwise; ``fatal``
        where libvirt or QEMU refuses the document.
    :ivar subject: the element it is about.
    :ivar expected: what should be.
    :ivar why: what comes of it, and who says so.
    :ivar mend: what to change.
    :ivar needs_host: whether it takes the facts of a host to decide.
    :ivar fix: makes the change where it is certain; None where it is not.
    """

    code: str
    title: str
    severity: Severity
    subject: str
    expected: str
    why: str
    mend: str
    needs_host: bool
    decide: Decide
    fix: Fix | None = field(default=None)

    def __call__(
        self, domain: Domain, facts: HostFacts | None = None
    ) -> Iterator[Finding]:
        """Yield what is wrong with a domain."""
        if self.needs_host and facts is None:
            return
        for flaw in self.decide(domain, facts):
            yield Finding(
                code=self.code,
                severity=flaw.severity or self.severity,
                subject=flaw.subject or self.subject,
                expected=flaw.expected or self.expected,
                actual=flaw.actual,
                hint=flaw.mend or self.mend,
            )

    def fixed_by(self, fix: Fix) -> Fix:
        """Say how a document is mended where that is certain."""
        self.fix = fix
        return fix


class RuleGroup(tuple[Rule, ...]):
    """Rules that stand together; what an entry point of rules names."""

    __slots__ = ()

    def __call__(
        self, domain: Domain, facts: HostFacts | None = None
    ) -> Iterator[Finding]:
        """Yield what is wrong with a domain, rule by rule."""
        for rule in self:
            yield from rule(domain, facts)


def rule(
    code: str,
    title: str,
    severity: Severity,
    *,
    subject: str,
    expected: str,
    why: str,
    mend: str,
    needs_host: bool = False,
) -> Callable[[Decide], Rule]:
    """Make a row of the table of the function that decides it."""

    def make(decide: Decide) -> Rule:
        return Rule(
            code=code,
            title=title,
            severity=severity,
            subject=subject,
            expected=expected,
            why=why,
            mend=mend,
            needs_host=needs_host,
            decide=decide,
        )

    return make

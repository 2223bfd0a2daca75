# SPDX-License-Identifier: Apache-2.0
"""Choose rules, run them, and make the changes that are certain."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Final

from rtvirt.exception import ConfigError
from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.lint_rules.base import Rule
from rtvirt.lint_rules.base import RuleGroup
from rtvirt.lint_rules.pairs import lint_pairs
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity

UNREADABLE: Final = 'RL-X01'
"""The code of what is said about a document that cannot be read."""

LintRule = Callable[[Domain, HostFacts | None], Iterable[Finding]]
"""What an entry point of ``rtvirt.lint_rules`` names."""


def table(plugins: Iterable[LintRule]) -> dict[str, Rule]:
    """Return every row of the table by its code, in the order of codes.

    :raises ConfigError: if two rows have one code.
    """
    rows: dict[str, Rule] = {}
    for plugin in plugins:
        for row in plugin if isinstance(plugin, RuleGroup) else ():
            if row.code in rows:
                raise ConfigError(
                    f'two rules have the code {row.code}',
                    hint='leave one of their plug-ins out: "rtvirt plugin '
                    'list" shows who ships them',
                )
            rows[row.code] = row
    return dict(sorted(rows.items()))


def run_rules(
    domain: Domain, facts: HostFacts | None, plugins: Iterable[LintRule]
) -> tuple[Finding, ...]:
    """Return what is wrong with a domain, the worst first."""
    return _sorted(
        finding for plugin in plugins for finding in plugin(domain, facts)
    )


def lint_text(
    text: str | bytes, facts: HostFacts | None, plugins: Iterable[LintRule]
) -> tuple[Domain | None, tuple[Finding, ...]]:
    """Return the domain in a document, and what is wrong with it.

    A document that cannot be read is a finding too, and the only one.
    """
    try:
        domain = parse_domain(text)
    except DomainXMLError as error:
        return None, (
            Finding(
                code=UNREADABLE,
                severity=Severity.FATAL,
                subject='domain',
                expected='a domain document that libvirt accepts',
                actual=str(error),
                hint=error.hint,
            ),
        )
    return domain, run_rules(domain, facts, plugins)


def run_pairs(
    domains: Sequence[Domain], facts: HostFacts | None
) -> tuple[Finding, ...]:
    """Return what is wrong between domains of one host, the worst first."""
    return _sorted(lint_pairs(domains, facts))


def fix(domain: Domain, plugins: Iterable[LintRule]) -> Domain:
    """Make the changes that are certain; the domain itself is changed."""
    for row in table(plugins).values():
        if row.fix is not None:
            row.fix(domain)
    return domain


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(
        sorted(findings, key=lambda found: (found.severity.rank, found.code))
    )

# SPDX-License-Identifier: Apache-2.0
"""Choose checks, run them, and sum up what they found."""

from __future__ import annotations

import enum
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass

from rtvirt.checks.base import Check
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import Profile
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity

HostCheck = Callable[[HostFacts], Iterable[Finding]]
"""What an entry point of ``rtvirt.host_checks`` names."""

_MENDS = 3


def table(plugins: Iterable[HostCheck]) -> dict[str, Check]:
    """Return every row of the table by its code, in the order of codes."""
    rows = {
        check.code: check
        for plugin in plugins
        if isinstance(plugin, CheckGroup)
        for check in plugin
    }
    return dict(sorted(rows.items()))


def run_checks(
    facts: HostFacts,
    plugins: Iterable[HostCheck],
    *,
    profile: Profile = Profile.HOST,
    only: Iterable[str] = (),
    skip: Iterable[str] = (),
) -> tuple[Finding, ...]:
    """Return what the checks find, the worst first.

    :param only: codes, or beginnings of codes (``RT-B``); none is all.
    :param skip: the same, of checks that are not to run.
    """
    only, skip = tuple(only), tuple(skip)

    def is_wanted(code: str) -> bool:
        return not (only and not code.startswith(only)) and not (
            skip and code.startswith(skip)
        )

    found: list[Finding] = []
    for plugin in plugins:
        if isinstance(plugin, CheckGroup):
            for check in plugin:
                if profile in check.profiles and is_wanted(check.code):
                    found.extend(check(facts))
        else:
            found.extend(f for f in plugin(facts) if is_wanted(f.code))
    return tuple(
        sorted(
            found,
            key=lambda f: (f.is_undecided, f.severity.rank, f.code),
        )
    )


class Verdict(enum.StrEnum):
    """Whether a host is ready for real-time guests.

    ``UNDECIDED``: nothing of weight was found wrong, and something of
    weight could not be read.
    """

    READY = 'ready'
    NOT_READY = 'not ready'
    UNDECIDED = 'undecided'


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The gist of some findings.

    :ivar counts: how many of each severity, without those undecided.
    :ivar undecided: how many checks could not decide.
    :ivar first: findings of the mends that matter most, one a check.
    """

    verdict: Verdict
    counts: Mapping[Severity, int]
    undecided: int
    first: tuple[Finding, ...]


def summarize(findings: Iterable[Finding]) -> Summary:
    """Sum up, the findings standing in the order of weight."""
    findings = tuple(findings)
    decided = [f for f in findings if not f.is_undecided]
    first = {f.code: f for f in reversed(decided) if is_grave(f)}
    open_grave = any(
        f.is_undecided and f.severity.rank <= Severity.ERROR.rank
        for f in findings
    )
    if first:
        verdict = Verdict.NOT_READY
    else:
        verdict = Verdict.UNDECIDED if open_grave else Verdict.READY
    weight = [f for f in decided if first.get(f.code) is f]
    return Summary(
        verdict=verdict,
        counts={
            severity: sum(f.severity is severity for f in decided)
            for severity in Severity
        },
        undecided=len({f.code for f in findings if f.is_undecided}),
        first=tuple(weight[:_MENDS]),
    )


def is_grave(finding: Finding, at_least: Severity = Severity.ERROR) -> bool:
    """Whether a finding is decided and as bad as this, or worse."""
    return not finding.is_undecided and finding.severity.rank <= at_least.rank

# SPDX-License-Identifier: Apache-2.0
"""What was found, as a person reads it."""

from __future__ import annotations

from typing import Final

from rtvirt.checks.run import Summary
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity

_NOUNS: Final = {
    Severity.FATAL: 'fatal defect',
    Severity.ERROR: 'error',
    Severity.WARNING: 'warning',
    Severity.INFO: 'remark',
}


def say_summary(name: str, summary: Summary) -> str:
    """Return ``compute7: not ready for real time (1 error, 2 warnings)``.

    :param name: of the host.
    """
    parts = [
        _count(number, _NOUNS[severity])
        for severity, number in summary.counts.items()
        if number
    ]
    if summary.undecided:
        parts.append(f'{_count(summary.undecided, "check")} undecided')
    return (
        f'{name}: {summary.verdict} for real time'
        f' ({", ".join(parts) or "nothing found"})'
    )


def say_finding(finding: Finding) -> str:
    """Return a finding in one line, and how to mend it."""
    text = f'{finding.code} {finding.severity.value}: {finding.subject}'
    if finding.is_undecided:
        return f'{text}: undecided, for it is {finding.actual}'
    mend = f' (to mend it: {finding.hint})' if finding.hint else ''
    return f'{text}: {finding.actual}; expected {finding.expected}{mend}'


def _count(number: int, noun: str) -> str:
    return f'{number} {noun}' if number == 1 else f'{number} {noun}s'

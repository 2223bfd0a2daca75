# SPDX-License-Identifier: Apache-2.0
"""What differed around two measurements: tool, host, guest, plan."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rtvirt.latency.evidence import Evidence
from rtvirt.latency.evidence import FactsDigest
from rtvirt.model.finding import Finding
from rtvirt.model.plain import dump


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that was not the same.

    :ivar where: ``run``, ``host``, ``guest``, ``plan`` or ``findings``.
    :ivar name: what it is called there, as in ``kernel`` or ``pins.2``.
    :ivar first: how it was with the first measurement; empty where it was
        not there.
    :ivar second: how with the second.
    """

    where: str
    name: str
    first: str
    second: str


def find_differences(
    first: Evidence, second: Evidence
) -> tuple[Difference, ...]:
    """Return everything that is known to differ."""
    return tuple(
        Difference(where=where, name=name, first=one, second=other)
        for where, ones, others in (
            ('run', dict(_run(first)), dict(_run(second))),
            ('host', _facts(first.host), _facts(second.host)),
            ('guest', _facts(first.guest), _facts(second.guest)),
            ('plan', *_plans(first, second)),
            ('findings', dict(_findings(first)), dict(_findings(second))),
        )
        for name in dict.fromkeys((*ones, *others))
        if (one := ones.get(name, '')) != (other := others.get(name, ''))
    )


def _run(evidence: Evidence) -> Iterator[tuple[str, str]]:
    result, target = evidence.result, evidence.target
    duration = evidence.measured_s or result.duration_s
    yield 'tool', f'{result.tool} {result.version}'.rstrip()
    yield 'command', ' '.join(evidence.arguments) or result.command
    yield 'load', ' '.join(evidence.load)
    yield 'duration', '' if duration is None else f'{round(duration)} s'
    yield 'target', f'{target.name} ({target.where})'
    yield 'CPUs', str(target.cpus)
    yield 'kernel', result.kernel
    yield 'complete', 'yes' if evidence.is_complete else 'no'


def _facts(facts: FactsDigest | None) -> Mapping[str, str]:
    """Return what is known of a machine; the digest where no word differs.

    Machines with the same summary may yet be set up differently.
    """
    if facts is None:
        return {}
    return {**facts.summary, 'facts (SHA-256)': facts.digest[:16]}


def _plans(
    first: Evidence, second: Evidence
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return both plans; where only one has a plan, just that."""
    if first.plan is not None and second.plan is not None:
        return (
            dict(_flatten(dump(first.plan), '')),
            dict(_flatten(dump(second.plan), '')),
        )
    known, other = (
        {} if one.plan is None else {'plan': 'known'}
        for one in (first, second)
    )
    return known, other


def _flatten(data: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the leaves of plain data by path; lists of numbers are leaves."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield from _flatten(value, f'{path}.{name}' if path else str(name))
    elif isinstance(data, Sequence) and any(
        isinstance(item, Mapping) for item in data
    ):
        for number, value in enumerate(data):
            yield from _flatten(value, f'{path}.{number}')
    else:
        yield path, str(data)


def _findings(evidence: Evidence) -> Iterator[tuple[str, str]]:
    for name, findings in (
        ('verification', evidence.findings),
        ('host', evidence.checks),
    ):
        if findings is not None:
            yield name, _codes(findings)


def _codes(findings: Iterable[Finding]) -> str:
    found = sorted({f'{one.code} {one.subject}' for one in findings})
    return ', '.join(found) or 'none'

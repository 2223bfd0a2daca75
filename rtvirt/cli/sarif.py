# SPDX-License-Identifier: Apache-2.0
"""Findings in the Static Analysis Results Interchange Format (2.1.0)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from typing import Final

from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml.document import Document
from rtvirt.lint_rules.base import Rule
from rtvirt.lint_rules.pairs import CODES
from rtvirt.lint_rules.run import UNREADABLE
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity

_SCHEMA: Final = 'https://json.schemastore.org/sarif-2.1.0.json'
_LEVELS: Final = {
    Severity.FATAL: 'error',
    Severity.ERROR: 'error',
    Severity.WARNING: 'warning',
    Severity.INFO: 'note',
}


def to_sarif(
    documents: Iterable[tuple[str, str, Iterable[Finding]]],
    pairs: Iterable[Finding],
    rules: Iterable[Rule],
) -> dict[str, Any]:
    """Return one run.

    :param documents: path, text and findings of each.
    :param pairs: findings about two of them together.
    :param rules: all rows of the table, found or not.
    """
    results = [
        _result(finding, _location(path, text, finding.subject))
        for path, text, findings in documents
        for finding in findings
    ]
    results += [_result(finding, None) for finding in pairs]
    return {
        '$schema': _SCHEMA,
        'version': '2.1.0',
        'runs': [
            {
                'tool': {
                    'driver': {
                        'name': 'rtvirt domain lint',
                        'rules': [*map(_describe, rules), *_others()],
                    }
                },
                'results': results,
            }
        ],
    }


def _describe(rule: Rule) -> dict[str, Any]:
    return {
        'id': rule.code,
        'shortDescription': {'text': rule.title},
        'fullDescription': {'text': rule.why},
        'help': {'text': rule.mend},
        'defaultConfiguration': {'level': _LEVELS[rule.severity]},
    }


def _others() -> list[dict[str, Any]]:
    """Return the rules that are in no table."""
    titles = {UNREADABLE: 'The document can be read', **CODES}
    return [
        {
            'id': code,
            'shortDescription': {'text': title},
            'defaultConfiguration': {'level': 'error'},
        }
        for code, title in titles.items()
    ]


def _result(
    finding: Finding, location: dict[str, Any] | None
) -> dict[str, Any]:
    text = f'{finding.subject}: {finding.actual}; expected {finding.expected}'
    if finding.hint:
        text += f'. {finding.hint}'
    result: dict[str, Any] = {
        'ruleId': finding.code,
        'level': _LEVELS[finding.severity],
        'message': {'text': text},
    }
    if location is not None:
        result['locations'] = [{'physicalLocation': location}]
    return result


def _location(path: str, text: str, subject: str) -> dict[str, Any]:
    return {
        'artifactLocation': {'uri': path},
        'region': {'startLine': _find_line(text, subject)},
    }


def _find_line(text: str, subject: str) -> int:
    """Return the line of the element, or of the nearest one around it."""
    try:
        node = Document(text).root
    except DomainXMLError:
        return 1
    for name in subject.split('/'):
        found = next(node.all(name), None)
        if found is None:
            break
        node = found
    return node.line

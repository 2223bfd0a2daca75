# SPDX-License-Identifier: Apache-2.0
"""Verdicts as CI systems read test results: the XML of JUnit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lxml import etree

from rtvirt.latency.verdict import Outcome
from rtvirt.latency.verdict import Verdict
from rtvirt.report.latency.chart import describe
from rtvirt.report.latency.summary import Run
from rtvirt.report.markup import clean

_TAGS: Final = {Outcome.FAIL: 'failure', Outcome.UNDECIDED: 'skipped'}


def junit_xml(runs: Sequence[Run]) -> str:
    """Return a suite for each run, with a case for each role.

    What the samples do not decide is skipped, with the reason. A run
    without a budget has one case, which is skipped.
    """
    root = etree.Element('testsuites', name='rtvirt latency')
    for run in runs:
        root.append(_suite(run))
    text: str = etree.tostring(root, encoding='unicode', pretty_print=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'


def _suite(run: Run) -> etree._Element:
    evidence = run.evidence
    outcomes = [v.outcome for v in evidence.verdicts] or [Outcome.UNDECIDED]
    duration = evidence.measured_s or evidence.result.duration_s or 0
    suite = etree.Element(
        'testsuite',
        name=clean(f'latency.{run.name}'),
        tests=str(len(outcomes)),
        failures=str(outcomes.count(Outcome.FAIL)),
        errors='0',
        skipped=str(outcomes.count(Outcome.UNDECIDED)),
        time=f'{duration:.3f}',
    )
    properties = etree.SubElement(suite, 'properties')
    for name, value in (
        ('tool', evidence.result.tool),
        ('target', evidence.target.name),
        ('samples', str(evidence.result.cycles)),
        ('evidence_sha256', run.digest),
    ):
        etree.SubElement(properties, 'property', name=name, value=clean(value))
    for verdict in evidence.verdicts:
        suite.append(_case(run, verdict, duration))
    if not evidence.verdicts:
        case = etree.SubElement(
            suite,
            'testcase',
            classname=clean(f'latency.{run.name}'),
            name='no budget',
        )
        etree.SubElement(case, 'skipped', message='no budget was given')
    return suite


def _case(run: Run, verdict: Verdict, duration: float) -> etree._Element:
    case = etree.Element(
        'testcase',
        classname=clean(f'latency.{run.name}'),
        name=f'{verdict.role} within {verdict.budget.limit_us} us',
        time=f'{duration:.3f}',
    )
    if tag := _TAGS.get(verdict.outcome):
        made = etree.SubElement(case, tag, message=clean(verdict.reason))
        if verdict.outcome is Outcome.FAIL:
            made.set('type', 'budget')
    lines = [describe(one) for one in run.threads if one.role is verdict.role]
    etree.SubElement(case, 'system-out').text = clean('\n'.join(lines))
    return case

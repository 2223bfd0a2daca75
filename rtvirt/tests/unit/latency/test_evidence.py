# SPDX-License-Identifier: Apache-2.0
"""Evidence is complete, travels as JSON, and can be judged again."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from rtvirt.exception import ModelError
from rtvirt.host.facts.read import read_facts
from rtvirt.latency.evidence import Evidence
from rtvirt.latency.evidence import facts_digest
from rtvirt.latency.verdict import Budget
from rtvirt.latency.verdict import Outcome
from rtvirt.model.facts.host import HostFacts
from rtvirt.tests.evidence import FILE
from rtvirt.tests.evidence import sample_evidence

SNAPSHOT = Path(__file__).parents[4] / 'etc/rtvirt/snapshots/rt-10.tar.gz'


@pytest.fixture(scope='module')
def evidence() -> Evidence:
    return sample_evidence()


def read() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(FILE.read_text(encoding='utf-8'))
    return data


def test_the_sample_is_what_its_code_makes(evidence: Evidence) -> None:
    # Mend it with: python3 -m rtvirt.tests.evidence
    assert read() == evidence.to_dict()
    assert Evidence.from_dict(read()) == evidence


def test_it_can_be_judged_again(evidence: Evidence) -> None:
    assert evidence.judge() == evidence.verdicts
    strict = dataclasses.replace(evidence, budgets=(Budget(limit_us=500),))
    (verdict,) = strict.judge()
    assert verdict.outcome is Outcome.PASS
    assert verdict.threads == (1, 2)


def test_the_digest_is_of_all_that_is_in_it(evidence: Evidence) -> None:
    assert Evidence.from_dict(read()).digest == evidence.digest
    other = dataclasses.replace(evidence, load=('stress-ng', '--cpu', '2'))
    assert other.digest != evidence.digest


@pytest.mark.parametrize(
    ('path', 'value', 'named'),
    [
        (('schema_version',), 2, 'schema_version'),
        (('result', 'unit'), 'ms', 'Evidence.result.unit'),
        (
            ('result', 'threads', 0, 'histogram', 'counts', 0),
            0,
            'Evidence.result.threads[0].histogram',
        ),
        (
            ('result', 'threads', 0, 'histogram', 'values', 1),
            2.5,
            'Evidence.result.threads[0].histogram.values',
        ),
        (
            ('result', 'threads', 0, 'histogram', 'values', 1),
            True,
            'Evidence.result.threads[0].histogram.values',
        ),
        (
            ('result', 'threads', 0, 'histogram', 'limit'),
            None,
            'Evidence.result.threads[0].histogram',
        ),
        (('target', 'pins', 'x'), 1, 'Evidence.target.pins'),
        (('measured_s',), float('nan'), 'Evidence'),
    ],
)
def test_what_is_wrong_is_named(
    path: tuple[str | int, ...], value: object, named: str
) -> None:
    data: Any = read()
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ModelError) as caught:
        Evidence.from_dict(data)
    assert named in str(caught.value)


def test_a_digest_tells_settings_and_not_moments() -> None:
    facts = HostFacts()
    digest = facts_digest(facts)
    busy = dataclasses.replace(facts, tasks=())
    assert facts_digest(busy) == digest
    tuned = dataclasses.replace(
        facts,
        scheduler=dataclasses.replace(facts.scheduler, rt_runtime_us=-1),
    )
    assert facts_digest(tuned).digest != digest.digest


def test_a_hosts_summary_says_what_a_person_compares() -> None:
    summary = facts_digest(read_facts(SNAPSHOT))
    assert summary.summary['hostname'] == 'compute1'
    assert 'isolcpus' in summary.summary['cmdline']

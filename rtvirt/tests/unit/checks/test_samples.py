# SPDX-License-Identifier: Apache-2.0
"""Checks find on sample snapshots what they should, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

import rtvirt
from rtvirt.checks.run import Verdict
from rtvirt.checks.run import run_checks
from rtvirt.checks.run import summarize
from rtvirt.host.facts import read_facts
from rtvirt.host.snapshot import pack
from rtvirt.host.snapshot import take_snapshot
from rtvirt.tests.samples import SAMPLES
from rtvirt.tests.tuned_host import tuned_host
from rtvirt.tests.unit.checks.defects import HOST_DEFECTS
from rtvirt.tests.unit.checks.plugins import PLUGINS

SHIPPED = Path(rtvirt.__file__).parents[1] / 'etc' / 'rtvirt' / 'snapshots'

IMPORTANT = [
    'RT-A01',
    'RT-B01',
    'RT-B02',
    'RT-B05',
    'RT-C01',
    'RT-C03',
    'RT-C06',
    'RT-C07',
    'RT-C12',
    'RT-C14',
    'RT-D02',
    'RT-E03',
    'RT-F01',
    'RT-F06',
    'RT-X03',
    'RT-X04',
]


@pytest.mark.parametrize('name', sorted(SAMPLES))
def test_a_shipped_snapshot(name: str) -> None:
    sample = SAMPLES[name]
    facts = read_facts(SHIPPED / f'{name}.tar.gz')
    findings = run_checks(facts, PLUGINS, profile=sample.profile)
    assert {f.code for f in findings} == sample.codes
    assert not any(f.is_undecided for f in findings)


@pytest.mark.parametrize('name', sorted(SAMPLES))
def test_a_shipped_snapshot_is_up_to_date(name: str) -> None:
    """Else: python3 -m rtvirt.tests.samples etc/rtvirt/snapshots."""
    facts = read_facts(SHIPPED / f'{name}.tar.gz')
    assert facts == SAMPLES[name].make().facts()


def test_no_other_snapshot_is_shipped() -> None:
    names = {path.name.removesuffix('.tar.gz') for path in SHIPPED.iterdir()}
    assert names == set(SAMPLES)


@pytest.mark.parametrize('code', IMPORTANT)
def test_a_snapshot_with_one_defect(code: str, tmp_path: Path) -> None:
    spoil, also = HOST_DEFECTS[code]
    host = tuned_host()
    spoil(host)
    path = tmp_path / 'host.tar.gz'
    path.write_bytes(pack(take_snapshot(host.tree())))
    findings = run_checks(read_facts(path), PLUGINS)
    assert {f.code for f in findings if not f.is_undecided} == {code, *also}
    assert summarize(findings).verdict is Verdict.NOT_READY

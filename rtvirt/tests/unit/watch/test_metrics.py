# SPDX-License-Identifier: Apache-2.0
"""The metrics say what the last look saw, in a file and over HTTP."""

from __future__ import annotations

import os
import stat
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip('prometheus_client')

from prometheus_client.parser import text_string_to_metric_families

from rtvirt.exception import HostError
from rtvirt.tests.unit.watch.test_change import finding
from rtvirt.watch.change import Seen
from rtvirt.watch.metrics import Metrics
from rtvirt.watch.watcher import Status

STATUS = Status(
    seen=(
        Seen(
            uuid='u1',
            name='plc "1"\n',
            findings=(
                finding('RV-T03'),
                finding('RV-S01'),
                finding('RV-M01', is_undecided=True),
            ),
            switches={0: 7, 3: 0},
        ),
        Seen(uuid='u2', name='plc-2', findings=(), switches={}),
    ),
    is_up=True,
    at=1700000000.0,
    duration_s=0.25,
    looks=9,
    failures=2,
    drifts={'plc "1"\n': 4},
)


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Return each value by the metric's name and labels, by their names."""
    return {
        (sample.name, *(v for _, v in sorted(sample.labels.items()))): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def metrics() -> Metrics:
    metrics = Metrics()
    metrics.set(STATUS)
    return metrics


def test_a_file_has_all_of_it(metrics: Metrics, tmp_path: Path) -> None:
    path = tmp_path / 'rtvirt.prom'
    metrics.write(str(path))
    found = samples(path.read_text())
    name = 'plc "1"\n'
    assert found['rtvirt_libvirt_up',] == 1
    assert found['rtvirt_watch_last_success_timestamp_seconds',] == 1.7e9
    assert found['rtvirt_watch_duration_seconds',] == 0.25
    assert found['rtvirt_watch_domains',] == 2
    assert found['rtvirt_watch_looks_total',] == 9
    assert found['rtvirt_watch_failures_total',] == 2
    assert found['rtvirt_domain_findings', name, 'error', 'u1'] == 2
    assert found['rtvirt_domain_findings', name, 'fatal', 'u1'] == 0
    assert found['rtvirt_domain_findings', 'plc-2', 'error', 'u2'] == 0
    assert found['rtvirt_domain_undecided', name, 'u1'] == 1
    assert found['rtvirt_domain_drifts_total', name, 'u1'] == 4
    assert (
        found['rtvirt_vcpu_involuntary_switches_total', name, 'u1', '0'] == 7
    )
    # The node exporter is another user.
    assert stat.S_IMODE(path.stat().st_mode) & 0o444 == 0o444 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_file_is_replaced_as_a_whole(
    metrics: Metrics, tmp_path: Path
) -> None:
    path = tmp_path / 'rtvirt.prom'
    metrics.write(str(path))
    with path.open() as opened:
        metrics.set(Status(drifts={}))
        metrics.write(str(path))
        assert samples(opened.read())['rtvirt_watch_domains',] == 2
    assert samples(path.read_text())['rtvirt_watch_domains',] == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ['rtvirt.prom']


def test_they_are_served(metrics: Metrics) -> None:
    with metrics.listen('127.0.0.1', 0) as port:
        url = f'http://127.0.0.1:{port}/metrics'
        with urllib.request.urlopen(url) as response:
            found = samples(response.read().decode())
        assert found['rtvirt_watch_domains',] == 2
        with (
            pytest.raises(HostError, match=f'127.0.0.1:{port}'),
            metrics.listen('127.0.0.1', port),
        ):
            pass

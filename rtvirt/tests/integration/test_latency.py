# SPDX-License-Identifier: Apache-2.0
"""The tools themselves, run by the command that people call.

What they measure here says nothing of any machine: that it is measured,
counted and kept does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rtvirt.demo.embed import embedded_libvirt
from rtvirt.demo.embed import private_directory
from rtvirt.exception import RTVirtError
from rtvirt.host.connection import connect
from rtvirt.latency.evidence import Evidence
from rtvirt.latency.evidence import Where
from rtvirt.latency.result import Unit
from rtvirt.latency.verdict import Budget
from rtvirt.latency_reader import parse_latency
from rtvirt.measure.evidence import take_evidence
from rtvirt.measure.order import Order
from rtvirt.measure.subject import Subject
from rtvirt.measure.subject import domain_subject
from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.fixtures.guest import NAME
from rtvirt.tests.fixtures.guest import guest_xml
from rtvirt.tests.require import require_program
from rtvirt.tests.require import require_root

_BOOT_S = 60


@pytest.fixture(autouse=True, scope='module')
def rt_tests() -> None:
    require_root()
    for name in ('cyclictest', 'oslat'):
        require_program(name)


def run_latency(
    *words: str, code: int = 0
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, '-m', 'rtvirt', 'latency', 'run', *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    return done


def read(path: Path) -> Evidence:
    evidence = Evidence.from_dict(json.loads(path.read_text()))
    assert evidence.judge() == evidence.verdicts
    return evidence


def test_cyclictest_on_this_host(tmp_path: Path) -> None:
    path = tmp_path / 'evidence.json'
    done = run_latency(
        *('--local', '--cpus', '0', '--duration', '5', '-o', str(path)),
        *('--budget-us', '1000000', '--probability', '0.01', '--correlate'),
        *('-f', 'json'),
    )
    evidence = read(path)
    assert json.loads(done.stdout)['result'] == evidence.to_dict()['result']
    (thread,) = evidence.result.threads
    assert thread.cpu == 0
    assert 1000 < thread.cycles <= 25_010
    assert thread.minimum is not None
    assert thread.maximum is not None
    (verdict,) = evidence.verdicts
    assert verdict.outcome == 'pass'
    assert evidence.host is not None
    assert evidence.host.summary['kernel'] == os.uname().release
    # cyclictest told its maximum meanwhile, and the host was watched.
    last = evidence.samples[-1]
    assert 0 < last.maxima[0] <= thread.maximum
    assert sum(s.cpus[0].interrupts.get('LOC', 0) for s in evidence.samples)
    seen = [s.cpus[0].preemptions for s in evidence.samples]
    assert any(number is not None for number in seen)


def test_oslat_on_this_host(tmp_path: Path) -> None:
    path = tmp_path / 'evidence.json'
    run_latency(
        *('--local', '--cpus', '1', '--main-cpus', '0', '--tool', 'oslat'),
        *('--duration', '2', '--priority', '1', '-o', str(path)),
    )
    (thread,) = read(path).result.threads
    assert thread.cpu == 1
    assert thread.cycles > 1000


def test_a_budget_that_is_exceeded_ends_with_3() -> None:
    done = run_latency(
        *('--local', '--cpus', '0', '--duration', '2', '--budget-us', '1'),
        code=3,
    )
    assert 'samples are above 1 us' in done.stdout


def test_an_interrupt_keeps_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / 'evidence.json'
    process = subprocess.Popen(
        [
            *(sys.executable, '-m', 'rtvirt', 'latency', 'run', '--local'),
            *('--cpus', '0', '--duration', '1h', '-o', str(path)),
            *('--load', 'sleep 3600'),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    children = Path(f'/proc/{process.pid}/task/{process.pid}/children')
    deadline = time.monotonic() + 30
    started: list[str] = []
    while len(started) < 2:
        assert time.monotonic() < deadline
        started = children.read_text().split()
        time.sleep(0.1)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 0, stderr
    assert 'stopped after' in stderr
    evidence = read(path)
    assert not evidence.is_complete
    assert evidence.result.cycles > 100
    assert evidence.load == ('sleep', '3600')
    assert not any(Path(f'/proc/{pid}').exists() for pid in started)


@pytest.mark.parametrize(
    ('words', 'unit'),
    [
        (('-h', '300'), Unit.US),
        (('-H', '300'), Unit.US),
        (('-h', '90000', '-N'), Unit.NS),
        ((), Unit.US),
        (('-N',), Unit.NS),
        (('-v',), Unit.US),
    ],
)
def test_the_installed_cyclictest_is_understood(
    words: tuple[str, ...], unit: Unit, tmp_path: Path
) -> None:
    """Text and JSON of one run agree in every sum."""
    file = tmp_path / 'cyclictest.json'
    command = [
        *('cyclictest', '-q', '-m', '-p95', '-i1000', '-l', '200', '-t2'),
        *('-a', *words, f'--json={file}'),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = parse_latency(done.stdout, command=' '.join(command))
    kept = parse_latency(file.read_text())
    assert told.unit is kept.unit is unit
    assert [thread.cpu for thread in told.threads] == [0, 1]
    for one, other in zip(told.threads, kept.threads, strict=True):
        assert one.cycles == other.cycles > 100
        assert (one.minimum, one.maximum) == (other.minimum, other.maximum)
        if '-v' not in words:
            assert one.histogram.overflow == other.histogram.overflow
            assert one.histogram.values == other.histogram.values
            assert one.histogram.counts == other.histogram.counts


def test_the_installed_oslat_is_understood(tmp_path: Path) -> None:
    file = tmp_path / 'oslat.json'
    done = subprocess.run(
        ['oslat', '-c', '0,1', '-D', '1', '-b', '8', '--json', file],
        capture_output=True,
        text=True,
        check=True,
    )
    told, kept = parse_latency(done.stdout), parse_latency(file.read_text())
    assert [t.histogram for t in told.threads] == [
        t.histogram for t in kept.threads
    ]
    assert [t.maximum for t in told.threads] == [
        t.maximum for t in kept.threads
    ]


@pytest.fixture(scope='module')
def uri() -> Iterator[str]:
    """Where an emulated guest runs that has rt-tests."""
    with private_directory('rtvirt-test-') as root:
        files = root / 'guest'
        files.mkdir()
        document = guest_xml(files)
        libvirt = root / 'libvirt'
        libvirt.mkdir()
        with embedded_libvirt(libvirt) as driver:
            driver.createXML(document)
            yield f'qemu:///embed?root={libvirt}'


def until_up(make: Callable[[], Any]) -> Any:
    """Do it as soon as the guest lets one."""
    deadline = time.monotonic() + _BOOT_S
    while True:
        try:
            return make()
        except RTVirtError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def check_guest(subject: Subject, evidence: Evidence) -> None:
    assert evidence.target.is_emulated
    assert evidence.target.pins == {0: 0, 1: 1}
    assert evidence.findings == subject.findings == ()
    assert evidence.observed == subject.observed
    assert evidence.guest is not None
    assert evidence.guest.summary['hostname'] == 'guest'
    assert evidence.host is not None
    assert evidence.host.digest != evidence.guest.digest
    assert [thread.cpu for thread in evidence.result.threads] == [0, 1]
    for thread in evidence.result.threads:
        assert thread.cycles > 10
        assert thread.cycles == (
            thread.histogram.counted + thread.histogram.overflow
        )
    # The vCPUs' threads have run on the pCPUs that were watched.
    assert any(s.cpus[0].waited_us is not None for s in evidence.samples)
    assert Evidence.from_dict(evidence.to_dict()) == evidence


@pytest.mark.parametrize('via', [Where.CONSOLE, Where.AGENT])
def test_cyclictest_in_an_emulated_guest(uri: str, via: Where) -> None:
    """Through its serial console, and through its agent.

    An emulated processor's latencies mean nothing.
    """
    order = Order(
        cpus=CPUSet.parse('0-1'),
        duration_s=6,
        interval_us=5000,
        histogram_us=2000,
    )

    def answers() -> None:
        with domain_subject(uri, NAME, via) as subject:
            assert subject.machine.run(['true']).code == 0

    # The driver stays open: it cannot be opened anew any number of times.
    with connect(uri, read_only=False):
        # A console is asked until the shell of the guest, which still
        # boots, answers.
        if via is Where.AGENT:
            until_up(answers)
        with domain_subject(uri, NAME, via) as subject:
            evidence = take_evidence(subject, order, [Budget(limit_us=1)])
            check_guest(subject, evidence)
    assert evidence.target.where is via
    assert evidence.verdicts[0].outcome == 'fail'
    assert evidence.samples[-1].maxima

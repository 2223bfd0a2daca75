# SPDX-License-Identifier: Apache-2.0
"""What comes of the host checks, by what ``preflight`` says."""

from __future__ import annotations

import logging
import threading
import types
from typing import Any

import pytest

from rtvirt.checks.trait import KERNEL
from rtvirt.checks.trait import READY
from rtvirt.nova import privileged
from rtvirt.nova.fault import HostRefused
from rtvirt.nova.readiness import Readiness
from rtvirt.tests.host_files import HostFiles
from rtvirt.tests.tuned_host import tuned_host

DEADLINE_S = 30


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> HostFiles:
    """The host that nova-compute runs on."""
    made = tuned_host()
    monkeypatch.setattr(privileged, 'read_host', made.facts)
    return made


def readiness(**options: Any) -> Readiness:
    given = {
        'preflight': 'warn',
        'timeout': DEADLINE_S,
        'trait_interval': 3600,
        **options,
    }
    conf = types.SimpleNamespace(
        rtvirt=types.SimpleNamespace(**given),
        compute=types.SimpleNamespace(
            cpu_dedicated_set='1-4', cpu_shared_set='0,5'
        ),
        vcpu_pin_set=None,
        update_resources_interval=0,
    )
    return Readiness(conf, 'compute7')


def spoil(host: HostFiles) -> None:
    host.write('/proc/sys/kernel/sched_rt_runtime_us', '500000\n')


def test_a_fit_host_starts(
    host: HostFiles, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ready = readiness(preflight='enforce')
    ready.preflight()
    assert 'Preflight of compute7: ready for real time' in caplog.text
    assert READY in ready.traits()


def test_an_unfit_host_does_not_start(host: HostFiles) -> None:
    spoil(host)
    with pytest.raises(HostRefused, match='sched_rt_runtime_us: 500000'):
        readiness(preflight='enforce').preflight()


def test_an_unfit_host_is_told_of(
    host: HostFiles, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(host)
    ready = readiness()
    ready.preflight()
    (record,) = caplog.records
    first, second, *_ = record.getMessage().splitlines()
    assert first.startswith('Preflight of compute7: not ready for real time')
    assert 'sched_rt_runtime_us: 500000 of 1000000; expected -1' in second
    assert READY not in ready.traits()
    assert KERNEL in ready.traits()


def test_a_host_that_hangs_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hang = threading.Event()
    monkeypatch.setattr(privileged, 'read_host', hang.wait)
    readiness(timeout=0.1).preflight()
    assert 'reading the host took longer than 0.1 s' in caplog.text
    with pytest.raises(HostRefused, match=r'longer than 0\.1 s'):
        readiness(timeout=0.1, preflight='enforce').preflight()
    hang.set()


def test_off_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileged, 'read_host', pytest.fail)
    readiness(preflight='off').preflight()


def test_nobody_waits_for_the_traits(monkeypatch: pytest.MonkeyPatch) -> None:
    hang, asked = threading.Event(), threading.Event()

    def wait() -> Any:
        asked.set()
        hang.wait()
        return tuned_host().facts()

    monkeypatch.setattr(privileged, 'read_host', wait)
    ready = readiness()
    assert ready.traits() == frozenset()
    assert asked.wait(DEADLINE_S)
    assert ready.traits() == frozenset()
    hang.set()


def test_nova_knows_its_own_sets(host: HostFiles) -> None:
    """nova.conf may be another service's; pCPU 5 is not isolated."""
    ready = readiness(preflight='enforce')
    ready._conf.compute.cpu_dedicated_set = '1-5'
    with pytest.raises(HostRefused, match='5 of 1-5'):
        ready.preflight()

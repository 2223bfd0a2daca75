# SPDX-License-Identifier: Apache-2.0
"""The watch goes on while libvirt is away, and ends when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from rtvirt.exception import HostError
from rtvirt.exception import PluginError
from rtvirt.host.running import RunningDomain
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.observed import ThreadRole
from rtvirt.tests.unit.verifiers.running import document
from rtvirt.tests.unit.verifiers.running import observed
from rtvirt.tests.unit.verifiers.test_proof import thread
from rtvirt.watch import watcher
from rtvirt.watch.watcher import Status
from rtvirt.watch.watcher import Watcher

DRIFTED = observed(vcpu1=thread(73, ThreadRole.VCPU, 1, cpus='3'))


class Host:
    """What runs on it, or why it does not answer."""

    def __init__(self) -> None:
        self.running = (RunningDomain(domain=document(), observed=observed()),)
        self.error: Exception | None = None
        self.lines: list[str] = []
        self.published: list[Status] = []
        self.watcher = Watcher(
            'qemu:///x', tell=self.lines.append, publish=self.published.append
        )

    def read(
        self, uri: str, *, wanted: Callable[[Domain], bool]
    ) -> tuple[RunningDomain, ...]:
        assert uri == 'qemu:///x'
        if self.error is not None:
            raise self.error
        return tuple(one for one in self.running if wanted(one.domain))

    def told(self) -> list[str]:
        """Return the lines since the last call, without their times."""
        lines = [line.partition(' ')[2] for line in self.lines]
        self.lines.clear()
        return lines


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host()
    monkeypatch.setattr(watcher, 'read_running', host.read)
    return host


def test_a_drift_is_counted_and_told(host: Host) -> None:
    host.watcher.look()
    assert host.told() == ['rt: watched']
    host.running = (RunningDomain(domain=document(), observed=DRIFTED),)
    host.watcher.look()
    (line,) = host.told()
    assert line.startswith('rt: drift: RV-S01 vCPU 1: expected RR 7; is other')
    assert host.watcher.look().drifts == {'rt': 1}
    assert host.told() == []
    assert [status.looks for status in host.published] == [1, 2, 3]
    assert host.published[-1].is_up


def test_domains_that_are_not_realtime_are_left_alone(host: Host) -> None:
    plain = document(
        ('<vcpusched vcpus="1" scheduler="rr" priority="7"/>', ''),
        planned=False,
    )
    host.running = (RunningDomain(domain=plain, observed=DRIFTED),)
    assert host.watcher.look().seen == ()
    assert host.told() == []


def test_a_libvirt_that_is_away_is_told_once(host: Host) -> None:
    before = host.watcher.look()
    host.told()
    host.error = HostError('cannot reach qemu:///x: refused', hint='so')
    away = host.watcher.look()
    host.watcher.look()
    assert host.told() == [
        'libvirt: does not answer: cannot reach qemu:///x: refused; mend: so'
    ]
    assert (away.is_up, away.failures, away.at) == (False, 1, before.at)
    assert away.seen == before.seen
    host.error = None
    back = host.watcher.look()
    (line,) = host.told()
    assert line.startswith('libvirt: answers again, after ')
    assert (back.is_up, back.failures, back.looks) == (True, 2, 4)


def test_it_looks_again_until_it_is_stopped(host: Host) -> None:
    stop = threading.Event()

    def count(status: Status) -> None:
        if status.looks == 3:
            stop.set()

    host.watcher = Watcher('qemu:///x', tell=host.lines.append, publish=count)
    host.watcher.run(0.0, stop)
    assert host.watcher.status.looks == 3


def test_a_broken_verifier_ends_it(host: Host) -> None:
    host.error = PluginError('broken', namespace='n', name='p')
    with pytest.raises(PluginError, match='broken'):
        host.watcher.run(0.0, threading.Event())


def test_a_libvirt_that_hangs_does_not_hold_it(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, '_GRACE_S', 0)
    stop, answer = threading.Event(), threading.Event()

    def hang(uri: str, *, wanted: object) -> tuple[RunningDomain, ...]:
        stop.set()
        answer.wait()
        return ()

    monkeypatch.setattr(watcher, 'read_running', hang)
    try:
        host.watcher.run(0.0, stop)
        assert host.watcher.status.looks == 0
    finally:
        answer.set()

# SPDX-License-Identifier: Apache-2.0
"""The watch beside a guest that strays, and a libvirtd that goes away."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from rtvirt.domain import domain_xml
from rtvirt.fitting.engine import fit
from rtvirt.host.connection import connect
from rtvirt.host.running import read_running
from rtvirt.host.source import read_host
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.observed import ThreadRole
from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd
from rtvirt.tests.require import require

NAME: Final = 'rt-watch'
_PATIENCE_S: Final = 120


class Watch:
    """The command, and what it has said so far."""

    def __init__(self, uri: str, directory: Path) -> None:
        self.file = directory / 'rtvirt.prom'
        self._out = directory / 'out'
        self._err = directory / 'err'
        command = [
            *(sys.executable, '-m', 'rtvirt', 'domain', 'watch'),
            *('--interval', '1', '--connect', uri),
            *('--textfile', str(self.file)),
        ]
        with self._out.open('w') as out, self._err.open('w') as err:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    def lines(self) -> list[str]:
        """Return what was said, without the times.

        Guests of others on this machine are strangers to ours, and said.
        """
        text = self._out.read_text()
        lines = [line.partition(' ')[2] for line in text.splitlines()]
        return [line for line in lines if 'RV-X01 domain' not in line]

    def wait_for(self, is_there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not is_there():
            assert self.process.poll() is None, self._err.read_text()
            assert time.monotonic() < deadline, self.lines()
            time.sleep(0.05)

    def wait_for_line(self, start: str) -> None:
        self.wait_for(
            lambda: any(line.startswith(start) for line in self.lines())
        )

    def wait_for_looks(self, number: int) -> None:
        """Wait until it has looked that many times more."""
        before = self.metric('rtvirt_watch_looks_total')
        self.wait_for(
            lambda: self.metric('rtvirt_watch_looks_total') >= before + number
        )

    def metric(self, name: str) -> float:
        """Return the value of the first sample of a metric."""
        text = self.file.read_text() if self.file.exists() else ''
        match = re.search(rf'^{name}(?:{{.*}})? (\S+)$', text, re.M)
        return float(match[1]) if match else 0.0

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit code and all of its errors."""
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE_S), self._err.read_text()


@pytest.fixture(scope='module')
def vcpu_tid(
    daemon: PrivateLibvirtd, guest: GuestRequirement
) -> Iterator[int]:
    """The thread of the real-time vCPU of a guest that runs.

    No connection is kept open: libvirtd is stopped meanwhile.
    """
    pytest.importorskip('prometheus_client')
    require(len(os.sched_getaffinity(0)) >= 2, 'needs two CPUs')
    plan = fit(guest, read_host(daemon.uri))
    with connect(daemon.uri, read_only=False) as connection:
        connection.createXML(domain_xml(plan, name=NAME, virt_type='qemu'))
    (running,) = read_running(daemon.uri, [NAME])
    (tid,) = [
        thread.tid
        for thread in running.observed.threads
        if (thread.role, thread.number) == (ThreadRole.VCPU, 1)
    ]
    yield tid
    with connect(daemon.uri, read_only=False) as connection:
        connection.lookupByName(NAME).destroy()


@pytest.fixture
def watch(
    vcpu_tid: int, daemon: PrivateLibvirtd, tmp_path: Path
) -> Iterator[Watch]:
    watch = Watch(daemon.uri, tmp_path)
    yield watch
    if watch.process.poll() is None:
        watch.process.kill()
        watch.process.wait()


def test_a_drift_is_said_once_and_so_is_its_end(
    watch: Watch, vcpu_tid: int
) -> None:
    watch.wait_for_line(f'{NAME}: watched')
    before = watch.metric('rtvirt_domain_drifts_total')
    os.sched_setscheduler(vcpu_tid, os.SCHED_OTHER, os.sched_param(0))
    watch.wait_for_line(f'{NAME}: drift')
    watch.wait_for_looks(2)
    assert watch.metric('rtvirt_domain_drifts_total') >= before + 1
    os.sched_setscheduler(vcpu_tid, os.SCHED_FIFO, os.sched_param(1))
    watch.wait_for_line(f'{NAME}: back')
    watch.wait_for_looks(2)
    assert watch.end(signal.SIGTERM) == (0, '')
    watched, drift, back = watch.lines()
    assert watched == f'{NAME}: watched'
    assert drift.startswith(f'{NAME}: drift: RV-S01 vCPU 1: expected FIFO 1;')
    assert f'mend: chrt --fifo -p 1 {vcpu_tid}' in drift
    assert back.startswith(f'{NAME}: back: RV-S01 vCPU 1, after ')
    assert watch.metric('rtvirt_watch_failures_total') == 0


def test_a_restart_of_libvirtd_is_survived(
    watch: Watch, daemon: PrivateLibvirtd
) -> None:
    watch.wait_for_line(f'{NAME}: watched')
    daemon.stop()
    try:
        watch.wait_for_line('libvirt: does not answer')
        watch.wait_for_looks(2)
        assert watch.metric('rtvirt_libvirt_up') == 0
    finally:
        daemon.start()
    watch.wait_for_line('libvirt: answers again')
    watch.wait_for_looks(2)
    assert watch.metric('rtvirt_libvirt_up') == 1
    assert watch.end(signal.SIGINT) == (0, '')
    watched, away, back = watch.lines()
    assert watched == f'{NAME}: watched'
    assert away.startswith('libvirt: does not answer: cannot connect to ')
    assert back.startswith('libvirt: answers again, after ')

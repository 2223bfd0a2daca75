# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain watch``: once, and until a signal comes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rtvirt.exception import HostError
from rtvirt.host.running import RunningDomain
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.observed import ObservedDomain
from rtvirt.tests.unit.cli.conftest import RTVirt
from rtvirt.tests.unit.verifiers.running import document
from rtvirt.tests.unit.verifiers.running import observed
from rtvirt.tests.unit.watch.test_watcher import DRIFTED
from rtvirt.watch import watcher


class Host:
    def __init__(self) -> None:
        self.observed: ObservedDomain = observed()
        self.error: HostError | None = None
        self.signal: signal.Signals | None = None

    def read(
        self, uri: str, *, wanted: Callable[[Domain], bool]
    ) -> tuple[RunningDomain, ...]:
        if self.error is not None:
            raise self.error
        if self.signal is not None:
            os.kill(os.getpid(), self.signal)
        return (RunningDomain(domain=document(), observed=self.observed),)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host()
    monkeypatch.setattr(watcher, 'read_running', host.read)
    return host


def test_once_where_all_is_well(
    rtvirt: RTVirt, host: Host, tmp_path: Path
) -> None:
    pytest.importorskip('prometheus_client')
    path = tmp_path / 'rtvirt.prom'
    ended = rtvirt('domain', 'watch', '--once', '--textfile', str(path))
    assert (ended.code, ended.err) == (0, '')
    assert ended.out.endswith(' rt: watched\n')
    assert 'rtvirt_watch_domains 1.0' in path.read_text()


def test_once_with_a_drift(rtvirt: RTVirt, host: Host) -> None:
    host.observed = DRIFTED
    ended = rtvirt('domain', 'watch', '--once')
    assert ended.code == 3
    assert 'rt: drift: RV-S01 vCPU 1' in ended.out
    assert rtvirt('domain', 'watch', '--once', '--fail-on', 'fatal').code == 0


def test_once_without_libvirt(rtvirt: RTVirt, host: Host) -> None:
    host.error = HostError('refused')
    ended = rtvirt('domain', 'watch', '--once')
    assert ended.code == 1
    assert 'libvirt: does not answer: refused' in ended.out


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(
    rtvirt: RTVirt, host: Host, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    host.signal = number
    ended = rtvirt('domain', 'watch', '--interval', '3600')
    assert (ended.code, ended.err) == (0, '')
    assert ended.out.endswith(' rt: watched\n')
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(
    ('arguments', 'word'),
    [
        (('--interval', '0'), '1 to 86400'),
        (('--interval', 'soon'), '1 to 86400'),
        (('--interval', 'nan'), '1 to 86400'),
        (('--listen', '9177'), '127.0.0.1:9177'),
        (('--listen', ':9177'), '127.0.0.1:9177'),
        (('--listen', '127.0.0.1:99999'), '127.0.0.1:9177'),
        (('--textfile', '/tmp/rtvirt.txt'), '.prom'),
        (('--textfile', '/nowhere/rtvirt.prom'), '/nowhere'),
    ],
)
def test_arguments_that_are_wrong(
    rtvirt: RTVirt, host: Host, arguments: tuple[str, str], word: str
) -> None:
    pytest.importorskip('prometheus_client')
    ended = rtvirt('domain', 'watch', '--once', *arguments)
    assert (ended.code, ended.out) == (2, '')
    assert word in ended.err


def test_without_prometheus_client(
    rtvirt: RTVirt, host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, 'rtvirt.watch.metrics', None)
    path = str(tmp_path / 'x.prom')
    ended = rtvirt('domain', 'watch', '--once', '--textfile', path)
    assert ended.code == 1
    assert "pip install 'rtvirt[watch]'" in ended.err
    assert rtvirt('domain', 'watch', '--once').code == 0

# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain verify`` shows each thread and says what is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pytest

from rtvirt.cli import verify
from rtvirt.exception import HostError
from rtvirt.host.running import RunningDomain
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ThreadRole
from rtvirt.tests.unit.cli.conftest import RTVirt
from rtvirt.tests.unit.verifiers.running import HIDDEN
from rtvirt.tests.unit.verifiers.running import STRANGER
from rtvirt.tests.unit.verifiers.running import document
from rtvirt.tests.unit.verifiers.running import observed
from rtvirt.tests.unit.verifiers.test_proof import thread

URI = 'qemu+unix:///system?socket=/nowhere'


class Host:
    """What runs on it, and what was asked of it."""

    def __init__(self) -> None:
        self.observed: ObservedDomain = observed()
        self.asked: tuple[str, list[str] | None] | None = None
        self.asks_qemu = False

    def read(
        self, uri: str, names: Iterable[str] | None, *, ask: bool
    ) -> tuple[RunningDomain, ...]:
        self.asked = (uri, None if names is None else [*names])
        self.asks_qemu = ask
        return (RunningDomain(domain=document(), observed=self.observed),)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host()
    monkeypatch.setattr(verify, 'read_running', host.read)
    return host


def test_a_good_domain(rtvirt: RTVirt, host: Host) -> None:
    ended = rtvirt('domain', 'verify', 'rt')
    assert (ended.code, ended.err) == (0, '')
    assert host.asked == ('qemu:///system', ['rt'])
    assert ended.out.startswith('1 running domain, 1 real-time: as wanted')
    assert ended.rows[0][1:] == [
        *('Thread', 'TID', 'Role', 'Planned', 'Actual', 'Verdict')
    ]
    rows = {(row[3], row[2]): row[4:] for row in ended.rows[1:]}
    assert rows['vCPU 1', '73'] == ['pCPU 3, RR 7', 'pCPU 3, RR 7', 'ok']
    assert rows['memory', '-'][2] == 'ok'
    assert rows['locked memory', '-'] == ['512 MiB', '512 MiB', 'ok']
    assert 'Found' not in ended.out


def test_a_bad_domain_ends_with_3(rtvirt: RTVirt, host: Host) -> None:
    host.observed = observed(vcpu1=thread(73, ThreadRole.VCPU, 1, cpus='3'))
    ended = rtvirt('domain', 'verify', '--all', '--connect', URI)
    assert host.asked == (URI, None)
    assert ended.code == 3
    assert ended.out.startswith('1 running domain, 1 real-time: 1 error')
    wrong = [row[3] for row in ended.rows[1:] if row[-1] == 'WRONG']
    assert wrong == ['vCPU 1']
    assert 'RV-S01' in ended.out
    assert 'chrt --rr -p 7 73' in ended.out
    ended = rtvirt('domain', 'verify', 'rt', '--fail-on', 'fatal')
    assert ended.code == 0


def test_json_has_numbers_and_findings(rtvirt: RTVirt, host: Host) -> None:
    host.observed = observed(vcpu1=None)
    ended = rtvirt('domain', 'verify', 'rt', '-f', 'json')
    assert ended.code == 3
    assert ended.json['schema_version'] == 1
    (domain,) = ended.json['domains']
    assert (domain['name'], domain['pid']) == ('rt', 70)
    vcpu0 = domain['threads'][2]
    assert vcpu0['planned'] == {'cpus': [2], 'policy': 'other', 'priority': 0}
    assert vcpu0['thread']['scheduling'] == vcpu0['planned']
    assert domain['threads'][-1]['thread'] is None
    assert domain['memory']['locked_kib'] == 1 << 19
    assert [f['code'] for f in domain['findings']] == ['RV-T01']
    assert ObservedDomain.from_dict(domain['observed']) == host.observed
    assert domain['is_realtime'] is True


def test_qemu_is_asked_only_where_that_is_wanted(
    rtvirt: RTVirt, host: Host
) -> None:
    rtvirt('domain', 'verify', 'rt')
    assert not host.asks_qemu
    rtvirt('domain', 'verify', 'rt', '--ask-qemu')
    assert host.asks_qemu


def test_strangers_have_rows_and_findings(rtvirt: RTVirt, host: Host) -> None:
    host.observed = dataclasses.replace(observed(), strangers=(STRANGER,))
    ended = rtvirt('domain', 'verify', 'rt')
    assert ended.code == 3
    (row,) = [row for row in ended.rows[1:] if row[-1] == 'WRONG']
    assert row == [
        *('rt', 'CPU 0/KVM', '99', 'stranger, of other'),
        *('not on pCPU 3', 'pCPU 3, other', 'WRONG'),
    ]
    assert 'RV-X01' in ended.out


def test_what_is_hidden_is_unknown_and_no_failure(
    rtvirt: RTVirt, host: Host
) -> None:
    host.observed = observed(HIDDEN)
    ended = rtvirt('domain', 'verify', 'rt')
    assert ended.code == 0
    assert ended.out.startswith('1 running domain, 1 real-time: 2 undecided')
    assert [row[-1] for row in ended.rows[-2:]] == ['unknown', 'unknown']


@pytest.mark.parametrize('arguments', [(), ('rt', '--all')])
def test_names_or_all(rtvirt: RTVirt, host: Host, arguments: str) -> None:
    ended = rtvirt('domain', 'verify', *arguments)
    assert ended.code == 2
    assert '--all' in ended.err
    assert host.asked is None


def test_a_host_that_does_not_answer(
    rtvirt: RTVirt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(uri: str, names: object, *, ask: bool) -> None:
        raise HostError(f'cannot connect to {uri}')

    monkeypatch.setattr(verify, 'read_running', refuse)
    ended = rtvirt('domain', 'verify', 'rt')
    assert (ended.code, ended.out) == (1, '')
    assert 'cannot connect to qemu:///system' in ended.err

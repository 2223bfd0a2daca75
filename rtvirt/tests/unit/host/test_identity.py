# SPDX-License-Identifier: Apache-2.0
"""Which thread runs which vCPU, as libvirt noted it and QEMU says it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from rtvirt.exception import HostError
from rtvirt.host import identity
from rtvirt.host.facts.tree import MappingTree
from rtvirt.host.identity import ask_qemu
from rtvirt.host.identity import read_noted
from rtvirt.model.observed import ThreadRole

PATH = '/proc/70/root/run/libvirt/qemu/rt.xml'
NOTED = b"""<domstatus state='running' reason='booted' pid='70'>
<vcpus><vcpu id='0' pid='74'/><vcpu id='1' pid='75'/><vcpu id='2'/></vcpus>
<domain type='kvm'><name>rt</name><vcpus><vcpu id='9' pid='9'/></vcpus>
</domain></domstatus>"""


def test_the_notes_of_libvirt() -> None:
    assert read_noted(MappingTree({PATH: NOTED}), 70, 'rt') == {
        74: (ThreadRole.VCPU, 0),
        75: (ThreadRole.VCPU, 1),
    }


@pytest.mark.parametrize(
    'content',
    [
        NOTED.replace(b"pid='70'", b"pid='71'"),
        b"<domstatus state='running' pid='70'/>",
        b"<domain pid='70'><vcpus><vcpu id='0' pid='74'/></vcpus></domain>",
        b'<domstatus',
        b'',
    ],
)
def test_notes_of_no_use(content: bytes) -> None:
    assert read_noted(MappingTree({PATH: content}), 70, 'rt') is None


def test_no_notes() -> None:
    assert read_noted(MappingTree({}), 70, 'rt') is None


class Domain:
    def name(self) -> str:
        return 'rt'


class QEMU:
    """One that answers like this."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            'query-cpus-fast': [
                {'thread-id': 74, 'cpu-index': 0, 'qom-path': '/m'},
                {'thread-id': 75, 'cpu-index': 1},
            ],
            'query-iothreads': [
                {'id': 'iothread2', 'thread-id': 72},
                {'id': 'mon_iothread', 'thread-id': 73},
            ],
        }

    def ask(self, domain: Domain, command: str) -> str:
        name = json.loads(command)['execute']
        return json.dumps({'return': self.answers[name], 'id': 'libvirt-1'})


@pytest.fixture
def qemu(monkeypatch: pytest.MonkeyPatch) -> QEMU:
    @contextlib.contextmanager
    def translated(what: str) -> Iterator[None]:
        yield

    qemu = QEMU()
    monkeypatch.setattr(identity, 'ask_monitor', qemu.ask)
    monkeypatch.setattr(identity, 'translated', translated)
    return qemu


def test_qemu_names_its_threads(qemu: QEMU) -> None:
    assert ask_qemu(Domain()) == {
        74: (ThreadRole.VCPU, 0),
        75: (ThreadRole.VCPU, 1),
        72: (ThreadRole.IOTHREAD, 2),
    }


@pytest.mark.parametrize(
    'answer',
    [
        None,
        ['cpu'],
        [{'cpu-index': 0}],
        [{'thread-id': '74', 'cpu-index': 0}],
        [{'thread-id': 0, 'cpu-index': 0}],
        [{'thread-id': 74}],
        [{'thread-id': 74, 'cpu-index': -1}],
        [{'thread-id': 74, 'cpu-index': 'x'}],
    ],
)
def test_an_answer_that_makes_no_sense(qemu: QEMU, answer: Any) -> None:
    qemu.answers['query-cpus-fast'] = answer
    with pytest.raises(HostError, match='QEMU'):
        ask_qemu(Domain())

# SPDX-License-Identifier: Apache-2.0
"""A domain whose process is not here is told, not guessed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt.exception import HostError
from rtvirt.host import running
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.facts.tree import MappingTree
from rtvirt.model.facts.missing import Missing
from rtvirt.tests.unit.host.test_qemu import thread

XML = """<domain type="kvm"><name>{name}</name>
<uuid>{uuid}</uuid><vcpu>1</vcpu>
<cputune><vcpupin vcpu="0" cpuset="3"/></cputune></domain>"""
NOWHERE = '11111111-2222-3333-4444-555555555555'


class Domain:
    """One that libvirt knows."""

    def __init__(
        self, name: str, *, active: bool = True, uuid: str = NOWHERE
    ) -> None:
        self._name = name
        self._active = active
        self._uuid = uuid
        self.now = [1, 1]

    def name(self) -> str:
        return self._name

    def isActive(self) -> bool:  # noqa: N802 - libvirt's name
        return self._active

    def UUIDString(self) -> str:  # noqa: N802 - libvirt's name
        return self._uuid

    def state(self) -> list[int]:
        return self.now

    def isPersistent(self) -> bool:  # noqa: N802 - libvirt's name
        return True

    def XMLDesc(self, flags: int = 0) -> str:  # noqa: N802 - libvirt's name
        return XML.format(name=self._name, uuid=self._uuid)


class Connection:
    """One that knows these domains."""

    def __init__(self, *domains: Domain) -> None:
        self._domains = {domain.name(): domain for domain in domains}

    def listAllDomains(self) -> list[Domain]:  # noqa: N802 - libvirt's name
        return [*self._domains.values()]

    def lookupByName(self, name: str) -> Domain:  # noqa: N802
        return self._domains[name]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / 'proc').mkdir()

    @contextlib.contextmanager
    def connect(uri: str, *, read_only: bool) -> Iterator[Connection]:
        assert read_only
        yield Connection(Domain('here'), Domain('asleep', active=False))

    @contextlib.contextmanager
    def translated(what: str) -> Iterator[None]:
        yield

    monkeypatch.setattr(running, 'connect', connect)
    monkeypatch.setattr(running, 'translated', translated)
    tree = DirectoryTree(tmp_path)
    monkeypatch.setattr(running, 'DirectoryTree', lambda: tree)


@pytest.mark.usefixtures('host')
@pytest.mark.parametrize('names', [['here'], None])
def test_a_process_on_another_machine(names: list[str] | None) -> None:
    with pytest.raises(HostError, match=r"'here' runs, but") as caught:
        running.read_running('qemu+ssh://far/system', names)
    assert 'qemu+ssh://far/system' in caught.value.hint


@pytest.mark.usefixtures('host')
def test_one_that_does_not_run() -> None:
    with pytest.raises(HostError, match=r"'asleep' does not run"):
        running.read_running('qemu:///system', ['asleep'])


def qemu(pid: int, uuid: str, cpus: str) -> dict[str, bytes | Missing]:
    """Return the files of a QEMU with one thread."""
    cmdline = f'qemu\0-name\0guest=d{pid}\0-uuid\0{uuid}\0'.encode()
    return {
        **thread(pid, pid, 'CPU 0/KVM', cpus),
        f'/proc/{pid}/cmdline': cmdline,
    }


@pytest.mark.parametrize(
    ('state', 'strangers'),
    [
        ([1, 1], ['d80']),
        # Paused by a user: it is pinned, or never will be.
        ([3, 1], ['d80']),
        # VIR_DOMAIN_PAUSED_STARTING_UP
        ([3, 11], []),
    ],
)
def test_a_neighbour_that_starts_is_no_stranger(
    monkeypatch: pytest.MonkeyPatch, state: list[int], strangers: list[str]
) -> None:
    other = Domain('other', uuid=NOWHERE.replace('1', 'a'))
    other.now = state

    @contextlib.contextmanager
    def connect(uri: str, *, read_only: bool) -> Iterator[Connection]:
        yield Connection(Domain('here'), other)

    @contextlib.contextmanager
    def translated(what: str) -> Iterator[None]:
        yield

    monkeypatch.setattr(running, 'connect', connect)
    monkeypatch.setattr(running, 'translated', translated)
    tree = MappingTree(
        thread(1, 1, 'init', '0-3')
        | qemu(70, NOWHERE, '3')
        | qemu(80, NOWHERE.replace('1', 'a'), '0-3')
    )
    monkeypatch.setattr(running, 'DirectoryTree', lambda: tree)

    (found,) = running.read_running('qemu:///system', ['here'])
    assert not isinstance(found.observed.strangers, Missing)
    assert [one.guest for one in found.observed.strangers] == strangers
    assert 'vcpupin' in str(found.observed.persistent)
    every = running.read_running('qemu:///system')
    assert len(every) == 1 + bool(strangers)
    assert running.read_running('x', wanted=lambda domain: False) == ()

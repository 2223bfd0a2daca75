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

XML = """<domain type="kvm"><name>{name}</name>
<uuid>11111111-2222-3333-4444-555555555555</uuid></domain>"""


class Domain:
    """One that libvirt knows."""

    def __init__(self, name: str, *, active: bool = True) -> None:
        self._name = name
        self._active = active

    def name(self) -> str:
        return self._name

    def isActive(self) -> bool:  # noqa: N802 - libvirt's name
        return self._active

    def state(self) -> list[int]:
        return [1, 1]

    def isPersistent(self) -> bool:  # noqa: N802 - libvirt's name
        return True

    def XMLDesc(self, flags: int = 0) -> str:  # noqa: N802 - libvirt's name
        return XML.format(name=self._name)


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

# SPDX-License-Identifier: Apache-2.0
"""What is proved of a domain that has got to another machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

import rtvirt
from rtvirt.exception import HostError
from rtvirt.host.running import read_running
from rtvirt.lifecycle.migrate import MigratedDomain
from rtvirt.lifecycle.migrate import migrate_domain
from rtvirt.model.observed import ObservedDomain
from rtvirt.testing import FakeLibvirt
from rtvirt.testing import realtime_flavor

FAR = 'qemu+ssh://far/system'
Observe = Callable[[str], ObservedDomain]


@pytest.fixture
def migrate() -> Iterator[Callable[[Observe], MigratedDomain]]:
    """Migrate a guest from here to another machine."""
    with FakeLibvirt() as here, FakeLibvirt(uri=FAR):
        rtvirt.create_domain(
            rtvirt.parse_guest(realtime_flavor()),
            lambda plan: rtvirt.domain_xml(plan, name='plc-1'),
            settings=here.settings,
        )
        yield lambda observe: migrate_domain(
            'plc-1', FAR, settings=here.settings, observe=observe
        )


@pytest.fixture
def observe(monkeypatch: pytest.MonkeyPatch) -> Observe:
    """Return what that machine says of itself."""

    def look(name: str) -> ObservedDomain:
        with monkeypatch.context() as there:
            there.setattr(
                'rtvirt.testing.fake_libvirt.urlsplit', lambda _: urlsplit('')
            )
            (running,) = read_running(FAR, [name])
        return running.observed

    return look


def test_it_is_proved_by_what_that_machine_says(
    migrate: Callable[[Observe], MigratedDomain], observe: Observe
) -> None:
    moved = migrate(observe)

    assert moved.host == 'far'
    assert moved.unproved == ''
    assert moved.proof is not None
    assert moved.proof.is_proved
    assert not moved.proof.is_paused
    assert moved.proof.running.observed.uuid == moved.uuid


def test_what_is_wrong_there_is_found(
    migrate: Callable[[Observe], MigratedDomain], observe: Observe
) -> None:
    """A thread of another policy than the plan's."""

    def demoted(name: str) -> ObservedDomain:
        seen = observe(name)
        return dataclasses.replace(
            seen,
            threads=tuple(
                dataclasses.replace(
                    thread,
                    scheduling=dataclasses.replace(
                        thread.scheduling, policy='other', priority=0
                    ),
                )
                for thread in seen.threads
            ),
        )

    moved = migrate(demoted)

    assert moved.proof is not None
    assert not moved.proof.is_proved
    assert {one.code for one in moved.proof.findings} == {'RV-S01'}


def test_another_machine_that_is_asked_by_mistake_proves_nothing(
    migrate: Callable[[Observe], MigratedDomain], observe: Observe
) -> None:
    other = '11111111-2222-3333-4444-555555555555'
    moved = migrate(
        lambda name: dataclasses.replace(observe(name), uuid=other)
    )

    assert moved.proof is None
    assert f'another one, {other}' in moved.unproved


def test_what_cannot_be_asked_is_not_proved(
    migrate: Callable[[Observe], MigratedDomain],
) -> None:
    def fail(_name: str) -> ObservedDomain:
        raise HostError('nobody answers', hint='knock again')

    moved = migrate(fail)

    assert moved.proof is None
    assert moved.unproved == 'nobody answers'

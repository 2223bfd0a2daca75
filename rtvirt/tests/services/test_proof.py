# SPDX-License-Identifier: Apache-2.0
"""What comes of a proof, by what ``verify`` says."""

from __future__ import annotations

import logging
import threading
import types
from collections.abc import Callable
from typing import Any

import pytest

from rtvirt.domain import domain_xml
from rtvirt.exception import HostError
from rtvirt.nova import privileged
from rtvirt.nova import proof
from rtvirt.nova.fault import GuestStopped
from rtvirt.nova.proof import prove
from rtvirt.tests.plans import make_plan

UUID = '5b0a7d43-6f2f-4b4b-8f53-0a1f8a2f7c11'


class Guest:
    """A guest of nova's, as far as the proof looks at it."""

    uuid = UUID

    def __init__(self, xml: Callable[[], str]) -> None:
        self.get_xml_desc = xml
        self.is_stopped = False

    def is_active(self) -> bool:
        return not self.is_stopped

    def poweroff(self) -> None:
        self.is_stopped = True


@pytest.fixture
def instance() -> Any:
    flavor = types.SimpleNamespace(
        name='rt',
        vcpus=2,
        memory_mb=512,
        extra_specs={
            'hw:cpu_policy': 'dedicated',
            'hw:cpu_realtime': 'yes',
            'hw:cpu_realtime_mask': '^0',
        },
    )
    return types.SimpleNamespace(
        uuid=UUID, flavor=flavor, system_metadata={}, name='rt1'
    )


@pytest.fixture
def guest() -> Guest:
    text = domain_xml(make_plan(), name='rt1', uuid=UUID)
    return Guest(lambda: text)


def options(verify: str, timeout: float = 30) -> Any:
    return types.SimpleNamespace(verify=verify, timeout=timeout)


@pytest.fixture(autouse=True)
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here has a process."""

    def fail(_uuid: str) -> Any:
        raise HostError('no process', hint='look for it')

    monkeypatch.setattr(privileged, 'read_guest', fail)


def test_a_guest_that_cannot_be_read_is_stopped(
    instance: Any, guest: Guest
) -> None:
    with pytest.raises(GuestStopped) as caught:
        prove(instance, guest, options('enforce'))
    assert guest.is_stopped
    assert caught.value.format_message() == (
        'The real-time guest was stopped: it could not be proved: '
        'no process (look for it)'
    )


def test_a_hung_libvirt_ends_the_start_in_time(instance: Any) -> None:
    hang = threading.Event()

    def wait() -> str:
        hang.wait()
        return ''

    with pytest.raises(GuestStopped, match=r'longer than 0\.1 s'):
        prove(instance, Guest(wait), options('enforce', 0.1))
    hang.set()


def test_a_warning_holds_nobody_up(
    instance: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hang, logged = threading.Event(), threading.Event()

    def wait() -> str:
        hang.wait()
        return ''

    find = proof._find_fault

    def find_and_tell(*args: Any) -> str:
        reason = find(*args)
        logged.set()
        return reason

    monkeypatch.setattr(proof, '_find_fault', find_and_tell)
    caplog.set_level(logging.INFO)
    stuck = Guest(wait)
    prove(instance, stuck, options('warn', 0.2))
    assert not logged.is_set()
    assert logged.wait(30)
    assert 'No proof of the guest: ' in caplog.text
    assert not stuck.is_stopped
    hang.set()


def test_off_is_off(instance: Any) -> None:
    prove(instance, Guest(pytest.fail), options('off'))


def test_a_guest_that_is_not_started_has_no_threads(
    instance: Any, guest: Guest
) -> None:
    guest.is_stopped = True
    prove(instance, guest, options('enforce'))


def test_a_guest_without_real_time_is_left_alone(instance: Any) -> None:
    instance.flavor.extra_specs = {'hw:cpu_policy': 'dedicated'}
    prove(instance, Guest(pytest.fail), options('enforce'))

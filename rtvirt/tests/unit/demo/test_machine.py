# SPDX-License-Identifier: Apache-2.0
"""What a machine lets one do is found out by trying."""

import pathlib
import resource

import pytest

from rtvirt.demo.machine import kvm_trouble
from rtvirt.demo.machine import memlock_trouble


def test_a_machine_without_the_device(tmp_path: pathlib.Path) -> None:
    device = tmp_path / 'kvm'

    assert kvm_trouble(str(device)) == f'{device}: No such file or directory'


def test_a_file_in_place_of_the_device(tmp_path: pathlib.Path) -> None:
    device = tmp_path / 'kvm'
    device.touch()

    assert kvm_trouble(str(device)).startswith(f'{device}: ')


def test_a_limit_that_cannot_be_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_which: int, _limits: tuple[int, int]) -> None:
        raise ValueError('not allowed to raise maximum limit')

    monkeypatch.setattr(resource, 'setrlimit', refuse)

    assert 'CAP_SYS_RESOURCE is missing' in memlock_trouble()


def test_a_limit_that_can_be_raised_is_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_to = []

    def accept(_which: int, limits: tuple[int, int]) -> None:
        set_to.append(limits)

    monkeypatch.setattr(resource, 'getrlimit', lambda _which: (1, 2))
    monkeypatch.setattr(resource, 'setrlimit', accept)

    assert memlock_trouble() == ''
    assert set_to[-1] == (1, 2)

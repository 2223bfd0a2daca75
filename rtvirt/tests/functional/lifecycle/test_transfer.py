# SPDX-License-Identifier: Apache-2.0
"""A migration without end is called back."""

from __future__ import annotations

import importlib.util
import threading
from typing import Any

import pytest

from rtvirt.exception import HostError
from rtvirt.lifecycle.claim import Claim
from rtvirt.lifecycle.transfer import send
from rtvirt.tests.require import require


class Endless:
    """A domain that is sent until it is called back, for the second time.

    libvirt refuses the first call where the migration has not begun.
    """

    def __init__(self) -> None:
        self.calls = 0
        self._done = threading.Event()

    def migrate3(self, *_args: Any) -> None:
        import libvirt  # noqa: PLC0415 - it is an extra

        assert self._done.wait(60)
        raise libvirt.libvirtError('operation aborted: called back')

    def abortJob(self) -> None:  # noqa: N802 - libvirt's name
        import libvirt  # noqa: PLC0415 - it is an extra

        self.calls += 1
        if self.calls == 1:
            raise libvirt.libvirtError('no job is active on the domain')
        self._done.set()


class There:
    """The libvirt of the destination."""

    def __init__(self, *, alive: bool) -> None:
        self._alive = alive

    def isAlive(self) -> bool:  # noqa: N802 - libvirt's name
        return self._alive


@pytest.mark.parametrize(
    ('alive', 'timeout', 'said'),
    [
        (True, 0.1, r'has not got to there within 0\.1 s'),
        (False, None, "there has gone while domain 'a' was on its way"),
    ],
    ids=['too-long', 'cut-off'],
)
def test_one_without_end_is_called_back(
    alive: bool, timeout: float | None, said: str
) -> None:
    require(
        importlib.util.find_spec('libvirt') is not None,
        'needs libvirt-python: pip install libvirt-python',
    )
    handle = Endless()
    claim = Claim(
        name='a',
        host='there',
        plan=None,  # type: ignore[arg-type]
        live='',
        kept='',
        is_kept=True,
    )

    with pytest.raises(HostError, match=said):
        send(handle, There(alive=alive), claim, {}, timeout)

    assert handle.calls == 2

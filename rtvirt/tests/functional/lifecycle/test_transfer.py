# SPDX-License-Identifier: Apache-2.0
"""A migration without end is called back."""

from __future__ import annotations

import importlib.util
import threading
from typing import Any

import pytest

from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.connection import translated
from rtvirt.lifecycle.claim import Claim
from rtvirt.lifecycle.transfer import send
from rtvirt.tests.fixtures.silent import SilentLibvirt
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


@pytest.fixture
def claim() -> Claim:
    require(
        importlib.util.find_spec('libvirt') is not None,
        'needs libvirt-python: pip install libvirt-python',
    )
    return Claim(
        name='a',
        host='there',
        plan=None,  # type: ignore[arg-type]
        live='',
        kept='',
        is_kept=True,
    )


def test_one_that_takes_too_long_is_called_back(claim: Claim) -> None:
    handle = Endless()

    with (
        connect('test:///default') as there,
        pytest.raises(HostError, match=r'has not got to there within 0\.1 s'),
    ):
        send(handle, there, claim, {}, 0.1)

    assert handle.calls == 2


def test_one_to_a_host_that_is_cut_off_is_called_back(
    claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('rtvirt.host.connection._KEEPALIVE_S', 1)
    monkeypatch.setattr('rtvirt.host.connection._KEEPALIVE_COUNT', 1)
    handle = Endless()

    with SilentLibvirt() as peer, connect(peer.uri) as there:
        assert there.isAlive()
        peer.cut_off()
        with pytest.raises(HostError, match="there has gone while domain 'a'"):
            send(handle, there, claim, {}, 30)
        with (
            pytest.raises(HostError, match='libvirt has ended meanwhile'),
            translated('cannot ask'),
        ):
            there.getHostname()

    assert handle.calls == 2

# SPDX-License-Identifier: Apache-2.0
"""What nova-compute says where its privileged daemon cannot be started."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from rtvirt.exception import HostError
from rtvirt.nova import privileged
from rtvirt.nova.fault import HostRefused
from rtvirt.tests.services.test_readiness import readiness

UUID = '11111111-1111-4111-8111-111111111111'


@pytest.fixture(params=['refused', 'missing'])
def _no_daemon(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Neither rootwrap nor sudo lets it start, or there is none of them."""
    helper = {'refused': '/bin/false', 'missing': str(tmp_path / 'sudo')}
    monkeypatch.setattr(privileged.context, 'client_mode', True)
    monkeypatch.setattr(privileged.context, 'channel', None)
    monkeypatch.setattr(
        privileged.context,
        'helper_command',
        lambda _: [helper[request.param]],
    )


@pytest.mark.usefixtures('_no_daemon')
def test_the_way_out_is_named() -> None:
    with pytest.raises(HostError, match='does not answer') as caught:
        privileged.read_guest(UUID)
    assert 'rtvirt.filters' in caught.value.hint
    assert 'helper_command' in caught.value.hint


@pytest.mark.usefixtures('_no_daemon')
def test_a_warning_keeps_nothing_from_starting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    readiness(preflight='warn').preflight()
    records = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert 'The host could not be checked' in records[-1].getMessage()
    assert 'rtvirt.filters' in records[-1].getMessage()


@pytest.mark.usefixtures('_no_daemon')
def test_nothing_is_enforced_unseen() -> None:
    with pytest.raises(HostRefused, match='does not answer'):
        readiness(preflight='enforce').preflight()

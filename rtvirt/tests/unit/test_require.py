# SPDX-License-Identifier: Apache-2.0
"""A skip is a failure under CI, and only there."""

import pytest

from rtvirt.tests import require


def test_available_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CI', 'true')
    require.require(True, 'never read')


@pytest.mark.parametrize('value', ['', 'false', '0'])
def test_missing_skips_on_a_laptop(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv('CI', value)
    with pytest.raises(pytest.skip.Exception, match='no hammer'):
        require.require(False, 'no hammer')


def test_missing_fails_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CI', 'true')
    with pytest.raises(pytest.fail.Exception, match='no hammer'):
        require.require(False, 'no hammer')


def test_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('CI', raising=False)
    with pytest.raises(pytest.skip.Exception, match='no-such-program'):
        require.require_program('no-such-program')


def test_program_is_found() -> None:
    assert require.require_program('sh').endswith('/sh')

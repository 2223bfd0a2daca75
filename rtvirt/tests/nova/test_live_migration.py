# SPDX-License-Identifier: Apache-2.0
"""Live migration, there and back; and what the API and the log say."""

import functools

import pytest

from rtvirt.tests.nova.isolated import run

CASES = 'rtvirt.tests.nova.live_migration'
TESTS = (
    'ThereAndBack.test_document',
    'WithoutTheDriver.test_priorities_are_lost',
    'API.test_wrong_extra_spec',
    'API.test_no_host_is_left',
)


@functools.cache
def outcome() -> dict[str, str]:
    return run(CASES)


@pytest.mark.parametrize('name', TESTS)
def test_case(name: str) -> None:
    assert outcome()[f'{CASES}.{name}'] == ''


def test_none_is_left_out() -> None:
    assert outcome().keys() == {f'{CASES}.{name}' for name in TESTS}

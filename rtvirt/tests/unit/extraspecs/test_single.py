# SPDX-License-Identifier: Apache-2.0
"""One extra spec by itself."""

import pytest

from rtvirt.exception import ExtraSpecError
from rtvirt.extraspecs.entries import own
from rtvirt.extraspecs.single import check_single

TAKEN = {
    'rtvirt:scheduler': ('fifo', 'rr'),
    'rtvirt:priority': ('1', '99', '2=50,3-5=10', '16000=7'),
    'rtvirt:emulator_priority': ('0', '99'),
    'rtvirt:iothreads': ('0', '64'),
    'rtvirt:l3_policy': ('none', 'prefer', 'require'),
    'rtvirt:cache_mib': ('1', '1048576'),
    'rtvirt:memory_bandwidth': ('1', '100'),
    'rtvirt:halt_poll': ('host', 'guest', 'off'),
    'rtvirt:latency_budget_us': ('1', '1000000'),
}
REFUSED = {
    'rtvirt:scheduler': ('', 'batch', 'FIFO'),
    'rtvirt:priority': ('', '0', '100', '2=100', '5-3=1', '1=2,1=3', 'x=1'),
    'rtvirt:emulator_priority': ('-1', '100', 'x'),
    'rtvirt:iothreads': ('-1', '65', '1.5'),
    'rtvirt:l3_policy': ('', 'maybe'),
    'rtvirt:cache_mib': ('0', '1048577'),
    'rtvirt:memory_bandwidth': ('0', '101'),
    'rtvirt:halt_poll': ('', 'yes'),
    'rtvirt:latency_budget_us': ('0', '1000001'),
}


def test_every_name_is_here() -> None:
    names = {spec.name for spec in own.SPECS}
    assert names == TAKEN.keys() == REFUSED.keys()


@pytest.mark.parametrize('key', TAKEN)
def test_taken(key: str) -> None:
    for text in TAKEN[key]:
        check_single(key, text)


@pytest.mark.parametrize('key', REFUSED)
def test_refused(key: str) -> None:
    for text in REFUSED[key]:
        with pytest.raises(ExtraSpecError) as caught:
            check_single(key, text)
        assert caught.value.key == key
        assert caught.value.expected


def test_what_was_meant() -> None:
    with pytest.raises(ExtraSpecError) as caught:
        check_single('rtvirt:priorty', '5')
    assert caught.value.hint == 'did you mean rtvirt:priority?'

# SPDX-License-Identifier: Apache-2.0
"""rtvirt's own extra specs, by themselves and with nova's."""

from typing import Any

import pytest

from rtvirt.exception import ConflictingExtraSpecs
from rtvirt.exception import InvalidExtraSpec
from rtvirt.model.guest import GuestRequirement
from rtvirt.tests.flavors import Case
from rtvirt.tests.outcome import parse

DEDICATED = {'hw:cpu_policy': 'dedicated'}
RT = {**DEDICATED, 'hw:cpu_realtime': 'yes', 'hw:cpu_realtime_mask': '^0-1'}
MIXED = {'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '^0'}


def guest(specs: dict[str, str], **own: str) -> GuestRequirement:
    texts = {f'rtvirt:{name}': text for name, text in own.items()}
    return parse(Case(specs={**specs, **texts}))


@pytest.mark.parametrize(
    ('name', 'text', 'value'),
    [
        ('scheduler', 'fifo', 'fifo'),
        ('scheduler', 'rr', 'rr'),
        ('emulator_priority', '0', 0),
        ('emulator_priority', '99', 99),
        ('iothreads', '0', 0),
        ('iothreads', '64', 64),
        ('l3_policy', 'none', 'none'),
        ('l3_policy', 'prefer', 'prefer'),
        ('l3_policy', 'require', 'require'),
        ('cache_mib', '1', 1),
        ('memory_bandwidth', '100', 100),
        ('halt_poll', 'host', 'host'),
        ('halt_poll', 'guest', 'guest'),
        ('halt_poll', 'off', 'off'),
        ('latency_budget_us', '50', 50),
    ],
)
def test_taken(name: str, text: str, value: Any) -> None:
    assert getattr(guest(RT, **{name: text}), name) == value


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('scheduler', ''),
        ('scheduler', 'FIFO'),
        ('scheduler', 'deadline'),
        ('emulator_priority', '-1'),
        ('emulator_priority', '100'),
        ('emulator_priority', 'high'),
        ('iothreads', '65'),
        ('iothreads', '-1'),
        ('iothreads', ''),
        ('l3_policy', 'always'),
        ('cache_mib', '0'),
        ('cache_mib', '1.5'),
        ('memory_bandwidth', '0'),
        ('memory_bandwidth', '101'),
        ('memory_bandwidth', '50%'),
        ('halt_poll', 'on'),
        ('latency_budget_us', '0'),
        ('latency_budget_us', '1000001'),
        ('latency_budget_us', '\u0665'),
    ],
)
def test_not_taken(name: str, text: str) -> None:
    with pytest.raises(InvalidExtraSpec) as caught:
        guest(RT, **{name: text})
    assert caught.value.key == f'rtvirt:{name}'
    assert caught.value.value == text


def test_defaults() -> None:
    made = guest(RT)
    assert made.scheduler == 'fifo'
    assert made.priorities == {2: 1, 3: 1}
    assert made.emulator_priority == 0
    assert made.iothreads == 1
    assert made.l3_policy == 'none'
    assert made.cache_mib is None
    assert made.memory_bandwidth is None
    assert made.halt_poll == 'host'
    assert made.latency_budget_us is None


@pytest.mark.parametrize(
    ('text', 'priorities'),
    [
        ('50', {2: 50, 3: 50}),
        ('1', {2: 1, 3: 1}),
        ('99', {2: 99, 3: 99}),
        ('2=50,3=10', {2: 50, 3: 10}),
        ('3=10,2=50', {2: 50, 3: 10}),
        ('2=50', {2: 50, 3: 1}),
        ('2-3=7', {2: 7, 3: 7}),
        (' 2 = 50 , 3 = 10 ', {2: 50, 3: 10}),
    ],
)
def test_priorities(text: str, priorities: dict[int, int]) -> None:
    assert guest(RT, priority=text).priorities == priorities


@pytest.mark.parametrize(
    'text',
    [
        '', '0', '100', '-1', 'max', '50,10', '2=0', '2=100', '2=', '=5',
        '1=50', '0-3=50', '2=50,2=10', '2-3=5,3=6', '2=50,', '2=50;3=10',
        '2=5=6', '4=1', '^2=5', '2=50,3', '2=\u0661', '2=' + '9' * 5000,
        '9' * (1 << 17), '2=1,' * (1 << 15),
    ],
)  # fmt: skip
def test_no_priorities(text: str) -> None:
    with pytest.raises(InvalidExtraSpec) as caught:
        guest(RT, priority=text)
    assert caught.value.key == 'rtvirt:priority'
    assert len(caught.value.message) < 300


def test_priority_of_a_vcpu_that_is_not_realtime() -> None:
    with pytest.raises(InvalidExtraSpec) as caught:
        guest(RT, priority='1=50,2=10')
    assert caught.value.expected == 'priorities of the real-time vCPUs, 2-3'
    assert 'vCPU 1 is not real-time' in caught.value.hint


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('scheduler', 'fifo'),
        ('priority', '50'),
        ('priority', ''),
        ('cache_mib', '4'),
        ('memory_bandwidth', '50'),
        ('emulator_priority', '1'),
    ],
)
@pytest.mark.parametrize('specs', [{}, DEDICATED, MIXED])
def test_needs_realtime(name: str, text: str, specs: dict[str, str]) -> None:
    with pytest.raises(ConflictingExtraSpecs, match='real-time') as caught:
        guest(specs, **{name: text})
    assert caught.value.key == f'rtvirt:{name}'
    assert 'hw:cpu_realtime=yes' in caught.value.hint


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('l3_policy', 'prefer'),
        ('l3_policy', 'require'),
        ('halt_poll', 'guest'),
        ('halt_poll', 'off'),
    ],
)
def test_needs_dedicated(name: str, text: str) -> None:
    with pytest.raises(ConflictingExtraSpecs, match='dedicated') as caught:
        guest({}, **{name: text})
    assert caught.value.key == f'rtvirt:{name}'
    assert getattr(guest(MIXED, **{name: text}), name) == text
    assert getattr(guest(DEDICATED, **{name: text}), name) == text


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('l3_policy', 'none'),
        ('halt_poll', 'host'),
        ('emulator_priority', '0'),
        ('iothreads', '2'),
        ('latency_budget_us', '100'),
    ],
)
def test_any_guest_may_have(name: str, text: str) -> None:
    assert guest({}, **{name: text}).warnings == ()


def test_emulator_priority_beside_others() -> None:
    share = {**RT, 'hw:emulator_threads_policy': 'share'}
    (warning,) = guest(share, emulator_priority='1').warnings
    assert 'rtvirt:emulator_priority' in warning
    assert guest(RT, emulator_priority='1').warnings == ()

# SPDX-License-Identifier: Apache-2.0
"""Each deliberate deviation is real, and is what its text says."""

import pytest

from rtvirt.extraspecs.deviation import DEVIATIONS
from rtvirt.tests.flavors import Case
from rtvirt.tests.nova.explanation import ask_nova
from rtvirt.tests.nova.explanation import ask_rtvirt
from rtvirt.tests.nova.explanation import explain

SIZE = 'hw:mem_page_size'
RT = {
    'hw:cpu_policy': 'dedicated',
    'hw:cpu_realtime': 'yes',
    'hw:emulator_threads_policy': 'isolate',
}
TWO = {'hw:numa_nodes': '2', 'hw:numa_cpus.0': '0-3', 'hw:numa_cpus.1': ''}

NOVA_REFUSES: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ('page-size-units', {SIZE: '2M'}, {}),
    ('page-size-units', {SIZE: '1G'}, {}),
    ('page-size-units', {SIZE: '2048kB'}, {}),
    ('page-size-units', {SIZE: '2048Ki'}, {}),
    ('page-size-units', {SIZE: 'any'}, {'hw_mem_page_size': '2M'}),
    ('image-values', {}, {'hw_disk_bus': 'nvme'}),
    ('address-bits', {'hw:maxphysaddr_mode': 'emulate'}, {}),
]

RTVIRT_REFUSES: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ('page-size-whole', {SIZE: '0.3MB'}, {}),
    ('page-size-whole', {SIZE: '8bit'}, {}),
    ('page-size-whole', {SIZE: '-1KB'}, {}),
    ('page-size-whole', {SIZE: '1YB'}, {}),
    ('page-size-whole', {SIZE: '9' * 19}, {}),
    ('cell-memory', TWO | {'hw:numa_mem.0': '4096', 'hw:numa_mem.1': '0'}, {}),
    (
        'cell-memory',
        TWO | {'hw:numa_mem.0': '4097', 'hw:numa_mem.1': '-1'},
        {},
    ),
    ('realtime-mask-range', RT | {'hw:cpu_realtime_mask': '^9'}, {}),
    ('realtime-mask-range', RT | {'hw:cpu_realtime_mask': '^0,^9'}, {}),
    ('realtime-mask-range', RT, {'hw_cpu_realtime_mask': '^4'}),
    ('realtime-mask-range', {'hw:cpu_realtime_mask': '2-9'}, {}),
    ('realtime-mask-range', {'hw:cpu_realtime_mask': 'abc'}, {}),
    (
        'realtime-mask-range',
        RT | {'hw:cpu_realtime_mask': '2-9'},
        {'hw_cpu_realtime_mask': '^0'},
    ),
    ('empty-thread-policy', {'hw:cpu_thread_policy': ''}, {}),
    ('unread-lists', {'hw:numa_mem.0': 'abc'}, {}),
    ('unread-lists', {'hw:numa_nodes': '1', 'hw:numa_cpus.1': 'abc'}, {}),
    ('digits', RT | {'hw:cpu_realtime_mask': '^\u0661'}, {}),
    ('digits', {SIZE: '\u0662'}, {}),
    ('digits', RT | {'hw:cpu_realtime_mask': '+1'}, {}),
    ('quota-range', {'quota:cpu_shares': '-1'}, {}),
    ('quota-range', {'quota:cpu_period': '999'}, {}),
    ('quota-range', {'quota:cpu_quota': '1'}, {}),
]


@pytest.mark.parametrize(('code', 'specs', 'image'), NOVA_REFUSES)
def test_nova_refuses_and_rtvirt_does_not(
    code: str, specs: dict[str, str], image: dict[str, str]
) -> None:
    case = Case(specs=specs, image=image)
    nova = ask_nova(case)
    ours = ask_rtvirt(case)
    assert isinstance(nova, Exception)
    assert isinstance(ours, dict)
    assert explain(case, nova, ours) == code


@pytest.mark.parametrize(('code', 'specs', 'image'), RTVIRT_REFUSES)
def test_rtvirt_refuses_and_nova_does_not(
    code: str, specs: dict[str, str], image: dict[str, str]
) -> None:
    case = Case(specs=specs, image=image)
    nova = ask_nova(case)
    ours = ask_rtvirt(case)
    assert isinstance(nova, dict)
    assert isinstance(ours, Exception)
    assert explain(case, nova, ours) == code


def test_every_deviation_is_shown() -> None:
    shown = {code for code, _, _ in NOVA_REFUSES + RTVIRT_REFUSES}
    assert shown == {deviation.code for deviation in DEVIATIONS}


def test_a_difference_without_a_deviation_is_none() -> None:
    case = Case(specs={'hw:cpu_policy': 'dedicated'})
    nova = ask_nova(case)
    ours = ask_rtvirt(case)
    assert isinstance(nova, dict)
    assert explain(case, nova, ours) == ''
    assert explain(case, {**nova, 'pmu': True}, ours) is None
    assert explain(case, ValueError('no'), ours) is None
    refusal = ask_rtvirt(Case(specs={'hw:cpu_policy': 'none'}))
    assert explain(case, nova, refusal) is None

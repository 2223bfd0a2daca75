# SPDX-License-Identifier: Apache-2.0
"""The catalogue is complete, and the parser acts upon every entry."""

import re
from typing import Any

import pytest

from rtvirt.exception import ExtraSpecError
from rtvirt.exception import UnsupportedExtraSpec
from rtvirt.extraspecs.catalog import EXTRA_SPECS
from rtvirt.extraspecs.catalog import IMAGE_PROPERTIES
from rtvirt.extraspecs.catalog import SPECS
from rtvirt.extraspecs.deviation import DEVIATIONS
from rtvirt.extraspecs.spec import Kind
from rtvirt.extraspecs.spec import Role
from rtvirt.extraspecs.spec import Spec
from rtvirt.model.guest import GuestRequirement
from rtvirt.tests.flavors import Case
from rtvirt.tests.outcome import parse

DEDICATED = {'hw:cpu_policy': 'dedicated'}
RT = {**DEDICATED, 'hw:cpu_realtime': 'yes', 'hw:cpu_realtime_mask': '^0'}
ISOLATE = {'hw:emulator_threads_policy': 'isolate'}
LARGE = {'hw:mem_page_size': 'large'}
TWO = {
    'hw:numa_nodes': '2',
    'hw:numa_cpus.0': '0', 'hw:numa_cpus.1': '1-3',
    'hw:numa_mem.0': '1024', 'hw:numa_mem.1': '3072',
}  # fmt: skip
IMAGE_TWO = {k.replace(':', '_'): v for k, v in TWO.items()}
SEV = {'hw_firmware_type': 'uefi'}
ENCRYPTED = {'hw:mem_encryption': 'yes'}

EFFECTS: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    'rtvirt:scheduler': (RT, {}, 'rr'),
    'rtvirt:priority': (RT, {}, '50'),
    'rtvirt:emulator_priority': (RT, {}, '1'),
    'rtvirt:iothreads': ({}, {}, '2'),
    'rtvirt:l3_policy': (DEDICATED, {}, 'require'),
    'rtvirt:cache_mib': (RT, {}, '4'),
    'rtvirt:memory_bandwidth': (RT, {}, '50'),
    'rtvirt:halt_poll': (DEDICATED, {}, 'off'),
    'rtvirt:latency_budget_us': ({}, {}, '50'),
    'hw:cpu_policy': ({}, {}, 'dedicated'),
    'hw_cpu_policy': ({}, {}, 'dedicated'),
    'hw:cpu_thread_policy': (DEDICATED, {}, 'isolate'),
    'hw_cpu_thread_policy': (DEDICATED, {}, 'isolate'),
    'hw:emulator_threads_policy': (DEDICATED, {}, 'isolate'),
    'hw:cpu_dedicated_mask': (
        {'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '^0'}, {}, '^0-1',
    ),
    'hw:cpu_realtime': ({**DEDICATED, **ISOLATE}, {}, 'yes'),
    'hw:cpu_realtime_mask': (RT, {}, '^0-1'),
    'hw_cpu_realtime_mask': (RT, {}, '^0-1'),
    'hw:cpu_sockets': ({}, {}, '2'),
    'hw:cpu_cores': ({}, {}, '2'),
    'hw:cpu_threads': ({}, {}, '2'),
    'hw:cpu_max_sockets': ({}, {}, '2'),
    'hw:cpu_max_cores': ({'hw:cpu_cores': '4'}, {}, '2'),
    'hw:cpu_max_threads': ({'hw:cpu_threads': '4'}, {}, '2'),
    'hw_cpu_sockets': ({}, {}, '2'),
    'hw_cpu_cores': ({}, {}, '2'),
    'hw_cpu_threads': ({}, {}, '2'),
    'hw_cpu_max_sockets': ({}, {}, '2'),
    'hw_cpu_max_cores': ({'hw:cpu_cores': '4'}, {}, '2'),
    'hw_cpu_max_threads': ({'hw:cpu_threads': '4'}, {}, '2'),
    'quota:cpu_shares': ({}, {}, '2048'),
    'quota:cpu_period': ({}, {}, '10000'),
    'quota:cpu_quota': ({}, {}, '10000'),
    'resources{group}:PCPU': ({}, {}, '4'),
    'resources{group}:VCPU': (DEDICATED, {}, '4'),
    'trait{group}:HW_CPU_HYPERTHREADING': (DEDICATED, {}, 'required'),
    'trait:HW_CPU_HYPERTHREADING': (DEDICATED, {}, 'required'),
    'hw:numa_nodes': ({}, {}, '2'),
    'hw_numa_nodes': ({}, {}, '2'),
    'hw:numa_cpus.{cell}': (TWO, {}, '1'),
    'hw_numa_cpus.{cell}': ({}, IMAGE_TWO, '1'),
    'hw:numa_mem.{cell}': (TWO, {}, '1'),
    'hw_numa_mem.{cell}': ({}, IMAGE_TWO, '1'),
    'hw:pci_numa_affinity_policy': ({}, {}, 'required'),
    'hw_pci_numa_affinity_policy': ({}, {}, 'required'),
    'hw:mem_page_size': ({}, {}, '2MB'),
    'hw_mem_page_size': (LARGE, {}, '2MB'),
    'hw:locked_memory': (LARGE, {}, 'yes'),
    'hw_locked_memory': (LARGE, {}, 'yes'),
    'hw:mem_encryption': ({}, SEV, 'yes'),
    'hw_mem_encryption': ({}, SEV, 'yes'),
    'hw:mem_encryption_model': (ENCRYPTED, SEV, 'amd-sev-snp'),
    'hw_mem_encryption_model': (ENCRYPTED, SEV, 'amd-sev-snp'),
    'hw:pmem': ({}, {}, '6GB'),
    'hw_firmware_type': (ENCRYPTED, SEV, 'bios'),
    'hw_firmware_stateless': (
        {**ENCRYPTED, 'hw:mem_encryption_model': 'amd-sev-snp'}, SEV, 'yes',
    ),
    'hw_machine_type': (ENCRYPTED, SEV, 'pc'),
    'hw_video_model': (
        {**ENCRYPTED, 'hw:mem_encryption_model': 'intel-tdx'},
        {**SEV, 'hw_firmware_stateless': 'yes'},
        'none',
    ),
    'hw:pmu': ({}, {}, 'no'),
    'hw_pmu': ({}, {}, 'no'),
    'hw:hide_hypervisor_id': ({}, {}, 'yes'),
    'hide_hypervisor_id': ({}, {}, 'yes'),
    'img_hide_hypervisor_id': ({}, {}, 'yes'),
    'hw:vif_multiqueue_enabled': (
        {}, {'hw_vif_multiqueue_enabled': 'no'}, 'yes',
    ),
    'hw_vif_multiqueue_enabled': (
        {'hw:vif_multiqueue_enabled': 'yes'}, {}, 'no',
    ),
}  # fmt: skip
"""Per entry a flavor, an image, and a value that changes what they ask."""


def outcome(specs: dict[str, str], image: dict[str, str]) -> Any:
    """Return the requirement, or the error's message."""
    try:
        return parse(Case(specs=specs, image=image))
    except ExtraSpecError as error:
        return error.message


def with_value(
    spec: Spec, specs: dict[str, str], image: dict[str, str], text: str
) -> tuple[dict[str, str], dict[str, str]]:
    name = spec.names[0]
    if spec.is_image:
        return specs, {**image, name: text}
    return {**specs, name: text}, image


@pytest.mark.parametrize(
    'spec', [s for s in SPECS if s.role is Role.RTVIRT], ids=lambda s: s.name
)
def test_the_parser_acts_upon(spec: Spec) -> None:
    specs, image, text = EFFECTS[spec.name]
    without = outcome(specs, image)
    having = outcome(*with_value(spec, specs, image, text))
    assert having != without


def test_no_entry_is_left_out() -> None:
    names = [spec.name for spec in SPECS if spec.role is Role.RTVIRT]
    assert sorted(EFFECTS) == sorted(names)


@pytest.mark.parametrize(
    'spec', [s for s in SPECS if s.role is Role.NOVA], ids=lambda s: s.name
)
def test_the_parser_lets_pass(spec: Spec) -> None:
    plain = outcome({}, {})
    good = spec.values[0] if spec.values else '1'
    having = outcome(*with_value(spec, {}, {}, good))
    assert having == plain
    odd = outcome(*with_value(spec, {}, {}, 'quite wrong'))
    assert isinstance(odd, GuestRequirement)
    assert len(odd.warnings) == (1 if spec.values else 0)
    if spec.name.startswith('hw:'):
        with pytest.raises(UnsupportedExtraSpec):
            parse(Case(specs={f'{spec.name}x': good}))


def wrong_value(spec: Spec) -> str:
    if spec.kind is Kind.NUMBER and spec.maximum is not None:
        return str(spec.maximum + 1)
    if spec.kind is Kind.NUMBER and spec.minimum is not None:
        return str(spec.minimum - 1)
    return 'quite wrong'


@pytest.mark.parametrize(
    'spec',
    [s for s in SPECS if s.role is Role.RTVIRT and s.kind is not Kind.TEXT],
    ids=lambda s: s.name,
)
def test_a_wrong_value(spec: Spec) -> None:
    """It is refused, or where nova goes on, it is warned of."""
    specs, image, _ = EFFECTS[spec.name]
    text = wrong_value(spec)
    specs, image = with_value(spec, specs, image, text)
    case = Case(specs=specs, image=image)
    if spec.is_lenient or spec.kind is Kind.TRUTH:
        test = outcome(specs, image)
        if isinstance(test, GuestRequirement):
            assert any(text in warning for warning in test.warnings)
            assert any(spec.expected in warning for warning in test.warnings)
            return
    with pytest.raises(ExtraSpecError) as caught:
        parse(case)
    assert caught.value.key in {spec.names[0], spec.twin, 'hw:mem_encryption'}


@pytest.mark.parametrize('spec', SPECS, ids=lambda s: s.name)
def test_entry(spec: Spec) -> None:
    table = IMAGE_PROPERTIES if spec.is_image else EXTRA_SPECS
    assert all(table[name] is spec for name in spec.names)
    assert spec.description.endswith('.')
    assert spec.effect.endswith('.')
    assert spec.since
    assert spec.source
    assert spec.expected
    assert bool(spec.values) == (spec.kind is Kind.WORD)
    assert spec.minimum is None or spec.kind is Kind.NUMBER
    assert len(set(spec.values)) == len(spec.values)
    for name in spec.names:
        assert re.fullmatch(spec.name_pattern, name)
    if spec.default and spec.values:
        assert spec.default in spec.values


@pytest.mark.parametrize(
    'spec', [s for s in SPECS if s.twin], ids=lambda s: s.name
)
def test_twin(spec: Spec) -> None:
    (twin,) = {s.name: s for s in SPECS if s.is_image is not spec.is_image
               and s.name == spec.twin}.values()  # fmt: skip
    assert twin.kind is spec.kind
    if 'hide_hypervisor_id' not in spec.name:
        assert twin.twin == spec.name or 'HYPERTHREADING' in spec.name


def test_names_are_unique() -> None:
    names = [(spec.is_image, name) for spec in SPECS for name in spec.names]
    assert len(set(names)) == len(names)
    assert len(EXTRA_SPECS) + len(IMAGE_PROPERTIES) == len(names)


@pytest.mark.parametrize(
    ('name', 'good', 'bad'),
    [
        ('rtvirt:priority', ['5', '99', '2=50,3=10', '2-3=1'],
         ['0', '100', '2=', '2=0', '2=5,', '=5', '^2=5']),
        ('hw:cpu_realtime_mask', ['^0-1', '2-3', '0,^2'], ['', 'a', '1-']),
        ('hw:mem_page_size', ['large', '2MB', '2M', '4'], ['', '2 MB', 'big']),
    ],
)  # fmt: skip
def test_pattern(name: str, good: list[str], bad: list[str]) -> None:
    pattern = EXTRA_SPECS[name].pattern
    assert all(re.fullmatch(pattern, text) for text in good)
    assert not any(re.fullmatch(pattern, text) for text in bad)


def test_name_pattern_of_groups() -> None:
    pattern = EXTRA_SPECS['resources:PCPU'].name_pattern
    assert re.fullmatch(pattern, 'resources12:PCPU')
    assert not re.fullmatch(pattern, 'resources0:PCPU')
    assert not re.fullmatch(pattern, 'resourcesX:PCPU')


def test_deviations() -> None:
    names = {spec.name for spec in SPECS}
    codes = [deviation.code for deviation in DEVIATIONS]
    assert len(set(codes)) == len(codes)
    for deviation in DEVIATIONS:
        assert set(deviation.names) <= names
        assert deviation.nova.endswith('.')
        assert deviation.rtvirt.endswith('.')
        assert deviation.reason.endswith('.')

# SPDX-License-Identifier: Apache-2.0
"""Names that nobody knows, and what they may have been meant to be."""

import time

import pytest

from rtvirt.exception import UnsupportedExtraSpec
from rtvirt.extraspecs.request import MAX_WARNINGS
from rtvirt.extraspecs.unlisted import group_name
from rtvirt.tests.flavors import Case
from rtvirt.tests.outcome import parse


@pytest.mark.parametrize(
    ('name', 'meant'),
    [
        ('hw:cpu_realttime', 'hw:cpu_realtime'),
        ('hw:emulator_thread_policy', 'hw:emulator_threads_policy'),
        ('hw:emulator_treads_policy', 'hw:emulator_threads_policy'),
        ('hw:cpu_realtime_mas', 'hw:cpu_realtime_mask'),
        ('hw:cpu_polcy', 'hw:cpu_policy'),
        ('hw:cpu-policy', 'hw:cpu_policy'),
        ('hw:CPU_POLICY', 'hw:cpu_policy'),
        ('hw:mem_pagesize', 'hw:mem_page_size'),
        ('hw:numa_node', 'hw:numa_nodes'),
        ('hw:numa_cpu.0', 'hw:numa_cpus.0'),
        ('rtvirt:prioritys', 'rtvirt:priority'),
        ('rtvirt:l3policy', 'rtvirt:l3_policy'),
        ('rtvirt:emulator_prio', 'rtvirt:emulator_priority'),
    ],
)
def test_meant(name: str, meant: str) -> None:
    with pytest.raises(UnsupportedExtraSpec) as caught:
        parse(Case(specs={name: 'yes'}))
    error = caught.value
    assert error.key == name
    assert error.value == 'yes'
    assert error.hint == f'did you mean {meant}?'
    (warning,) = parse(Case(specs={name: 'yes'}), strict=False).warnings
    assert name in warning
    assert meant in warning


@pytest.mark.parametrize(
    'name', ['hw:', 'hw:x', 'rtvirt:', 'rtvirt:foo', 'hw:' + 'x' * 1_000_000]
)
def test_no_idea(name: str) -> None:
    with pytest.raises(UnsupportedExtraSpec) as caught:
        parse(Case(specs={name: ''}))
    assert 'list-specs' in caught.value.hint
    assert len(caught.value.message) < 200
    assert len(parse(Case(specs={name: ''}), strict=False).warnings) == 1


@pytest.mark.parametrize(
    ('name', 'meant'),
    [
        ('quota:cpu_share', 'quota:cpu_shares'),
        ('hw_cpu_policy', 'hw:cpu_policy'),
        ('rtvrt:priority', 'rtvirt:priority'),
        ('resource:PCPU', 'resources:PCPU'),
    ],
)
def test_of_another_namespace(name: str, meant: str) -> None:
    (warning,) = parse(Case(specs={name: '1'})).warnings
    assert f'did you mean {meant}?' in warning


@pytest.mark.parametrize(
    'name',
    [
        'os:secure_boot', 'capabilities:cpu_info:vendor', 'mine',
        'trait:CUSTOM_FAST', 'resources:VGPU', 'pci_passthrough:alias',
        'quota:disk_read_bytes_sec', 'aggregate_instance_extra_specs:rt', '',
        'group_policy', 'accel:device_profile', 'resources:MEMORY_MB',
    ],
)  # fmt: skip
def test_of_others(name: str) -> None:
    assert parse(Case(specs={name: 'x'})).warnings == ()
    assert parse(Case(image={name: 'x'})).warnings == ()


@pytest.mark.parametrize(
    ('name', 'meant'),
    [
        ('hw_cpu_polcy', 'hw_cpu_policy'),
        ('hw:cpu_policy', 'hw_cpu_policy'),
        ('hw_cpu_realtime_masks', 'hw_cpu_realtime_mask'),
        ('img_hide_hypervisor', 'img_hide_hypervisor_id'),
    ],
)
def test_property(name: str, meant: str) -> None:
    (warning,) = parse(Case(image={name: 'dedicated'})).warnings
    assert name in warning
    assert f'did you mean {meant}?' in warning


@pytest.mark.parametrize(
    'name',
    [
        'hw:numa_cpus.128', 'hw:numa_cpus.00', 'hw:numa_mem.01',
        'resources_A:PCPU', 'resources01:VCPU',
        'trait_X:HW_CPU_HYPERTHREADING',
    ],
)  # fmt: skip
def test_known_but_never_read(name: str) -> None:
    (warning,) = parse(Case(specs={name: '0'})).warnings
    assert name in warning
    assert 'no effect' in warning


@pytest.mark.parametrize(
    ('key', 'name'),
    [
        ('resources:PCPU', 'resources:PCPU'),
        ('resources7:VCPU', 'resources:VCPU'),
        ('trait10:HW_CPU_HYPERTHREADING', 'trait:HW_CPU_HYPERTHREADING'),
        ('resources0:PCPU', None),
        ('resources\u0661:PCPU', None),
        ('resources-1:PCPU', None),
        ('resources:MEMORY_MB', None),
        ('trait:PCPU', None),
        ('PCPU', None),
    ],
)
def test_group_name(key: str, name: str | None) -> None:
    assert group_name(key) == name


def test_many_names() -> None:
    """They take no longer than reading them, and none slips through."""
    names = {f'rtvirt{number}:x': '' for number in range(30_000)}
    names |= {f'hw:cpu_polic{number}': '' for number in range(30_000)}
    started = time.process_time()
    guest = parse(Case(specs=names), strict=False)
    with pytest.raises(UnsupportedExtraSpec):
        parse(Case(specs=names))
    parse(Case(image=names))
    assert time.process_time() - started < 30
    assert len(guest.warnings) == MAX_WARNINGS

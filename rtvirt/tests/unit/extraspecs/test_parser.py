# SPDX-License-Identifier: Apache-2.0
"""The parser as a whole: its result, its warnings, and hostile input."""

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rtvirt
from rtvirt.exception import ExtraSpecError
from rtvirt.exception import ModelError
from rtvirt.extraspecs.catalog import EXTRA_SPECS
from rtvirt.extraspecs.catalog import IMAGE_PROPERTIES
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.flavor import Flavor
from rtvirt.model.flavor import ImageProperties
from rtvirt.tests.flavors import Case
from rtvirt.tests.flavors import cases
from rtvirt.tests.flavors import smallest
from rtvirt.tests.outcome import parse

DEDICATED = {'hw:cpu_policy': 'dedicated'}
RT = {
    **DEDICATED,
    'hw:cpu_realtime': 'yes',
    'hw:cpu_realtime_mask': '^0-1',
    'hw:mem_page_size': '1GB',
}


def test_public() -> None:
    assert rtvirt.parse_guest is parse_guest


def test_realtime_guest() -> None:
    flavor = Flavor(name='rt1.small', vcpus=4, memory_mib=4096, extra_specs=RT)
    guest = parse_guest(flavor)
    assert guest.name == 'rt1.small'
    assert guest.vcpus == 4
    assert guest.memory_mib == 4096
    assert guest.cpu_policy == 'dedicated'
    assert guest.realtime == {2, 3}
    assert guest.priorities == {2: 1, 3: 1}
    assert guest.dedicated == CPUSet.parse('0-3')
    (cell,) = guest.cells
    assert cell.dedicated == CPUSet.parse('0-3')
    assert cell.shared == CPUSet()
    assert cell.page_size == 1048576
    assert guest.locked_memory
    assert guest.warnings == ()


def test_an_image_is_any_mapping() -> None:
    flavor = Flavor(name='f', vcpus=2, memory_mib=1024)
    image = {'hw_cpu_policy': 'dedicated', 'hw_pmu': False, 'hw_cpu_cores': 2}
    guest = parse_guest(flavor, image)
    assert guest == parse_guest(flavor, ImageProperties(image))
    assert guest.pmu is False
    assert guest.topology.cores == 2
    assert parse_guest(flavor, {}) == parse_guest(flavor)
    with pytest.raises(ModelError, match='hw_pmu'):
        parse_guest(flavor, {'hw_pmu': None})


@pytest.mark.parametrize(
    ('specs', 'image', 'about'),
    [
        ({**DEDICATED, 'hw:cpu_realtime': 'ture'}, {}, 'ture'),
        ({'hw:pmu': ''}, {}, 'hw:pmu'),
        ({}, {'hw_pmu': 'maybe'}, 'hw_pmu'),
        ({'hw:cpu_realtime_mask': '^0'}, {}, 'hw:cpu_realtime=yes'),
        ({'hw:cpu_sockets': '3'}, {}, '3 sockets'),
        ({'hw:cpu_threads': '0'}, {}, 'hw:cpu_threads'),
        ({}, {'hw_cpu_max_cores': '0'}, 'hw_cpu_max_cores'),
        ({'hw:emulator_threads_policy': 'share'}, {}, 'no cells'),
        ({'hw:numa_cpus.0': '0-3'}, {}, 'hw:numa_cpus.0'),
        ({}, {'hw_numa_mem.0': '1'}, 'hw_numa_mem.0'),
        ({'hw:numa_nodes': '1', 'hw:numa_mem.1': '1'}, {}, 'hw:numa_mem.1'),
        ({'hw:mem_page_size': '0'}, {}, 'hw:mem_page_size'),
        ({'resources:PCPU': 'x'}, {}, 'resources:PCPU'),
        ({**DEDICATED, 'trait:HW_CPU_HYPERTHREADING': 'no'}, {}, 'trait'),
        ({}, {'trait:HW_CPU_HYPERTHREADING': 'forbidden'}, 'trait'),
        ({'hw:tpm_model': 'big'}, {}, 'hw:tpm_model'),
        ({}, {'hw_disk_bus': 'nvme'}, 'hw_disk_bus'),
    ],
)
def test_warning(
    specs: dict[str, str], image: dict[str, str], about: str
) -> None:
    (warning,) = parse(Case(specs=specs, image=image)).warnings
    assert about in warning
    assert warning.isprintable()


@pytest.mark.parametrize(
    ('specs', 'image'),
    [
        (RT, {}),
        ({**DEDICATED, 'hw:cpu_realtime': 'no'}, {}),
        (DEDICATED, {'hw_cpu_realtime_mask': '^0'}),
        ({'hw:cpu_sockets': '2', 'hw:cpu_cores': '2'}, {}),
        ({'resources:PCPU': '4'}, {}),
        (
            {'resources:MEMORY_MB': '0', 'trait:HW_CPU_X86_AVX2': 'required'},
            {},
        ),
        ({}, {'os_distro': 'debian', 'hw_disk_bus': 'virtio'}),
    ],
)
def test_no_warning(specs: dict[str, str], image: dict[str, str]) -> None:
    assert parse(Case(specs=specs, image=image)).warnings == ()


def attempt(case: Case) -> str:
    """Return the class of the error if it is one that may be."""
    try:
        parse(case, strict=False)
        parse(case)
    except (ExtraSpecError, ModelError) as error:
        message = f'{error.message} {error.hint}'
        assert len(message) < 1500
        assert message.isprintable()
        return type(error).__name__
    return ''


@given(cases())
def test_nearly_sound(case: Case) -> None:
    attempt(case)


NAMES = sorted(EXTRA_SPECS)[::7] + [
    n for n in EXTRA_SPECS if '.' not in n or n.endswith(('.0', '.1'))
]
PROPERTIES = [n for n in IMAGE_PROPERTIES if '.' not in n] + [
    'hw_numa_cpus.0', 'hw_numa_mem.0', 'hw_numa_cpus.1', 'hw_numa_mem.1',
]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=30),
    st.text('0123456789^-,.= +_kKMGBib', max_size=20),
    st.integers().map(str),
    st.sampled_from(['yes', 'dedicated', 'mixed', 'isolate', 'large', '2MB']),
)


@given(
    st.integers(1, 20),
    st.integers(1, 5000),
    st.dictionaries(st.sampled_from(NAMES) | TEXTS, TEXTS, max_size=6),
    st.dictionaries(st.sampled_from(PROPERTIES) | TEXTS, TEXTS, max_size=4),
)
def test_anything(
    vcpus: int,
    memory_mib: int,
    specs: dict[str, str],
    image: dict[str, str],
) -> None:
    attempt(Case(vcpus, memory_mib, specs, image))


def test_smallest() -> None:
    """What the other tests report is the cause and no more."""
    specs = {**RT, 'hw:numa_nodes': '3', 'hw:pmu': 'no'}
    case = Case(specs=specs, image={'hw_pmu': 'no'})
    found = smallest(case, lambda smaller: attempt(smaller) != '')
    assert found == Case(specs={'hw:numa_nodes': '3'})


HOSTILE = [
    '0-999999999', '0-16383', '^0-999999999', '9' * 24, '-1', '9' * 100_000,
    '0,' * 130_000, '0-16383,' * 20_000, '^' * 100_000, '\x00', '\n',
    '\x1b[31mred', '\u202e', '\ud800', '\xb2', '\u0663', '', ' ' * 10_000,
    'x' * (10 << 20), '1' * (10 << 20), '1e999', 'nan', '0x10', "';--",
    '../..', '%s%n', '<a/>', '1' + '0' * 60, '-' + '9' * 60,
]  # fmt: skip


@pytest.mark.parametrize(
    'name',
    [spec.names[0] for spec in dict.fromkeys(EXTRA_SPECS.values())]
    + [spec.names[0] for spec in dict.fromkeys(IMAGE_PROPERTIES.values())],
)
def test_hostile(name: str) -> None:
    """Every value is dealt with in words and in bounded time and memory."""
    started = time.process_time()
    for text in HOSTILE:
        if name in EXTRA_SPECS:
            attempt(Case(4, 4096, {**RT, name: text}))
        else:
            attempt(Case(4, 4096, RT, {name: text}))
    assert time.process_time() - started < 30


def test_hostile_memory() -> None:
    key = 'hw:cpu_realtime_mask'
    tracemalloc.start()
    try:
        attempt(Case(4, 4096, {**RT, key: '0-999999999'}))
        attempt(Case(4, 4096, {**RT, key: '0-16383,' * 20_000}))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20


@pytest.mark.parametrize('vcpus', [1, 16384])
def test_largest_guests(vcpus: int) -> None:
    specs = {'hw:cpu_policy': 'dedicated', 'hw:cpu_cores': '7'}
    started = time.process_time()
    guest = parse(Case(vcpus, 1 << 20, {**specs, 'hw:numa_nodes': str(vcpus)}))
    assert len(guest.cells) == vcpus
    assert time.process_time() - started < 30

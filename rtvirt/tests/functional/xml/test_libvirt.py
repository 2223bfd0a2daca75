# SPDX-License-Identifier: Apache-2.0
"""Every document is valid by libvirt's schema and accepted by libvirt."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import Final

import pytest
from hypothesis import given
from lxml import etree

from rtvirt.cli.guest import read_guest
from rtvirt.domain import Disk
from rtvirt.domain import Network
from rtvirt.domain import apply_plan
from rtvirt.domain import domain_xml
from rtvirt.domain import plan_of
from rtvirt.exception import FitError
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.fitting.engine import fit
from rtvirt.host.connection import connect
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.flavor import Flavor
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.model.plan import Plan
from rtvirt.model.resctrl import CacheAllocation
from rtvirt.tests.plans import make_plan
from rtvirt.tests.plans import plans
from rtvirt.tests.require import require

SCHEMA: Final = Path('/usr/share/libvirt/schemas/domain.rng')
FLAVORS: Final = Path(__file__).parents[4] / 'etc' / 'rtvirt' / 'flavors'
HOST: Final = HostTopology.uniform(
    cells=2,
    cores=16,
    threads=2,
    memory_mib=65536,
    pages={2048: 2048, 1048576: 32},
    dedicated=CPUSet.parse('2-63'),
    shared=CPUSet.parse('0-1'),
)
UUID: Final = '5b0a7d43-6f2f-4b4b-8f53-0a1f8a2f7c11'

DATA: Final = Path(__file__).parents[2] / 'data' / 'domains'
CACHES: Final = (CacheAllocation(bank=0, size_kib=3072),)

_REALTIME: Final = {
    'hw:cpu_policy': 'dedicated',
    'hw:cpu_realtime': 'yes',
    'hw:cpu_realtime_mask': '^0',
}
_SPECS: Final[dict[str, dict[str, str]]] = {
    'shared': {},
    'dedicated': {'hw:cpu_policy': 'dedicated'},
    'isolate': {
        'hw:cpu_policy': 'dedicated',
        'hw:cpu_thread_policy': 'isolate',
    },
    'small pages': {**_REALTIME, 'hw:mem_page_size': 'small'},
    'priorities': {
        **_REALTIME,
        'rtvirt:priority': '1=50,2-3=10',
        'rtvirt:scheduler': 'rr',
    },
    'emulator': {
        **_REALTIME,
        'hw:emulator_threads_policy': 'isolate',
        'rtvirt:emulator_priority': '1',
    },
    'share': {**_REALTIME, 'hw:emulator_threads_policy': 'share'},
    'guest polls': {**_REALTIME, 'rtvirt:halt_poll': 'guest'},
    'no poll': {**_REALTIME, 'rtvirt:halt_poll': 'off'},
    'pmu': {**_REALTIME, 'hw:pmu': 'true'},
    'hidden': {**_REALTIME, 'hw:hide_hypervisor_id': 'true'},
    'iothreads': {**_REALTIME, 'rtvirt:iothreads': '3'},
    'no iothread': {**_REALTIME, 'rtvirt:iothreads': '0'},
    'quota': {
        'hw:cpu_policy': 'dedicated',
        'quota:cpu_shares': '2048',
        'quota:cpu_period': '20000',
        'quota:cpu_quota': '15000',
    },
    'topology': {
        **_REALTIME,
        'hw:cpu_sockets': '1',
        'hw:cpu_cores': '2',
        'hw:cpu_threads': '2',
    },
    'two cells': {
        **_REALTIME,
        'hw:numa_nodes': '2',
        'hw:mem_page_size': '1GB',
    },
}


def _guests() -> dict[str, GuestRequirement]:
    guests = {
        path.stem: read_guest(str(path), None)
        for path in sorted(FLAVORS.glob('*.yaml'))
    }
    for name, specs in _SPECS.items():
        guests[name] = parse_guest(
            Flavor(name=name, vcpus=4, memory_mib=2048, extra_specs=specs)
        )
    return guests


GUESTS: Final = _guests()


@pytest.fixture(scope='module')
def schema() -> etree.RelaxNG:
    """libvirt's own; it takes a second to load."""
    require(SCHEMA.exists(), f'needs libvirt0: there is no {SCHEMA}')
    return etree.RelaxNG(etree.parse(str(SCHEMA)))


@pytest.fixture(scope='module')
def libvirt() -> Iterator[Any]:
    """A connection that keeps the test driver's state alive."""
    require(
        importlib.util.find_spec('libvirt') is not None,
        'needs libvirt-python: pip install libvirt-python',
    )
    with connect('test:///default', read_only=False) as connection:
        yield connection


def place(name: str) -> Plan:
    try:
        return fit(GUESTS[name], HOST)
    except FitError as error:
        pytest.fail(f'{name}: {list(map(str, error.reasons))}')


BRIDGE: Final = Network(bridge='br0', mac='52:54:00:12:34:56')


def render(
    plan: Plan, virt_type: str, network: Network | None = BRIDGE
) -> str:
    return domain_xml(
        plan,
        name='guest',
        uuid=UUID,
        virt_type=virt_type,
        disks=(
            Disk(path='/var/lib/libvirt/images/a.qcow2', format='qcow2'),
            Disk(path='/dev/vg/b'),
        ),
        network=network,
        kernel='/boot/vmlinuz',
        initrd='/boot/initrd.img',
        cmdline='console=ttyS0 isolcpus=1-3 "quoted" <&>',
    )


@pytest.mark.parametrize('virt_type', ['kvm', 'qemu'])
@pytest.mark.parametrize('name', GUESTS)
def test_documents_are_valid(
    schema: etree.RelaxNG, name: str, virt_type: str
) -> None:
    text = render(place(name), virt_type)
    tree = etree.fromstring(text.encode())
    assert schema.validate(tree), schema.error_log.last_error


def test_the_schema_does_refuse(schema: etree.RelaxNG) -> None:
    text = render(place('rt1.small'), 'kvm')
    for old, new in (
        ("scheduler='fifo'", "scheduler='deadline'"),
        ('<locked/>', '<locked>yes</locked>'),
        ("mode='strict'", "mode='very strict'"),
    ):
        assert old in text
        broken = etree.fromstring(text.replace(old, new).encode())
        assert not schema.validate(broken)


def for_test_driver(text: str) -> str:
    """Return a document of the one type that the test driver knows."""
    text = re.sub('<domain type=[\'"]kvm[\'"]', "<domain type='test'", text)
    return re.sub('<os>.*?</type>', '<os><type>hvm</type>', text, flags=re.S)


def accepted(libvirt: Any, text: str) -> str:
    """Return what libvirt makes of a document."""
    defined = libvirt.defineXML(text)
    try:
        return str(defined.XMLDesc())
    finally:
        defined.undefine()


@pytest.mark.parametrize('name', GUESTS)
def test_libvirt_gives_an_equal_domain_back(libvirt: Any, name: str) -> None:
    plan = place(name)
    text = for_test_driver(render(plan, 'kvm'))
    back = parse_domain(accepted(libvirt, text))
    sent = parse_domain(text)
    # It says what goes without saying, and that it is an i686 machine.
    sent.current_memory_kib = sent.memory_kib
    sent.boot = back.boot
    assert back == sent
    assert plan_of(back) == plan


@pytest.mark.parametrize('name', ['rt1.small', 'two cells', 'emulator'])
def test_a_plan_goes_into_a_document_of_libvirt(
    libvirt: Any, schema: etree.RelaxNG, name: str
) -> None:
    running = libvirt.lookupByName('test')
    plan = place(name)
    merged = apply_plan(plan, running.XMLDesc())
    assert apply_plan(plan, merged) == merged
    assert schema.validate(etree.fromstring(merged.encode()))
    assert plan_of(parse_domain(merged)) == plan


@pytest.mark.parametrize('base', ['plain', 'nova'])
@pytest.mark.parametrize('name', ['rt1.small', 'rt2.large', 'shared', 'quota'])
def test_a_plan_goes_into_documents_of_others(
    libvirt: Any, schema: etree.RelaxNG, name: str, base: str
) -> None:
    plan = place(name)
    merged = apply_plan(plan, (DATA / f'{base}.xml').read_bytes())
    tree = etree.fromstring(merged.encode())
    assert schema.validate(tree), schema.error_log.last_error
    text = for_test_driver(merged)
    back, sent = parse_domain(accepted(libvirt, text)), parse_domain(text)
    assert plan_of(back) == plan
    for part in (
        'memory_kib',
        'memory_backing',
        'vcpu',
        'iothreads',
        'cputune',
        'numatune',
        'features',
        'cpu',
        'clock',
    ):
        assert getattr(back, part) == getattr(sent, part)


@given(plan=plans())
def test_any_plan_makes_a_valid_document(
    schema: etree.RelaxNG, plan: Plan
) -> None:
    tree = etree.fromstring(render(plan, 'kvm').encode())
    assert schema.validate(tree), schema.error_log.last_error


def test_a_large_guest(libvirt: Any, schema: etree.RelaxNG) -> None:
    plan = make_plan(512, 16, realtime='2-511', caches=CACHES)
    text = render(plan, 'kvm')
    tree = etree.fromstring(text.encode())
    assert schema.validate(tree), schema.error_log.last_error
    # The test driver takes 32 vCPUs at most.
    few = make_plan(32, 4, realtime='2-31', caches=CACHES)
    text = for_test_driver(render(few, 'kvm'))
    back = parse_domain(accepted(libvirt, text))
    assert back.cputune == parse_domain(text).cputune
    assert back.cputune.cachetunes
    assert plan_of(back) == few

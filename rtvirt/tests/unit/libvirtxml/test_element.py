# SPDX-License-Identifier: Apache-2.0
"""Typed elements: what is written reads the same, and nothing is forgotten."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml.boot import OSType
from rtvirt.libvirtxml.clock import Timer
from rtvirt.libvirtxml.cpu import CPU
from rtvirt.libvirtxml.cpu import NUMACell
from rtvirt.libvirtxml.cpu import Topology
from rtvirt.libvirtxml.cputune import Cache
from rtvirt.libvirtxml.cputune import CPUTune
from rtvirt.libvirtxml.cputune import VCPUSched
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.features import KVM
from rtvirt.libvirtxml.features import Features
from rtvirt.libvirtxml.memory_backing import HugePage
from rtvirt.libvirtxml.memory_backing import MemoryBacking
from rtvirt.libvirtxml.numatune import NUMAMemory
from rtvirt.libvirtxml.vcpu import VCPU
from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.unit.libvirtxml import elements
from rtvirt.tests.unit.libvirtxml.examples import EXAMPLES

CLASSES = elements.classes()


@pytest.mark.parametrize('cls', CLASSES, ids=lambda cls: cls.__name__)
@settings(max_examples=max(10, settings().max_examples // 5))
@given(data=st.data())
def test_what_is_written_reads_the_same(cls: Any, data: st.DataObject) -> None:
    element: Any = data.draw(elements.elements(cls))
    text = element.to_xml()
    again: Any = cls.from_xml(text)
    assert again == element
    assert again.to_xml() == text
    assert ElementTree.fromstring(text).tag == cls.TAG
    for name in element.__slots__:
        # Field by field: comparison leaves some of them out.
        if not name.startswith('_'):
            assert getattr(again, name) == getattr(element, name)


def test_every_class_has_an_example() -> None:
    assert {type(made) for made, _ in EXAMPLES} == set(CLASSES)


@pytest.mark.parametrize(
    ('made', 'text'), EXAMPLES, ids=lambda it: type(it).__name__
)
def test_example_is_written_so(made: Any, text: str) -> None:
    assert made.to_xml() == text
    assert type(made).from_xml(text) == made


@pytest.mark.parametrize('made', [made for made, _ in EXAMPLES])
def test_example_sets_every_field(made: Any) -> None:
    """No field can be declared that is never read and written."""
    again = type(made).from_xml(made.to_xml())
    for field in dataclasses.fields(made):
        if not field.name.startswith('_'):
            value = getattr(again, field.name)
            assert not elements.is_default(value, field), field.name


def test_element_is_frozen() -> None:
    tune = CPUTune()
    with pytest.raises(dataclasses.FrozenInstanceError):
        tune.shares = 5  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del tune.shares
    assert hash(tune) == hash(CPUTune())
    assert not hasattr(tune, '__dict__')


def test_element_takes_its_fields_by_name() -> None:
    with pytest.raises(TypeError):
        Topology(sockets=1, cores=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Topology(1, 1, 1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        CPUTune(share=1)  # type: ignore[call-arg]


def test_but_changes_some_fields() -> None:
    cell = NUMACell(cpus=CPUSet([0]), memory_kib=4, mem_access='shared')
    changed = cell.but(memory_kib=8, distances={1: 20})
    assert changed == NUMACell(
        cpus=CPUSet([0]),
        memory_kib=8,
        mem_access='shared',
        distances={1: 20},
    )
    assert cell.memory_kib == 4
    assert hash(changed.distances)
    with pytest.raises(TypeError, match="NUMACell has no field 'memory'"):
        cell.but(memory=8)


@pytest.mark.parametrize('made', [made for made, _ in EXAMPLES])
def test_element_can_be_copied(made: Any) -> None:
    for again in (
        copy.copy(made),
        copy.deepcopy(made),
        pickle.loads(pickle.dumps(made)),
    ):
        assert again == made
        assert again.to_xml() == made.to_xml()


def test_schedulers_are_grouped() -> None:
    one = CPUTune.from_xml(
        "<cputune><vcpusched vcpus='3' scheduler='fifo' priority='1'/>"
        "<vcpusched vcpus='1' scheduler='rr' priority='1'/>"
        "<vcpusched vcpus='0,2' scheduler='fifo' priority='1'/></cputune>"
    )
    assert one.vcpuscheds == (
        VCPUSched(cpus=CPUSet([0, 2, 3]), scheduler='fifo', priority=1),
        VCPUSched(cpus=CPUSet([1]), scheduler='rr', priority=1),
    )


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ("<memory nodeset='0'/>", NUMAMemory(nodeset=CPUSet([0]))),
        ('<vcpu>2</vcpu>', VCPU(placement='static', count=2)),
        ('<vcpu> 2 </vcpu>', VCPU(count=2)),
        ("<topology sockets='1' cores='2' threads='1'/>", None),
        ('<features><pmu/></features>', Features(pmu=True)),
        ("<features><kvm/></features>", Features(kvm=KVM())),
        ('<cpu><numa/></cpu>', CPU()),
        (
            "<cpu><numa><cell memory='1'/><cell memory='2'/></numa></cpu>",
            CPU(cells={0: NUMACell(memory_kib=1), 1: NUMACell(memory_kib=2)}),
        ),
        (
            "<page size='1' unit='G'/>",
            HugePage(size_kib=1048576),
        ),
        (
            "<cache id='0' level='3' type='both' size='4096'/>",
            Cache(id=0, level=3, type='both', size_kib=4),
        ),
        (
            '<memoryBacking><hugepages/></memoryBacking>',
            MemoryBacking(hugepages=()),
        ),
        ('<type><!-- x -->h<!-- y -->vm</type>', OSType()),
        ("<timer present='no' name='x'/>", Timer(present=False)),
    ],
)
def test_defaults_of_libvirt_are_read(text: str, expected: Any) -> None:
    if expected is None:
        expected = Topology(sockets=1, dies=1, cores=2, threads=1)
    assert type(expected).from_xml(text) == expected


@pytest.mark.parametrize(
    ('cls', 'text', 'message'),
    [
        (
            CPUTune,
            "<cputune>\n<vcpupin vcpu='0'/></cputune>",
            'line 2: <vcpupin> lacks the attribute cpuset',
        ),
        (
            CPUTune,
            "<cputune><vcpupin vcpu='x' cpuset='0'/></cputune>",
            "line 1: <vcpupin> has vcpu 'x': expected a whole number",
        ),
        (
            CPUTune,
            (
                "<cputune><vcpupin vcpu='1' cpuset='0'/>\n"
                "<vcpupin vcpu='1' cpuset='2'/></cputune>"
            ),
            'line 2: <vcpupin> has vcpu 1 a second time',
        ),
        (
            CPUTune,
            "<cputune><emulatorpin cpuset=''/></cputune>",
            "line 1: <emulatorpin> has cpuset '': expected CPUs, as in 0-3,8",
        ),
        (
            CPUTune,
            '<cputune><shares>1</shares>\n\n<shares>2</shares></cputune>',
            'line 3: <shares> stands there a second time',
        ),
        (
            CPUTune,
            '<cputune><quota>1.5</quota></cputune>',
            "line 1: <quota> has the text '1.5': expected a whole number",
        ),
        (
            Features,
            "<features><pmu state='maybe'/></features>",
            "line 1: <pmu> has state 'maybe': expected on or off",
        ),
        (
            Features,
            '<features><kvm><hidden/></kvm></features>',
            'line 1: <hidden> lacks the attribute state',
        ),
        (
            CPU,
            "<cpu><numa><cell id='0' memory='1' unit='nibble'/></numa></cpu>",
            (
                "line 1: <cell> has memory 1 with unit 'nibble': expected a "
                'size and a unit of libvirt, as in 4 GiB'
            ),
        ),
        (
            CPU,
            (
                "<cpu><numa><cell id='1' memory='1'/><cell memory='1'/></numa>"
                '</cpu>'
            ),
            'line 1: <cell> has id 1 a second time',
        ),
        (
            CPU,
            "<cpu><numa><cell id='0'/></numa></cpu>",
            'line 1: <cell> lacks the attribute memory',
        ),
        (
            Domain,
            "<domain type='kvm'/>",
            'line 1: <domain> lacks the element <name>',
        ),
        (
            Domain,
            "<domain type='kvm'><name>x</name><memory>-1</memory></domain>",
            "line 1: <memory> has the size -1 with unit 'KiB': expected",
        ),
        (
            Domain,
            '<domain><name>x</name></domain>',
            'line 1: <domain> lacks the attribute type',
        ),
        (Domain, '<network/>', 'line 1: <network> is the root: expected'),
        (CPU, '<domain/>', 'line 1: <domain> is the root: expected <cpu>'),
    ],
)
def test_error_names_line_and_what(
    cls: type[Element], text: str, message: str
) -> None:
    with pytest.raises(DomainXMLError) as caught:
        cls.from_xml(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    'made',
    [
        CPUTune(emulatorpin=CPUSet()),
        CPUTune(vcpupins={0: CPUSet()}),
        Domain(virt_type='kvm', name='a\0b'),
        Domain(virt_type='k\x1bvm', name='a'),
        Domain(virt_type='kvm', name='a\ud800'),
        Domain(virt_type='kvm', name='\uffff'),
    ],
)
def test_what_xml_cannot_hold_is_refused(made: Any) -> None:
    with pytest.raises(DomainXMLError):
        made.to_xml()

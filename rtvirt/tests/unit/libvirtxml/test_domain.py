# SPDX-License-Identifier: Apache-2.0
"""A domain document: changed where it must be, kept to the letter else."""

from __future__ import annotations

import copy
import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml.clock import Timer
from rtvirt.libvirtxml.codec import codec_of
from rtvirt.libvirtxml.cputune import CPUTune
from rtvirt.libvirtxml.cputune import VCPUSched
from rtvirt.libvirtxml.document import Document
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.libvirtxml.features import KVM
from rtvirt.libvirtxml.features import Features
from rtvirt.libvirtxml.iothreads import IOThread
from rtvirt.libvirtxml.memballoon import MemBalloon
from rtvirt.libvirtxml.memory_backing import HugePage
from rtvirt.libvirtxml.memory_backing import MemoryBacking
from rtvirt.libvirtxml.vcpu import VCPU
from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.unit.libvirtxml.elements import domains

TEXT = """\
<?xml version='1.0' encoding="UTF-8" standalone='yes'?>
<!-- made by hand -->
<?editor keep="this"?>
<domain type="kvm" id='7'
        xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">
  <name>r&#233;al&amp;time</name>
  <title><![CDATA[a <b> & c]]></title>
  <metadata>
    <app:owner xmlns:app="urn:app">  me </app:owner>
  </metadata>
  <memory unit='GiB'>4</memory>
  <vcpu   placement = 'static' >4</vcpu>
  <cputune>
    <!-- the first two -->
    <vcpupin vcpu="0" cpuset="2,3" later='yes'></vcpupin>
    <vcpupin cpuset='4' vcpu='1'/>\t<!-- tab before -->
    <global_period>100000</global_period>
    <energytune/>
  </cputune>
  <os><type arch='x86_64'>hvm</type></os>
  <features><acpi/><hyperv mode='custom'><relaxed state='on'/></hyperv>
  </features>
  <clock offset='utc'>
    <timer name='tsc' mode='native' since='2030'/>
    <timer name='hpet' present='yes'/>
  </clock>
  <devices>
    <memballoon model='virtio'>
      <address type='pci' slot='0x05'/>
    </memballoon>
    <tpm model='tpm-crb'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-foo'/>
  </qemu:commandline>
</domain>
<!-- the end -->
"""

HYPERV = "<hyperv mode='custom'><relaxed state='on'/></hyperv>"


def edited(text: str, **changes: Any) -> str:
    domain = parse_domain(text)
    for name, value in changes.items():
        setattr(domain, name, value)
    return domain.to_xml()


def difference(before: str, after: str) -> tuple[str, str]:
    """Return what the lines that differ were, and what they became."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return '\n'.join(old), '\n'.join(new)


def test_what_is_not_changed_is_the_same_text() -> None:
    assert parse_domain(TEXT).to_xml() == TEXT
    assert parse_domain(TEXT.encode()).to_xml() == TEXT
    assert parse_domain('\ufeff' + TEXT).to_xml() == '\ufeff' + TEXT
    windows = TEXT.replace('\n', '\r\n')
    assert parse_domain(windows).to_xml() == windows


def test_values_are_read() -> None:
    domain = parse_domain(TEXT)
    assert domain.virt_type == 'kvm'
    assert domain.name == 'réal&time'
    assert domain.memory_kib == 4 << 20
    assert domain.vcpu == VCPU(count=4)
    assert domain.cputune.vcpupins == {0: {2, 3}, 1: {4}}
    assert domain.features == Features(acpi=True)
    assert domain.clock is not None
    assert domain.clock.timers == {
        'tsc': Timer(mode='native'),
        'hpet': Timer(present=True),
    }
    assert domain.devices.memballoon == MemBalloon(model='virtio')
    assert domain.plan is None


@pytest.mark.parametrize(
    ('changes', 'before', 'after'),
    [
        pytest.param(
            {'memory_kib': 4096},
            "  <memory unit='GiB'>4</memory>",
            "  <memory unit='KiB'>4096</memory>",
            id='content-and-attribute',
        ),
        pytest.param(
            {'memory_kib': 4 << 20}, '', '', id='same-in-other-words'
        ),
        pytest.param(
            {'memory_kib': None},
            "  <memory unit='GiB'>4</memory>",
            '',
            id='leaf-taken-out',
        ),
        pytest.param(
            {'vcpu': VCPU(count=8, cpuset=CPUSet([0, 1]))},
            "  <vcpu   placement = 'static' >4</vcpu>",
            "  <vcpu   placement = 'static' cpuset=\"0-1\" >8</vcpu>",
            id='attribute-put-in',
        ),
        pytest.param(
            {'vcpu': VCPU(placement='auto', count=4)},
            "  <vcpu   placement = 'static' >4</vcpu>",
            "  <vcpu   placement = 'auto' >4</vcpu>",
            id='attribute-changed',
        ),
        pytest.param(
            {'name': 'a"\'<&'},
            '  <name>r&#233;al&amp;time</name>',
            '  <name>a"&#39;&lt;&amp;</name>',
            id='text-escaped',
        ),
        pytest.param(
            {'iothreads': 1},
            '',
            '  <iothreads>1</iothreads>',
            id='leaf-put-in',
        ),
        pytest.param(
            {'iothreadids': {2: IOThread(pool_max=1)}},
            '',
            '  <iothreadids>\n'
            '    <iothread id="2" thread_pool_max="1"/>\n'
            '  </iothreadids>',
            id='wrapped-put-in',
        ),
        pytest.param(
            {
                'memory_backing': MemoryBacking(
                    hugepages=(HugePage(size_kib=2048),), locked=True
                )
            },
            '',
            '  <memoryBacking>\n'
            '    <hugepages>\n'
            '      <page size="2048" unit="KiB"/>\n'
            '    </hugepages>\n'
            '    <locked/>\n'
            '  </memoryBacking>',
            id='group-put-in',
        ),
        pytest.param(
            {'plan': '{"a":"b"}'},
            '',
            '    <rtvirt:plan xmlns:rtvirt="urn:rtvirt:plan:1">{"a":"b"}'
            '</rtvirt:plan>',
            id='metadata-beside-that-of-others',
        ),
        pytest.param(
            {'features': Features(acpi=True, kvm=KVM(hidden=True), pmu=False)},
            f'  <features><acpi/>{HYPERV}',
            f'  <features><acpi/>{HYPERV}<kvm><hidden state="on"/></kvm>'
            '<pmu state="off"/>',
            id='on-one-line',
        ),
        pytest.param(
            {'features': Features()},
            f'  <features><acpi/>{HYPERV}',
            f'  <features>{HYPERV}',
            id='group-emptied-but-for-what-nobody-knows',
        ),
    ],
)
def test_only_that_changes(
    changes: dict[str, Any], before: str, after: str
) -> None:
    out = edited(TEXT, **changes)
    assert difference(TEXT, out) == (before, after)
    domain = parse_domain(out)
    for name, value in changes.items():
        assert getattr(domain, name) == value


def test_pins_are_changed_one_by_one() -> None:
    tune = CPUTune(
        vcpupins={0: CPUSet([2, 3]), 1: CPUSet([5]), 2: CPUSet([6])},
        emulatorpin=CPUSet([2]),
        vcpuscheds=(
            VCPUSched(cpus=CPUSet([1]), scheduler='fifo', priority=1),
        ),
    )
    assert difference(TEXT, edited(TEXT, cputune=tune)) == (
        (
            "    <vcpupin cpuset='4' vcpu='1'/>\t<!-- tab before -->\n"
            '    <global_period>100000</global_period>'
        ),
        (
            "    <vcpupin cpuset='5' vcpu='1'/>\t<!-- tab before -->\n"
            '    <vcpupin vcpu="2" cpuset="6"/>\n'
            '    <global_period>100000</global_period>\n'
            '    <emulatorpin cpuset="2"/>\n'
            '    <vcpusched vcpus="1" scheduler="fifo" priority="1"/>'
        ),
    )


def test_pins_are_taken_out_and_the_rest_stays() -> None:
    assert difference(TEXT, edited(TEXT, cputune=CPUTune())) == (
        (
            '    <!-- the first two -->\n'
            '    <vcpupin vcpu="0" cpuset="2,3" later=\'yes\'></vcpupin>\n'
            "    <vcpupin cpuset='4' vcpu='1'/>\t<!-- tab before -->"
        ),
        '    <!-- the first two -->\t<!-- tab before -->',
    )


def test_an_emptied_group_goes() -> None:
    text = (
        "<domain type='kvm'>\n  <name>x</name>\n  <cputune>\n"
        "    <vcpupin vcpu='0' cpuset='1'/>\n  </cputune>\n</domain>\n"
    )
    assert edited(text, cputune=CPUTune()) == (
        "<domain type='kvm'>\n  <name>x</name>\n</domain>\n"
    )
    kept = text.replace('</cputune>', '<!-- why --></cputune>')
    assert '<!-- why -->' in edited(kept, cputune=CPUTune())


def test_another_device_is_written_anew() -> None:
    domain = parse_domain(TEXT)
    domain.devices = domain.devices.but(memballoon=MemBalloon(model='none'))
    assert difference(TEXT, domain.to_xml()) == (
        (
            "    <memballoon model='virtio'>\n"
            "      <address type='pci' slot='0x05'/>\n"
            '    </memballoon>'
        ),
        '    <memballoon model="none"/>',
    )


def test_what_a_known_element_holds_beside_is_kept() -> None:
    domain = parse_domain(TEXT)
    assert domain.clock is not None
    domain.clock = domain.clock.but(
        timers={
            'tsc': Timer(mode='native', frequency=5),
            'hpet': Timer(present=False),
            'pit': Timer(tickpolicy='delay'),
        }
    )
    assert difference(TEXT, domain.to_xml()) == (
        (
            "    <timer name='tsc' mode='native' since='2030'/>\n"
            "    <timer name='hpet' present='yes'/>"
        ),
        (
            "    <timer name='tsc' mode='native' since='2030' "
            'frequency="5"/>\n'
            "    <timer name='hpet' present='no'/>\n"
            '    <timer name="pit" tickpolicy="delay"/>'
        ),
    )


def test_nothing_is_put_where_nothing_was_taken_out() -> None:
    text = (
        "<domain type='kvm'><name>x</name><features><kvm/></features></domain>"
    )
    domain = parse_domain(text)
    domain.features = domain.features.but(kvm=KVM(), pmu=None)
    domain.cputune = CPUTune()
    assert domain.to_xml() == text


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        (
            "<domain type='kvm'><name>x</name></domain>",
            (
                "<domain type='kvm'><name>x</name><cputune><emulatorpin "
                "cpuset='1'/></cputune></domain>"
            ),
        ),
        (
            '<domain type="kvm">\r\n\t<name>x</name>\r\n</domain>\r\n',
            (
                '<domain type="kvm">\r\n\t<name>x</name>\r\n\t<cputune>\r\n'
                '\t  <emulatorpin cpuset="1"/>\r\n\t</cputune>\r\n'
                '</domain>\r\n'
            ),
        ),
        (
            "<domain type='kvm'>\n <name>x</name>\n <cputune/>\n</domain>",
            (
                "<domain type='kvm'>\n <name>x</name>\n <cputune>\n"
                "   <emulatorpin cpuset='1'/>\n </cputune>\n</domain>"
            ),
        ),
        (
            (
                "<domain type='kvm'>\n <name>x</name>\n <cputune>\n </cputune>"
                '\n</domain>'
            ),
            (
                "<domain type='kvm'>\n <name>x</name>\n <cputune>\n"
                "   <emulatorpin cpuset='1'/>\n </cputune>\n</domain>"
            ),
        ),
        (
            (
                "<domain type='kvm'>\n <name>x</name>\n"
                ' <os><type>hvm</type></os>\n</domain>'
            ),
            (
                "<domain type='kvm'>\n <name>x</name>\n <cputune>\n"
                "   <emulatorpin cpuset='1'/>\n </cputune>\n"
                ' <os><type>hvm</type></os>\n</domain>'
            ),
        ),
        (
            (
                "<domain type='kvm'>\n <os><type>hvm</type></os>\n"
                ' <name>x</name>\n</domain>'
            ),
            (
                "<domain type='kvm'>\n <os><type>hvm</type></os>\n"
                " <name>x</name>\n <cputune>\n   <emulatorpin cpuset='1'/>"
                '\n </cputune>\n'
                '</domain>'
            ),
        ),
    ],
)
def test_layout_is_followed(text: str, expected: str) -> None:
    assert edited(text, cputune=CPUTune(emulatorpin=CPUSet([1]))) == expected


NOISE = [
    '<!-- {} -->',
    '<?mark {}?>',
    "<future{} a='1'/>",
    '<x:own{} xmlns:x="urn:x">\n   text &amp; <x:deep/></x:own{}>',
    '<?mark {}?>\n\n',
]
INSIDE = ('cputune', 'numatune', 'memoryBacking', 'features', 'cpu', 'devices')


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Return a document with much in it that no field knows, and that."""
    text = draw(domains()).to_xml()
    text = text.replace("'", draw(st.sampled_from('\'"')))
    if draw(st.booleans()):
        text = re.sub(r'>\n *<', '><', text)
    places = [
        match.end()
        for tag in ('domain', *INSIDE)
        for match in re.finditer(f'<{tag}( [^>]*)?(?<!/)>', text)
    ]
    marks: list[str] = []
    for number, place in enumerate(sorted(places, reverse=True)):
        if draw(st.booleans()):
            mark = draw(st.sampled_from(NOISE)).replace('{}', str(number))
            marks.insert(0, mark)
            text = text[:place] + mark + text[place:]
    return text, marks


@given(document=documents(), wanted=domains())
def test_any_change_is_made_and_nothing_else(
    document: tuple[str, list[str]], wanted: Domain
) -> None:
    text, marks = document
    domain = parse_domain(text)
    assert domain.to_xml() == text
    names = [
        field.name
        for field in dataclasses.fields(Domain)
        if not field.name.startswith('_')
    ]
    for name in names:
        setattr(domain, name, getattr(wanted, name))
    out = domain.to_xml()

    again = parse_domain(out)
    for name in names:
        assert to_text(again, name) == to_text(wanted, name)
    where = 0
    for mark in map(str.strip, marks):
        where = out.index(mark, where) + len(mark)
    for name in names:
        setattr(again, name, getattr(wanted, name))
    assert again.to_xml() == out


def to_text(domain: Domain, name: str) -> str:
    """Return one field as XML: comparison leaves some of it out."""
    bare = Domain(virt_type='kvm', name='x')
    setattr(bare, name, in_order(getattr(domain, name)))
    return bare.to_xml()


def in_order(value: Any) -> Any:
    """Return a value with all that has no order of its own sorted."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    if isinstance(value, tuple):
        return tuple(sorted(map(in_order, value), key=repr))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value,
            **{
                field.name: in_order(getattr(value, field.name))
                for field in dataclasses.fields(value)
            },
        )
    return value


@given(
    document=documents(),
    wanted=domains(),
    name=st.sampled_from(
        ['cputune', 'numatune', 'features', 'cpu', 'vcpu', 'iothreads', 'plan']
    ),
)
def test_other_elements_keep_every_byte(
    document: tuple[str, list[str]], wanted: Domain, name: str
) -> None:
    text, _ = document
    domain = parse_domain(text)
    setattr(domain, name, getattr(wanted, name))
    out = domain.to_xml()
    field = next(it for it in codec_of(Domain).children if it.name == name)
    assert elements_but(out, field.tag) == elements_but(text, field.tag)


def elements_but(text: str, tag: str) -> list[bytes]:
    document = Document(text)
    source = document.source
    return [
        source[child.start : child.stop]
        for child in document.root.children
        if child.tag != tag
    ]


def test_domains_are_equal_where_they_say_the_same() -> None:
    one, two = parse_domain(TEXT), parse_domain(TEXT)
    assert one == two
    two.memory_kib = 5
    assert one != two
    other = TEXT.replace('<!-- made by hand -->', '')
    assert parse_domain(other) == one
    assert copy.copy(one) == one


def test_a_domain_is_no_document_of_something_else() -> None:
    with pytest.raises(DomainXMLError, match='<network> is the root'):
        parse_domain('<network/>')
    with pytest.raises(DomainXMLError, match='<domain> is the root'):
        parse_domain("<domain xmlns='urn:x' type='kvm'/>")
    with pytest.raises(DomainXMLError, match='second time'):
        parse_domain(
            "<domain type='kvm'><name>x</name>\n<cputune/>\n<cputune/>"
            '</domain>'
        )

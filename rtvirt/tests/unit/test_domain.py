# SPDX-License-Identifier: Apache-2.0
"""Domain XML from plans."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from rtvirt.domain import Disk
from rtvirt.domain import Network
from rtvirt.domain import apply_plan
from rtvirt.domain import domain_xml
from rtvirt.domain import parse_domain
from rtvirt.domain import plan_of
from rtvirt.exception import DomainXMLError
from rtvirt.exception import PluginError
from rtvirt.libvirtxml.compact import to_compact_json
from rtvirt.model.plan import Plan
from rtvirt.plugins import configurators
from rtvirt.tests.plans import floating_plan
from rtvirt.tests.plans import make_plan
from rtvirt.tests.plans import plans

PLAN = make_plan()
UUID = '5b0a7d43-6f2f-4b4b-8f53-0a1f8a2f7c11'

REALTIME = """\
<domain type='kvm'>
  <name>rt1</name>
  <uuid>5b0a7d43-6f2f-4b4b-8f53-0a1f8a2f7c11</uuid>
  <metadata>
    <rtvirt:plan xmlns:rtvirt='urn:rtvirt:plan:1'>PLAN</rtvirt:plan>
  </metadata>
  <memory unit='KiB'>4194304</memory>
  <memoryBacking>
    <hugepages>
      <page size='1048576' unit='KiB' nodeset='0'/>
    </hugepages>
    <nosharepages/>
    <locked/>
  </memoryBacking>
  <vcpu>4</vcpu>
  <iothreads>1</iothreads>
  <cputune>
    <vcpupin vcpu='0' cpuset='2'/>
    <vcpupin vcpu='1' cpuset='3'/>
    <vcpupin vcpu='2' cpuset='4'/>
    <vcpupin vcpu='3' cpuset='5'/>
    <emulatorpin cpuset='2-3'/>
    <iothreadpin iothread='1' cpuset='2-3'/>
    <vcpusched vcpus='2-3' scheduler='fifo' priority='1'/>
  </cputune>
  <numatune>
    <memory mode='strict' nodeset='1'/>
    <memnode cellid='0' mode='strict' nodeset='1'/>
  </numatune>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>/boot/vmlinuz</kernel>
    <initrd>/boot/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features>
    <acpi/>
    <apic/>
    <pmu state='off'/>
    <vmcoreinfo state='on'/>
  </features>
  <cpu mode='host-model'>
    <topology sockets='4' cores='1' threads='1'/>
    <numa>
      <cell id='0' cpus='0-3' memory='4194304' unit='KiB' memAccess='shared'/>
    </numa>
  </cpu>
  <clock offset='utc'>
    <timer name='pit' tickpolicy='delay'/>
    <timer name='rtc' tickpolicy='catchup'/>
    <timer name='hpet' present='no'/>
    <timer name='kvmclock' present='yes'/>
  </clock>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' iothread='1'/>
      <source file='/srv/rt1.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='block' device='disk'>
      <driver name='qemu' type='raw' iothread='1'/>
      <source dev='/dev/vg/rt1'/>
      <target dev='vdb' bus='virtio'/>
    </disk>
    <controller type='usb' model='none'/>
    <interface type='network'>
      <source network='default'/>
      <model type='virtio'/>
    </interface>
    <serial type='pty'>
      <target port='0'/>
    </serial>
    <console type='pty'>
      <target type='serial' port='0'/>
    </console>
    <memballoon model='none'/>
  </devices>
</domain>
"""

FLOATING = """\
<domain type='qemu'>
  <name>plain</name>
  <metadata>
    <rtvirt:plan xmlns:rtvirt='urn:rtvirt:plan:1'>PLAN</rtvirt:plan>
  </metadata>
  <memory unit='KiB'>524288</memory>
  <vcpu cpuset='0-1'>2</vcpu>
  <iothreads>1</iothreads>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
  </os>
  <features>
    <acpi/>
    <apic/>
    <vmcoreinfo state='on'/>
    <tcg>
      <tb-cache unit='KiB'>65536</tb-cache>
    </tcg>
  </features>
  <cpu mode='maximum'>
    <topology sockets='1' cores='2' threads='1'/>
  </cpu>
  <clock offset='utc'>
    <timer name='pit' tickpolicy='delay'/>
    <timer name='rtc' tickpolicy='catchup'/>
    <timer name='hpet' present='no'/>
  </clock>
  <devices>
    <controller type='usb' model='none'/>
  </devices>
</domain>
"""


def with_plan(text: str, plan: Plan) -> str:
    json = '{"schema_version":1,' + to_compact_json(plan)[1:]
    return text.replace('PLAN', json)


def test_real_time_domain() -> None:
    assert domain_xml(
        PLAN,
        name='rt1',
        uuid=UUID,
        disks=[Disk(path='/srv/rt1.qcow2', format='qcow2'), '/dev/vg/rt1'],
        kernel='/boot/vmlinuz',
        initrd='/boot/initrd.img',
        cmdline='console=ttyS0 quiet',
        network='default',
        emulator='/usr/bin/qemu-system-x86_64',
    ) == with_plan(REALTIME, PLAN)


def test_floating_domain_under_emulation() -> None:
    plan = floating_plan(iothreads=1)
    assert domain_xml(
        plan, name='plain', virt_type='qemu', machine='pc', console=None
    ) == with_plan(FLOATING, plan)


@settings(max_examples=max(20, settings().max_examples // 2))
@given(plan=plans(), virt_type=st.sampled_from(['kvm', 'qemu']))
def test_it_reads_back(plan: Plan, virt_type: str) -> None:
    text = domain_xml(
        plan, name='x', virt_type=virt_type, disks=['/a'], network=Network()
    )
    domain = parse_domain(text)
    assert plan_of(domain) == plan
    assert domain.to_xml() == text
    assert apply_plan(plan, text) == text


def test_console_in_a_file() -> None:
    text = domain_xml(PLAN, name='x', console='/var/log/x.log')
    assert text.count("<source path='/var/log/x.log'/>") == 2
    assert text.count("type='file'") == 2


@pytest.mark.parametrize(
    ('network', 'lines'),
    [
        ('a"b', ["<interface type='network'>", "<source network='a&#34;b'/>"]),
        (Network(), ["<interface type='user'>"]),
        (
            Network(bridge='br0', mac='52:54:00:12:34:56'),
            [
                "<interface type='bridge'>",
                "<mac address='52:54:00:12:34:56'/>",
                "<source bridge='br0'/>",
            ],
        ),
    ],
)
def test_network(network: Any, lines: list[str]) -> None:
    text = domain_xml(PLAN, name='x', network=network)
    for line in (*lines, "<model type='virtio'/>"):
        assert line in text


def test_many_disks_have_distinct_names() -> None:
    text = domain_xml(PLAN, name='x', disks=['/a'] * 705)
    names = [disk.target.dev for disk in parse_domain(text).devices.disks]
    assert len(set(names)) == 705
    assert [names[n] for n in (0, 25, 26, 701, 702)] == [
        'vda',
        'vdz',
        'vdaa',
        'vdzz',
        'vdaaa',
    ]


NAMES = ['plain', 'a b', '<&>"\'', 'é\U0001f600', ']]>', 'x' * 255]


@pytest.mark.parametrize('name', NAMES)
def test_any_sound_name_is_kept(name: str) -> None:
    text = domain_xml(PLAN, name=name, kernel=f'/{name}', cmdline=name)
    domain = parse_domain(text)
    assert domain.name == name
    assert domain.boot is not None
    assert (domain.boot.kernel, domain.boot.cmdline) == (f'/{name}', name)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'name': ''}, "the name is ''"),
        ({'name': 'a/b'}, "the name is 'a/b': expected a text without /"),
        ({'name': 'a\nb'}, "the name is 'a\\nb'"),
        ({'name': 'a\0b'}, "the name is 'a\\x00b'"),
        ({'name': 'a\x1b[1m'}, 'the name is'),
        ({'name': 'x' * 256}, 'the name is'),
        ({'name': None}, 'the name is'),
        ({'name': 7}, 'the name is 7'),
        ({'uuid': 'no'}, "the uuid is 'no': expected 32 hexadecimal digits"),
        ({'uuid': ''}, "the uuid is ''"),
        ({'virt_type': 'xen'}, "the type is 'xen': expected kvm or qemu"),
        ({'machine': "q35'/>"}, 'the machine type is "q35\'/>"'),
        ({'kernel': 'vmlinuz'}, "the kernel is 'vmlinuz': expected an absol"),
        ({'kernel': '/k', 'initrd': 'i'}, "the initrd is 'i'"),
        ({'initrd': '/i'}, 'an initrd or a command line needs a kernel'),
        ({'cmdline': 'quiet'}, 'an initrd or a command line needs a kernel'),
        ({'kernel': '/k', 'cmdline': 'a\0'}, 'U+0000'),
        ({'kernel': '/\ud800'}, 'U+D800'),
        ({'console': 'x.log'}, "the console is 'x.log'"),
        ({'emulator': 'qemu'}, "the emulator is 'qemu'"),
        ({'disks': ['a.img']}, "the path of a disk is 'a.img'"),
        ({'disks': [7]}, 'the path of a disk is 7'),
        ({'network': 'a\x01'}, "the network is 'a\\x01'"),
        ({'network': 7}, 'the network is 7'),
        ({'network': ''}, "the network is ''"),
    ],
)
def test_bad_argument_is_named(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(DomainXMLError) as caught:
        domain_xml(PLAN, **{'name': 'x', **arguments})
    assert message in str(caught.value)


def test_bad_devices_are_named() -> None:
    with pytest.raises(DomainXMLError, match="format of a disk is 'vhd'"):
        Disk(path='/a', format='vhd')
    with pytest.raises(DomainXMLError, match="MAC address is '52'"):
        Network(mac='52')
    with pytest.raises(DomainXMLError, match='expected one of them'):
        Network(network='n', bridge='b')


def test_plan_is_merged_into_a_document() -> None:
    text = (
        "<domain type='kvm'>\n  <name>x</name>\n  <!-- mine -->\n</domain>\n"
    )
    once = apply_plan(PLAN, text)
    assert '  <!-- mine -->\n' in once
    assert apply_plan(PLAN, once) == once
    assert apply_plan(PLAN, text.encode()) == once
    assert plan_of(parse_domain(once)) == PLAN
    with pytest.raises(DomainXMLError, match='line 1: <network> is the root'):
        apply_plan(PLAN, '<network/>')


class Title:
    owns = frozenset({'title'})

    def configure(self, plan: Plan, domain: Any) -> None:
        domain.name = domain.name.upper()


def test_configurators_are_chosen() -> None:
    text = domain_xml(PLAN, name='x', configurators=[Title()])
    assert '<name>X</name>' in text
    assert 'cputune' not in text
    assert "<name>X</name></domain>" in apply_plan(
        PLAN, "<domain type='kvm'><name>x</name></domain>", [Title()]
    )
    assert apply_plan(PLAN, REALTIME) == apply_plan(
        PLAN, REALTIME, configurators()
    )
    with pytest.raises(PluginError, match='both own title'):
        apply_plan(PLAN, REALTIME, [Title(), Title()])


def test_importing_it_loads_no_framework() -> None:
    """stevedore is loaded where configurators are, and not before."""
    code = (
        'import sys, rtvirt, rtvirt.domain;'
        'bad = {"stevedore", "libvirt", "cliff", "oslo_config", "nova"};'
        'sys.exit(repr(bad & set(sys.modules)) if bad & set(sys.modules)'
        ' else 0)'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr

# SPDX-License-Identifier: Apache-2.0
"""What a developer does with ``import rtvirt``, told as stories.

Nothing is imported but the package, and no name is used that it does not
export.
"""

import dataclasses
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

import rtvirt

HOSTS = Path(rtvirt.__file__).parent.parent / 'etc' / 'rtvirt' / 'hosts'

SHOWN = """
{
  "OS-FLV-DISABLED:disabled": false,
  "OS-FLV-EXT-DATA:ephemeral": 0,
  "access_project_ids": null,
  "description": null,
  "disk": 20,
  "id": "9b6a2f0e-1a52-4c5f-8a6e-0d1d3c6d7c11",
  "name": "rt1.small",
  "os-flavor-access:is_public": true,
  "properties": {
    "hw:cpu_policy": "dedicated",
    "hw:cpu_realtime": "yes",
    "hw:cpu_realtime_mask": "^0-1",
    "hw:mem_page_size": "1GB"
  },
  "ram": 4096,
  "rxtx_factor": 1.0,
  "swap": 0,
  "vcpus": 4
}
"""
"""What ``openstack flavor show rt1.small -f json`` prints."""


@pytest.fixture
def flavor() -> rtvirt.Flavor:
    return rtvirt.Flavor.from_dict(json.loads(SHOWN))


@pytest.fixture
def host() -> rtvirt.HostTopology:
    return rtvirt.HostTopology.from_capabilities(
        (HOSTS / 'edge-8.xml').read_bytes(),
        dedicated=rtvirt.CPUSet.parse('2-5'),
    )


@pytest.fixture
def plan(flavor: rtvirt.Flavor, host: rtvirt.HostTopology) -> rtvirt.Plan:
    return rtvirt.fit(rtvirt.parse_guest(flavor), host)


def test_a_flavor_says_what_it_asks_for(flavor: rtvirt.Flavor) -> None:
    guest = rtvirt.parse_guest(flavor)
    (cell,) = guest.cells
    assert str(cell.dedicated) == '0-3'
    assert cell.page_size == 1048576
    assert guest.cpu_policy == 'dedicated'
    assert str(guest.realtime) == '2-3'
    assert guest.priorities == {2: 1, 3: 1}
    assert guest.scheduler == 'fifo'
    assert guest.locked_memory
    assert not guest.warnings


def test_an_image_has_its_say(flavor: rtvirt.Flavor) -> None:
    image = rtvirt.ImageProperties({'hw_cpu_thread_policy': 'require'})
    assert rtvirt.parse_guest(flavor, image).thread_policy == 'require'


def test_an_image_must_not_contradict_the_flavor() -> None:
    flavor = rtvirt.Flavor(
        name='apart',
        vcpus=2,
        memory_mib=1024,
        extra_specs={
            'hw:cpu_policy': 'dedicated',
            'hw:cpu_thread_policy': 'isolate',
        },
    )
    with pytest.raises(rtvirt.ConflictingExtraSpecs) as caught:
        rtvirt.parse_guest(flavor, {'hw_cpu_thread_policy': 'require'})
    assert set(caught.value.keys) == {
        'hw:cpu_thread_policy',
        'hw_cpu_thread_policy',
    }
    assert caught.value.hint


def test_a_slip_is_named_with_what_was_meant() -> None:
    slip = rtvirt.Flavor(
        name='slip',
        vcpus=4,
        memory_mib=4096,
        extra_specs={'hw:cpu_realttime': 'yes'},
    )
    with pytest.raises(rtvirt.UnsupportedExtraSpec) as caught:
        rtvirt.parse_guest(slip)
    assert caught.value.key == 'hw:cpu_realttime'
    assert 'hw:cpu_realtime' in caught.value.hint
    (warning,) = rtvirt.parse_guest(slip, strict=False).warnings
    assert 'hw:cpu_realttime' in warning


def test_the_plan_is_the_one_of_the_talk(plan: rtvirt.Plan) -> None:
    assert {vcpu: str(cpus) for vcpu, cpus in plan.pins.items()} == {
        0: '2',
        1: '3',
        2: '4',
        3: '5',
    }
    assert str(plan.emulator) == '2-3'
    assert str(plan.realtime) == '2-3'
    assert plan.priorities == {2: 1, 3: 1}
    (cell,) = plan.cells
    assert (cell.guest_cell, cell.host_cell) == (0, 0)
    assert (cell.memory_mib, cell.page_size_kib) == (4096, 1048576)
    assert str(plan.claimed) == '2-5'


def test_a_host_takes_what_fits_and_gives_it_back(
    flavor: rtvirt.Flavor, host: rtvirt.HostTopology, plan: rtvirt.Plan
) -> None:
    busy = host.claim(plan)
    assert str(busy.cells[0].pinned) == '2-5'
    assert busy.digest == host.digest == plan.host
    with pytest.raises(rtvirt.FitError):
        busy.claim(plan)
    with pytest.raises(rtvirt.FitError) as caught:
        rtvirt.fit(rtvirt.parse_guest(flavor), busy)
    (reason,) = (r for r in caught.value.reasons if r.host_cell == 0)
    assert reason.code == 'dedicated-cpus'
    assert (reason.wanted, reason.available) == (4, 0)
    assert str(reason)
    assert busy.release(plan) == host


def test_a_caller_decides_which_plan_will_do(flavor: rtvirt.Flavor) -> None:
    host = rtvirt.HostTopology.uniform(cells=4, cores=4)
    plan = rtvirt.fit(
        rtvirt.parse_guest(flavor),
        host,
        strategy='pack',
        limits=rtvirt.Limits(cpu_allocation_ratio=4.0),
        accept=lambda plan: plan.cells[0].host_cell == 2,
    )
    assert plan.cells[0].host_cell == 2
    with pytest.raises(rtvirt.FitError):
        rtvirt.fit(rtvirt.parse_guest(flavor), host, accept=lambda plan: False)


def test_a_refusal_says_what_would_help(
    flavor: rtvirt.Flavor, host: rtvirt.HostTopology, plan: rtvirt.Plan
) -> None:
    guest = rtvirt.parse_guest(flavor)
    fits = rtvirt.explain(guest, host)
    assert fits.plan == plan
    assert not fits.reasons
    busy = host.claim(plan, 'plc-1')
    full = rtvirt.explain(guest, busy)
    assert full.plan is None
    assert {reason.code for reason in full.reasons} >= {'dedicated-cpus'}
    assert any('plc-1' in str(way) for way in full.relaxations)


def test_plans_and_hosts_travel_as_json(
    host: rtvirt.HostTopology, plan: rtvirt.Plan
) -> None:
    for sent in (plan, host, host.claim(plan, 'plc-1')):
        text = json.dumps(sent.to_dict())
        assert type(sent).from_dict(json.loads(text)) == sent


def test_values_do_not_change(
    flavor: rtvirt.Flavor, host: rtvirt.HostTopology, plan: rtvirt.Plan
) -> None:
    for value in (flavor, host, host.cells[0], plan, plan.cells[0]):
        for field in dataclasses.fields(value):
            with pytest.raises(AttributeError):
                setattr(value, field.name, None)
        assert isinstance(hash(value), int)
    with pytest.raises(TypeError):
        flavor.extra_specs['hw:x'] = 'y'  # type: ignore[index]
    with pytest.raises(TypeError):
        plan.cells[0].pins[9] = rtvirt.CPUSet()  # type: ignore[index]


def test_one_except_clause_catches_what_is_refused(
    flavor: rtvirt.Flavor,
) -> None:
    for wrong in (
        lambda: rtvirt.CPUSet.parse('0-x'),
        lambda: rtvirt.Flavor(name='', vcpus=0, memory_mib=0),
        lambda: rtvirt.parse_guest(flavor, {'hw_cpu_policy': 'odd'}),
        lambda: rtvirt.HostTopology.from_capabilities('<html/>'),
        lambda: rtvirt.Plan.from_dict({}),
        lambda: rtvirt.parse_domain('<html/>'),
    ):
        with pytest.raises(rtvirt.RTVirtError) as caught:
            wrong()
        assert caught.value.code
        assert caught.value.message


@pytest.fixture
def root(plan: rtvirt.Plan) -> ElementTree.Element:
    return ElementTree.fromstring(rtvirt.domain_xml(plan, name='plc-1'))


def test_the_xml_is_what_the_talk_shows(root: ElementTree.Element) -> None:
    assert root.findtext('name') == 'plc-1'
    assert root.findtext('vcpu') == '4'
    pins = {
        pin.get('vcpu'): pin.get('cpuset')
        for pin in root.findall('cputune/vcpupin')
    }
    assert pins == {'0': '2', '1': '3', '2': '4', '3': '5'}
    (emulator,) = root.findall('cputune/emulatorpin')
    assert emulator.get('cpuset') == '2-3'
    realtime = root.findall('cputune/vcpusched')
    assert {
        (one.get('scheduler'), one.get('priority')) for one in realtime
    } == {('fifo', '1')}
    vcpus = [rtvirt.CPUSet.parse(one.get('vcpus', '')) for one in realtime]
    assert set().union(*vcpus) == {2, 3}
    (page,) = root.findall('memoryBacking/hugepages/page')
    assert (page.get('size'), page.get('unit')) == ('1048576', 'KiB')
    assert page.get('nodeset') == '0'
    assert root.find('memoryBacking/nosharepages') is not None
    assert root.find('memoryBacking/locked') is not None


def test_a_name_is_a_name_and_no_markup(plan: rtvirt.Plan) -> None:
    name = """a"b'c<d>&e;]]>é\U0001f600"""
    text = rtvirt.domain_xml(plan, name=name)
    assert ElementTree.fromstring(text).findtext('name') == name
    assert rtvirt.parse_domain(text).name == name


def test_an_existing_domain_takes_the_plan(plan: rtvirt.Plan) -> None:
    theirs = """<domain type='kvm'><!-- line 3, cell 7 -->
  <name>press</name>
  <memory unit='GiB'>8</memory>
  <vcpu placement='static' cpuset='0-7'>2</vcpu>
  <metadata><acme:tag xmlns:acme='http://acme.example/'>x</acme:tag></metadata>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices><watchdog model='i6300esb'/><acme a = "1"/></devices>
</domain>"""
    ours = rtvirt.apply_plan(plan, theirs)
    for kept in (
        '<!-- line 3, cell 7 -->',
        '<name>press</name>',
        "<acme:tag xmlns:acme='http://acme.example/'>x</acme:tag>",
        "<type arch='x86_64' machine='pc'>hvm</type>",
        '<acme a = "1"/>',
    ):
        assert kept in ours
    assert rtvirt.apply_plan(plan, ours) == ours
    root = ElementTree.fromstring(ours)
    assert root.findtext('vcpu') == '4'
    assert len(root.findall('cputune/vcpupin')) == 4


def test_a_domain_is_read_and_written(plan: rtvirt.Plan) -> None:
    text = rtvirt.domain_xml(
        plan,
        name='plc-1',
        disks=['/srv/plc-1.img', rtvirt.Disk(path='/b', format='qcow2')],
        network=rtvirt.Network(bridge='br0'),
    )
    domain = rtvirt.parse_domain(text)
    assert isinstance(domain, rtvirt.Domain)
    assert domain.to_xml() == text
    domain.name = 'plc-2'
    assert domain.to_xml() == text.replace('plc-1<', 'plc-2<')
    assert rtvirt.parse_domain(domain.to_xml()) == domain

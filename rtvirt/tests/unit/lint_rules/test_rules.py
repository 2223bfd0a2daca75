# SPDX-License-Identifier: Apache-2.0
"""Every rule finds what it is for, and nothing in a good document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import pytest

from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.lint_rules import devices
from rtvirt.lint_rules import host
from rtvirt.lint_rules import memory
from rtvirt.lint_rules import processor
from rtvirt.lint_rules import schedulers
from rtvirt.lint_rules import threads
from rtvirt.lint_rules.pairs import CODES
from rtvirt.lint_rules.run import UNREADABLE
from rtvirt.lint_rules.run import fix
from rtvirt.lint_rules.run import lint_text
from rtvirt.lint_rules.run import run_pairs
from rtvirt.lint_rules.run import run_rules
from rtvirt.lint_rules.run import table
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Severity
from rtvirt.tests.tuned_host import Layout
from rtvirt.tests.tuned_host import tuned_host

GROUPS: Final = (
    threads.RULES,
    schedulers.RULES,
    memory.RULES,
    processor.RULES,
    devices.RULES,
    host.RULES,
)

GOOD: Final = """\
<domain type="kvm">
  <name>good</name>
  <memory unit="KiB">2097152</memory>
  <currentMemory unit="KiB">2097152</currentMemory>
  <memoryBacking>
    <hugepages><page size="1048576" unit="KiB" nodeset="0"/></hugepages>
    <nosharepages/>
    <locked/>
  </memoryBacking>
  <vcpu placement="static">4</vcpu>
  <iothreads>1</iothreads>
  <cputune>
    <vcpupin vcpu="0" cpuset="1"/>
    <vcpupin vcpu="1" cpuset="4"/>
    <vcpupin vcpu="2" cpuset="2"/>
    <vcpupin vcpu="3" cpuset="3"/>
    <emulatorpin cpuset="1,4"/>
    <iothreadpin iothread="1" cpuset="1,4"/>
    <vcpusched vcpus="2-3" scheduler="fifo" priority="1"/>
  </cputune>
  <numatune>
    <memory mode="strict" nodeset="0"/>
    <memnode cellid="0" mode="strict" nodeset="0"/>
  </numatune>
  <os><type arch="x86_64" machine="q35">hvm</type></os>
  <features>
    <acpi/>
    <kvm><hint-dedicated state="on"/></kvm>
    <pmu state="off"/>
  </features>
  <cpu mode="host-passthrough">
    <topology sockets="4" cores="1" threads="1"/>
    <numa><cell id="0" cpus="0-3" memory="2097152" unit="KiB"/></numa>
  </cpu>
  <clock offset="utc">
    <timer name="hpet" present="no"/>
  </clock>
  <devices>
    <disk type="file" device="disk">
      <driver name="qemu" type="raw" cache="none" io="native" iothread="1"/>
      <source file="/var/lib/libvirt/images/good.raw"/>
      <target dev="vda" bus="virtio"/>
    </disk>
    <memballoon model="none"/>
  </devices>
</domain>
"""


@dataclass(frozen=True, kw_only=True)
class Bad:
    """A change of the good document that a rule must find.

    :ivar old: a regular expression of what to replace.
    :ivar also: other rules that find the same change wrong.
    """

    old: str
    new: str = ''
    also: frozenset[str] = frozenset()

    def text(self) -> str:
        text, count = re.subn(self.old, self.new, GOOD, count=1, flags=re.S)
        assert count == 1, self.old
        return text


def bad(old: str, new: str = '', *also: str) -> Bad:
    return Bad(old=old, new=new, also=frozenset(also))


_SCHED: Final = 'vcpus="2-3" scheduler="fifo" priority="1"'

CASES: Final[dict[str, Bad]] = {
    'RL-T01': bad('<vcpupin vcpu="3".*?/>', '', 'RL-C06'),
    'RL-T02': bad(
        'vcpu="3" cpuset="3"',
        'vcpu="3" cpuset="3,0"',
        'RL-C06',
        'RL-H02',
        'RL-H03',
    ),
    'RL-T03': bad('vcpu="3" cpuset="3"', 'vcpu="3" cpuset="2"', 'RL-C06'),
    'RL-T04': bad('vcpu="1" cpuset="4"', 'vcpu="1" cpuset="3"', 'RL-C06'),
    'RL-T05': bad('<emulatorpin cpuset="1,4"', '<emulatorpin cpuset="2-3"'),
    'RL-T06': bad('<emulatorpin.*?/>'),
    'RL-T07': bad('<emulatorpin', '<vcpupin vcpu="9" cpuset="1"/>\\g<0>'),
    'RL-T08': bad(
        '<vcpusched', '<iothreadpin iothread="7" cpuset="1"/>\\g<0>'
    ),
    'RL-T09': bad('iothread="1" cpuset="1,4"', 'iothread="1" cpuset="2"'),
    'RL-T10': bad('<iothreadpin.*?/>'),
    'RL-T11': bad(
        '<vcpu placement="static">4',
        '<vcpu placement="static" current="4">5',
        'RL-C04',
        'RL-C05',
        'RL-C06',
    ),
    'RL-S01': bad('scheduler="fifo"', 'scheduler="deadline"'),
    'RL-S02': bad('priority="1"', 'priority="100"', 'RL-S08'),
    'RL-S03': bad(' priority="1"'),
    'RL-S04': bad('vcpus="2-3"', 'vcpus="2-4"'),
    'RL-S05': bad(
        '<vcpusched',
        '<vcpusched vcpus="2" scheduler="rr" priority="1"/>\\g<0>',
    ),
    'RL-S06': bad(
        '<vcpusched',
        '<iothreadsched iothreads="2" scheduler="fifo" priority="1"/>\\g<0>',
    ),
    'RL-S07': bad('vcpus="2-3"', 'vcpus="0-3"', 'RL-T05', 'RL-T09'),
    'RL-S08': bad('priority="1"', 'priority="50"'),
    'RL-S09': bad(
        '<emulatorpin.*?<vcpusched',
        '<emulatorpin cpuset="3"/><iothreadpin iothread="1" cpuset="1"/>'
        '<emulatorsched scheduler="fifo" priority="1"/><vcpusched',
        'RL-T05',
    ),
    'RL-S10': bad('<vcpupin', '<quota>50000</quota>\\g<0>'),
    'RL-M01': bad('<locked/>'),
    'RL-M02': bad('<nosharepages/>'),
    'RL-M03': bad('<hugepages>.*?</hugepages>'),
    'RL-M04': bad('unit="KiB" nodeset="0"/>', 'unit="KiB" nodeset="1"/>'),
    'RL-M05': bad('memory="2097152"', 'memory="2097153"'),
    'RL-M06': bad('cellid="0"', 'cellid="1"'),
    'RL-M07': bad('<memory mode="strict"', '<memory mode="preferred"'),
    'RL-M08': bad('>2097152</currentMemory>', '>1048576</currentMemory>'),
    'RL-M09': bad('<memballoon model="none"/>'),
    'RL-C01': bad('type="kvm"', 'type="qemu"'),
    'RL-C02': bad('<pmu state="off"/>'),
    'RL-C03': bad(' mode="host-passthrough"'),
    'RL-C04': bad('sockets="4"', 'sockets="2"'),
    'RL-C05': bad('cpus="0-3"', 'cpus="0-2"'),
    'RL-C06': bad('vcpu="1" cpuset="4"', 'vcpu="1" cpuset="1,4"'),
    'RL-C07': bad('<timer name="hpet" present="no"/>'),
    'RL-C08': bad('<timer(.*?)<cpu mode="host-passthrough"', '<timer\\1<cpu'),
    'RL-D01': bad(
        'io="native" iothread="1"', 'io="native" iothread="3"', 'RL-D02'
    ),
    'RL-D02': bad(' iothread="1"/>\n      <source', '/>\n      <source'),
    'RL-D03': bad('bus="virtio"', 'bus="sata"'),
    'RL-H01': bad('vcpu="1" cpuset="4"', 'vcpu="1" cpuset="40"'),
    'RL-H02': bad(
        'vcpu="3" cpuset="3"', 'vcpu="3" cpuset="5"', 'RL-H05', 'RL-H08'
    ),
    'RL-H03': bad('vcpu="3" cpuset="3"', 'vcpu="3" cpuset="0"', 'RL-H02'),
    'RL-H05': bad('vcpu="1" cpuset="4"', 'vcpu="1" cpuset="6"'),
    'RL-H06': bad(
        '<memnode cellid="0" mode="strict" nodeset="0"',
        '<memnode cellid="0" mode="strict" nodeset="7"',
        'RL-H05',
    ),
    'RL-H07': bad(
        'memory="2097152" unit="KiB"/>', 'memory="16777216" unit="KiB"/>'
    ),
}
# The clock's case needs two changes.
_NO_CLOCK: Final = GOOD.replace(
    '<timer name="hpet" present="no"/>',
    '<timer name="hpet" present="no"/><timer name="kvmclock" present="no"/>',
).replace('mode="host-passthrough"', 'mode="host-model"')
CASES['RL-C08'] = Bad(old='.*', new=_NO_CLOCK.replace('\\', '\\\\'))

# Rules that say nothing on a host as plain as the tuned one.
OTHER_HOSTS: Final = {
    'RL-H04': Layout(threads=2, isolated=CPUSet.parse('1-4,6-9,11-14,16-19')),
    'RL-H08': Layout(cores=4, l3_per_node=2, isolated=CPUSet.parse('1-3,5-7')),
}


def facts_of(layout: Layout | None = None) -> HostFacts:
    return (tuned_host(layout) if layout else tuned_host()).facts()


TUNED: Final = facts_of()


def codes(text: str, facts: HostFacts | None = TUNED) -> set[str]:
    return {f.code for f in run_rules(parse_domain(text), facts, GROUPS)}


def test_the_good_document_is_clean() -> None:
    assert run_rules(parse_domain(GOOD), TUNED, GROUPS) == ()
    assert run_rules(parse_domain(GOOD), None, GROUPS) == ()


def test_every_rule_has_a_case() -> None:
    assert set(CASES) | set(OTHER_HOSTS) == set(table(GROUPS))
    assert len(table(GROUPS)) + len(CODES) >= 30


@pytest.mark.parametrize('code', CASES)
def test_a_bad_document_is_found(code: str) -> None:
    case = CASES[code]
    assert codes(case.text()) == {code, *case.also}


def test_siblings_count_where_there_are_some() -> None:
    facts = facts_of(OTHER_HOSTS['RL-H04'])
    # pCPU 12 is the sibling of pCPU 2, where vCPU 2 is.
    text = GOOD.replace('vcpu="1" cpuset="4"', 'vcpu="1" cpuset="12"')
    assert 'RL-H04' in codes(text, facts)
    assert 'RL-H04' not in codes(GOOD, facts)


def test_caches_count_where_there_are_two_of_a_node() -> None:
    facts = facts_of(OTHER_HOSTS['RL-H08'])
    near = GOOD.replace('vcpu="1" cpuset="4"', 'vcpu="1" cpuset="0"')
    text = near.replace('vcpu="2" cpuset="2"', 'vcpu="2" cpuset="1"').replace(
        'vcpu="0" cpuset="1"', 'vcpu="0" cpuset="2"'
    )
    assert 'RL-H08' in codes(text, facts)
    assert 'RL-H08' not in codes(near, facts)


def test_rules_about_the_host_need_one() -> None:
    for code, case in CASES.items():
        if code.startswith('RL-H'):
            assert code not in codes(case.text(), None)


@pytest.mark.parametrize(
    'text',
    [
        'no XML',
        '<network/>',
        GOOD.replace('<emulatorpin cpuset="1,4"', '<emulatorpin cpuset=""'),
        GOOD.replace('<domain', '<!DOCTYPE domain []><domain', 1),
    ],
)
def test_a_document_that_cannot_be_read_is_a_finding(text: str) -> None:
    domain, (found,) = lint_text(text, TUNED, GROUPS)
    assert domain is None
    assert (found.code, found.severity) == (UNREADABLE, Severity.FATAL)
    assert found.actual


def test_a_document_that_can_be_read_is_linted() -> None:
    domain, found = lint_text(CASES['RL-M01'].text(), None, GROUPS)
    assert domain is not None
    assert [f.code for f in found] == ['RL-M01']


def named(name: str, text: str = GOOD) -> Domain:
    return parse_domain(text.replace('good<', f'{name}<'))


def test_two_domains_on_one_cpu() -> None:
    found = run_pairs([named('one'), named('two')], None)
    assert [f.code for f in found] == ['RL-P01']
    assert found[0].subject == 'one and two'
    elsewhere = GOOD
    for old, new in (('1', '6'), ('4', '9'), ('2', '7'), ('3', '8')):
        elsewhere = re.sub(
            rf'(vcpu="\d" cpuset=)"{old}"', rf'\1"{new}"', elsewhere
        )
    assert run_pairs([named('one'), named('two', elsewhere)], None) == ()


def test_two_domains_on_one_core() -> None:
    facts = facts_of(OTHER_HOSTS['RL-H04'])
    other = re.sub(
        r'vcpu="(\d)" cpuset="(\d)"', r'vcpu="\1" cpuset="1\2"', GOOD
    )
    found = run_pairs([named('one'), named('two', other)], facts)
    assert {f.code for f in found} == {'RL-P02'}
    assert run_pairs([named('one'), named('two', other)], TUNED) == ()
    assert {f.code for f in found} | {'RL-P01'} == set(CODES)


FIXED: Final = frozenset(
    code for code, row in table(GROUPS).items() if row.fix is not None
)


def test_what_is_fixed_is_known() -> None:
    assert {
        'RL-T07',
        'RL-T10',
        'RL-M01',
        'RL-M02',
        'RL-M08',
        'RL-C02',
        'RL-C07',
        'RL-D02',
    } <= FIXED


@pytest.mark.parametrize('code', sorted(FIXED))
def test_a_fix_mends_and_touches_nothing_else(code: str) -> None:
    text = CASES[code].text()
    if code == 'RL-T05':
        text = GOOD.replace(
            '<emulatorpin cpuset="1,4"', '<emulatorpin cpuset="1-3"'
        )
    if code == 'RL-T09':
        text = GOOD.replace(
            'iothread="1" cpuset="1,4"', 'iothread="1" cpuset="1-3"'
        )
    assert code in codes(text)
    mended = fix(parse_domain(text), GROUPS).to_xml()
    assert codes(mended) == set()
    # What had nothing wrong is there to the letter.
    assert mended.count('<vcpupin') == 4
    assert '<source file="/var/lib/libvirt/images/good.raw"/>' in mended
    assert fix(parse_domain(mended), GROUPS).to_xml() == mended


def test_a_fix_leaves_a_good_document_to_the_letter() -> None:
    assert fix(parse_domain(GOOD), GROUPS).to_xml() == GOOD


def test_a_fix_leaves_what_is_not_certain() -> None:
    text = CASES['RL-T05'].text()
    assert 'RL-T05' in codes(fix(parse_domain(text), GROUPS).to_xml())


def test_a_domain_without_real_time_is_left_alone() -> None:
    text = """<domain type="kvm"><name>web</name><memory>1048576</memory>
    <vcpu>2</vcpu><os><type>hvm</type></os>
    <devices><disk type="file" device="disk"><driver name="qemu"/>
    <target dev="sda" bus="sata"/></disk></devices></domain>"""
    assert codes(text) == set()
    assert fix(parse_domain(text), GROUPS).to_xml() == text


def test_the_examples_of_the_real_time_guide_of_libvirt_are_wrong() -> None:
    # Five vCPUs scheduled of four, pages for a guest cell that is not there.
    guide = """<domain type="kvm"><name>guide</name>
    <memory unit="GiB">4</memory>
    <memoryBacking><hugepages>
      <page size="1" unit="GiB" nodeset="1"/>
    </hugepages><locked/><nosharepages/></memoryBacking>
    <vcpu>4</vcpu>
    <cputune>
      <vcpupin vcpu="0" cpuset="4"/><vcpupin vcpu="1" cpuset="5"/>
      <vcpupin vcpu="2" cpuset="6"/><vcpupin vcpu="3" cpuset="7"/>
      <emulatorpin cpuset="0-3"/>
      <vcpusched vcpus="0-4" scheduler="fifo" priority="1"/>
    </cputune>
    <os><type>hvm</type></os></domain>"""
    assert {'RL-S04', 'RL-M04'} <= codes(guide, None)

# SPDX-License-Identifier: Apache-2.0
"""Strangers, cpusets, caches and the document of the next start."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.facts.missing import absent
from rtvirt.model.finding import Finding
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedPages
from rtvirt.model.observed import ResctrlGroup
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import Stranger
from rtvirt.model.observed import ThreadRole
from rtvirt.model.resctrl import CacheAllocation
from rtvirt.tests.unit.verifiers.running import HIDDEN
from rtvirt.tests.unit.verifiers.running import STRANGER
from rtvirt.tests.unit.verifiers.running import XML
from rtvirt.tests.unit.verifiers.running import document
from rtvirt.tests.unit.verifiers.running import observed
from rtvirt.tests.unit.verifiers.test_run import GROUPS
from rtvirt.verifiers.run import run_verifiers

CACHE = (
    '<vcpusched ',
    (
        '<cachetune vcpus="1"><cache id="0" level="3" type="both" '
        'size="4" unit="MiB"/></cachetune><memorytune vcpus="1">'
        '<node id="0" bandwidth="40"/></memorytune><vcpusched '
    ),
)
GROUP = ResctrlGroup(
    name='qemu-1-rt-vcpus_1',
    caches=(
        CacheAllocation(bank=0, size_kib=4096),
        CacheAllocation(bank=1, size_kib=8192),
    ),
    bandwidth={0: 40, 1: 100},
)
HOSTS = ResctrlGroup(name='')


def find(domain: Domain, shown: ObservedDomain) -> tuple[Finding, ...]:
    return run_verifiers(domain, shown, GROUPS)


def beside(*strangers: Stranger) -> tuple[Finding, ...]:
    return find(
        document(), dataclasses.replace(observed(), strangers=strangers)
    )


def put(cpus: str, **changes: Any) -> Stranger:
    scheduling = Scheduling(cpus=CPUSet.parse(cpus))
    return dataclasses.replace(STRANGER, scheduling=scheduling, **changes)


def test_another_domain_is_one_finding_for_all_its_threads() -> None:
    emulator = put('0-3', tid=90, name='qemu', role=ThreadRole.EMULATOR)
    (finding,) = beside(STRANGER, emulator)
    assert (finding.code, finding.subject) == ('RV-X01', 'domain other')
    assert 'CPU 0/KVM (tid 99) on pCPU 3' in finding.actual
    assert '1 more thread' in finding.actual
    assert 'other' in finding.hint


def test_a_task_that_was_put_there() -> None:
    task = put('2-3', guest='', role=None, name='job', process='cron')
    (finding,) = beside(task)
    assert (finding.code, finding.subject) == ('RV-X02', 'process cron (99)')
    assert finding.hint == 'taskset -apc 2 99'
    (finding,) = beside(
        dataclasses.replace(task, scheduling=Scheduling(cpus=CPUSet([3])))
    )
    assert 'LIST' in finding.hint


def test_two_vcpus_on_one_dedicated_pcpu() -> None:
    (finding,) = beside(put('2'))
    assert (finding.code, finding.subject) == ('RV-X03', 'domain other')
    assert beside(put('2', role=ThreadRole.EMULATOR)) == ()
    assert [f.code for f in beside(put('2-3'))] == ['RV-X01']


def test_strangers_that_could_not_be_read_are_undecided() -> None:
    (finding,) = find(
        document(), dataclasses.replace(observed(), strangers=HIDDEN)
    )
    assert (finding.code, finding.is_undecided) == ('RV-X01', True)
    alone = dataclasses.replace(observed(), strangers=absent('/proc'))
    assert find(document(), alone) == ()
    plain = document(
        ('<vcpusched vcpus="1" scheduler="rr" priority="7"/>', ''),
        ('vcpu="1" cpuset="3"', 'vcpu="1" cpuset="2-3"'),
        planned=False,
    )
    hidden = dataclasses.replace(observed(), strangers=HIDDEN)
    assert not any(f.code.startswith('RV-X') for f in find(plain, hidden))


def in_group(
    group: str | Missing, cpus: CPUSet | Missing, tid: int = 73
) -> ObservedDomain:
    """Return the domain with one thread in a control group."""
    shown = observed()
    return dataclasses.replace(
        shown,
        threads=tuple(
            dataclasses.replace(t, cgroup=group, cgroup_cpus=cpus)
            if t.tid == tid
            else t
            for t in shown.threads
        ),
    )


@pytest.mark.parametrize(
    ('group', 'cpus', 'is_found'),
    [
        ('/machine/rt', '0-7', False),
        ('/machine/rt', '0-2', True),
        ('/machine/rt/vcpu1', '3', False),
        ('/machine/rt/vcpu1', '2-3', True),
        ('/machine/rt/vcpu1', '2', True),
    ],
)
def test_cpusets_against_pins(group: str, cpus: str, is_found: bool) -> None:
    found = find(document(), in_group(group, CPUSet.parse(cpus)))
    assert [f.code for f in found] == ['RV-T06'] * is_found
    for finding in found:
        assert finding.subject == 'vCPU 1'
        assert 'cpuset.cpus' in finding.hint


def test_a_cpuset_that_cannot_be_read_is_undecided() -> None:
    (finding,) = find(document(), in_group(HIDDEN, HIDDEN))
    assert (finding.code, finding.is_undecided) == ('RV-T06', True)
    nothing = absent('/proc/73/cgroup')
    assert find(document(), in_group(nothing, nothing)) == ()


def shared(name: str | Missing, *groups: ResctrlGroup) -> ObservedDomain:
    """Return the domain with the thread of vCPU 1 in a resctrl group."""
    shown = observed()
    return dataclasses.replace(
        shown,
        resctrl=groups,
        threads=tuple(
            dataclasses.replace(t, resctrl=name if t.tid == 73 else '')
            for t in shown.threads
        ),
    )


def codes(domain: Domain, shown: ObservedDomain) -> list[str]:
    return [
        f.code for f in find(domain, shown) if not f.code.startswith('RV-P')
    ]


@pytest.mark.parametrize(
    ('name', 'group', 'expected'),
    [
        (GROUP.name, GROUP, []),
        ('', GROUP, ['RV-C01']),
        (
            GROUP.name,
            dataclasses.replace(
                GROUP, caches=(CacheAllocation(bank=0, size_kib=2048),)
            ),
            ['RV-C02'],
        ),
        (GROUP.name, dataclasses.replace(GROUP, caches=()), ['RV-C02']),
        (
            GROUP.name,
            dataclasses.replace(GROUP, bandwidth={0: 50}),
            ['RV-C03'],
        ),
    ],
)
def test_caches_against_resctrl(
    name: str, group: ResctrlGroup, expected: list[str]
) -> None:
    domain = document(CACHE, planned=False)
    assert codes(domain, shared(name, HOSTS, group)) == expected


def test_resctrl_that_is_gone_or_hidden() -> None:
    domain = document(CACHE, planned=False)
    gone = dataclasses.replace(observed(), resctrl=absent('/sys/fs/resctrl'))
    (finding,) = find(domain, gone)
    assert (finding.code, finding.is_undecided) == ('RV-C01', False)
    assert 'mount -t resctrl' in finding.hint
    (finding,) = find(domain, dataclasses.replace(observed(), resctrl=HIDDEN))
    assert (finding.code, finding.is_undecided) == ('RV-C01', True)


def test_a_cache_that_the_plan_does_not_have() -> None:
    found = find(document(CACHE), shared(GROUP.name, HOSTS, GROUP))
    assert [f.code for f in found] == ['RV-P05']
    assert found[0].expected == 'nothing'
    assert found[0].actual == ('vCPUs 1: 4096 KiB of L3 0, 40 % of node 0')


def kept(*changes: tuple[str, str]) -> ObservedDomain:
    """Return the domain with a persistent document that differs so."""
    return dataclasses.replace(
        observed(), persistent=document(*changes).to_xml()
    )


def test_documents_that_say_the_same() -> None:
    assert find(document(), kept()) == ()
    other = ('<domain type="kvm">', '<domain type="qemu">')
    assert find(document(), kept(other)) == ()


@pytest.mark.parametrize(
    ('change', 'code', 'subject'),
    [
        (('vcpu="1" cpuset="3"', 'vcpu="1" cpuset="5"'), 'L01', 'vCPU 1'),
        (('priority="7"', 'priority="6"'), 'L01', 'vCPU 1'),
        (
            ('<emulatorpin cpuset="2"/>', '<emulatorpin cpuset="0"/>'),
            *('L01', 'emulator'),
        ),
        (('<iothreads>1<', '<iothreads>2<'), 'L01', 'I/O thread 2'),
        (('<locked/>', ''), 'L02', 'memoryBacking'),
        (
            ('mode="strict" nodeset="1"', 'mode="strict" nodeset="0"'),
            'L02',
            'memoryBacking',
        ),
        (CACHE, 'L03', 'cachetune'),
    ],
)
def test_a_persistent_document_that_differs(
    change: tuple[str, str], code: str, subject: str
) -> None:
    (finding,) = find(document(), kept(change))
    assert (finding.code, finding.subject) == (f'RV-{code}', subject)
    assert 'the persistent document' in finding.actual
    assert 'virsh edit rt' in finding.hint


def test_a_plan_that_is_not_kept() -> None:
    shown = dataclasses.replace(observed(), persistent=XML)
    (finding,) = find(document(), shown)
    assert (finding.code, finding.subject) == ('RV-L04', 'metadata')
    assert 'has none' in finding.actual


def test_a_persistent_document_that_is_none() -> None:
    shown = dataclasses.replace(observed(), persistent='<domain')
    (finding,) = find(document(), shown)
    assert finding.code == 'RV-L01'
    assert finding.subject == 'persistent document'


ORDINARY = (
    '<hugepages><page size="2048" unit="KiB" nodeset="0"/></hugepages>',
    '',
)


@pytest.mark.parametrize(
    ('policies', 'resident_kib', 'codes'),
    [
        ({'default': 9, 'bind:1': 1 << 17}, 1 << 20, []),
        ({'default': 1 << 18}, 1 << 20, ['RV-M04']),
        ({'default': 1 << 18, 'prefer:1': 2}, 1 << 20, ['RV-M04']),
        # Nothing is in use yet: nothing can be told.
        ({'default': 9}, 1 << 10, []),
    ],
)
def test_ordinary_pages_are_bound(
    policies: dict[str, int], resident_kib: int, codes: list[str]
) -> None:
    now = ObservedMemory(
        huge=(),
        ordinary=tuple(
            ObservedPages(node=1, size_kib=4, count=n, policy=policy)
            for policy, n in policies.items()
        ),
        locked_kib=1 << 20,
        resident_kib=resident_kib,
    )
    found = find(document(ORDINARY, planned=False), observed(now))
    assert [f.code for f in found] == codes


def test_why_says_which_file() -> None:
    why = Missing(missing=Why.UNREADABLE, path='/proc/*/task/*', detail='x')
    shown = dataclasses.replace(observed(), strangers=why)
    (finding,) = find(document(), shown)
    assert finding.actual == '/proc/*/task/* is unreadable (x)'

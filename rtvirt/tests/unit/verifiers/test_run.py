# SPDX-License-Identifier: Apache-2.0
"""Every verifier finds what it is for, and nothing where all is well."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

import rtvirt
from rtvirt.exception import ModelError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Finding
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import ThreadRole
from rtvirt.tests.unit.verifiers.running import HIDDEN
from rtvirt.tests.unit.verifiers.running import PAGES
from rtvirt.tests.unit.verifiers.running import document
from rtvirt.tests.unit.verifiers.running import memory
from rtvirt.tests.unit.verifiers.running import observed
from rtvirt.tests.unit.verifiers.test_proof import AS_PLANNED
from rtvirt.tests.unit.verifiers.test_proof import thread
from rtvirt.verifiers import control
from rtvirt.verifiers import memory as memory_verifiers
from rtvirt.verifiers import persistent
from rtvirt.verifiers import plan as plan_verifiers
from rtvirt.verifiers import schedulers
from rtvirt.verifiers import strangers
from rtvirt.verifiers import threads
from rtvirt.verifiers.run import run_verifiers

GROUPS = (
    threads.VERIFIERS,
    schedulers.VERIFIERS,
    memory_verifiers.VERIFIERS,
    plan_verifiers.VERIFIERS,
    persistent.VERIFIERS,
    control.VERIFIERS,
    strangers.VERIFIERS,
)
HELPERS = ('t', 'rcu', 'mon', 'worker', 'vhost')


def find(
    domain: Domain,
    memory: ObservedMemory | Missing = memory(),  # noqa: B008 - it is frozen
    /,
    **changes: ObservedThread | None,
) -> tuple[Finding, ...]:
    return run_verifiers(domain, observed(memory, **changes), GROUPS)


def test_codes_are_unique_and_every_row_says_why() -> None:
    rows = [row for group in GROUPS for row in group]
    assert len({row.code for row in rows}) == len(rows)
    assert all(row.title and row.why for row in rows)


@pytest.mark.parametrize('planned', [True, False])
def test_nothing_is_found_where_all_is_well(planned: bool) -> None:
    assert find(document(planned=planned)) == ()


def test_the_installed_verifiers_are_these() -> None:
    assert rtvirt.verify(document(), observed()) == ()
    found = rtvirt.verify(document(), observed(vcpu1=None))
    assert found == find(document(), vcpu1=None)


def test_another_domain_is_refused() -> None:
    other = dataclasses.replace(observed(), uuid='other')
    with pytest.raises(ModelError, match='other'):
        rtvirt.verify(document(), other)


THREADS: Mapping[str, tuple[str, ObservedThread | None, str, str, str]] = {
    'gone': ('vcpu1', None, 'RV-T01', 'vCPU 1', 'start it anew'),
    'no I/O thread': ('io1', None, 'RV-T01', 'I/O thread 1', 'anew'),
    'stranger': (
        'extra',
        thread(80, ThreadRole.VCPU, 5),
        'RV-T02',
        'vCPU 5',
        'plug it out',
    ),
    'vCPU moved': (
        'vcpu0',
        thread(72, ThreadRole.VCPU, 0, cpus='3'),
        'RV-T03',
        'vCPU 0',
        'taskset -pc 2 72',
    ),
    'vCPU widened': (
        'vcpu1',
        thread(73, ThreadRole.VCPU, 1, cpus='2-3', policy='rr', priority=7),
        'RV-T03',
        'vCPU 1',
        'taskset -pc 3 73',
    ),
    'I/O thread moved': (
        'io1',
        thread(74, ThreadRole.IOTHREAD, 1, cpus='0'),
        'RV-T04',
        'I/O thread 1',
        'taskset -pc 2 74',
    ),
    'monitor moved': (
        'mon',
        thread(75, ThreadRole.MONITOR, cpus='0-1'),
        'RV-T04',
        'monitor',
        'taskset -pc 2 75',
    ),
    'emulator on real-time': (
        't',
        thread(70, ThreadRole.EMULATOR, cpus='3'),
        'RV-T05',
        'emulator',
        'taskset -pc 2 70',
    ),
    'I/O thread on real-time': (
        'io1',
        thread(74, ThreadRole.IOTHREAD, 1, cpus='2-3'),
        'RV-T05',
        'I/O thread 1',
        'taskset -pc 2 74',
    ),
    'policy': (
        'vcpu1',
        thread(73, ThreadRole.VCPU, 1, cpus='3'),
        'RV-S01',
        'vCPU 1',
        'chrt --rr -p 7 73',
    ),
    'another policy': (
        'vcpu1',
        thread(73, ThreadRole.VCPU, 1, cpus='3', policy='fifo', priority=7),
        'RV-S01',
        'vCPU 1',
        'chrt --rr -p 7 73',
    ),
    'promoted': (
        'worker',
        thread(76, ThreadRole.WORKER, policy='fifo', priority=1),
        'RV-S01',
        'worker',
        'chrt --other -p 0 76',
    ),
    'priority': (
        'vcpu1',
        thread(73, ThreadRole.VCPU, 1, cpus='3', policy='rr', priority=8),
        'RV-S02',
        'vCPU 1',
        'chrt --rr -p 7 73',
    ),
}


@pytest.mark.parametrize('case', THREADS)
def test_a_thread_that_was_changed_is_found_alone(case: str) -> None:
    name, changed, code, subject, mend = THREADS[case]
    (finding,) = find(document(), **{name: changed})
    assert (finding.code, finding.subject) == (code, subject)
    assert mend in finding.hint
    assert finding.expected
    assert finding.actual
    if changed is not None:
        assert str(changed.tid) in finding.actual


def test_place_and_scheduler_are_two_findings() -> None:
    changed = thread(73, ThreadRole.VCPU, 1, cpus='2')
    found = find(document(), vcpu1=changed)
    assert [finding.code for finding in found] == ['RV-S01', 'RV-T03']


def test_what_touches_memory_before_the_start_is_left_alone() -> None:
    assert AS_PLANNED['prealloc'].scheduling.cpus != {2}
    changed = thread(78, ThreadRole.PREALLOC, cpus='3')
    assert find(document(), prealloc=changed) == ()


def test_an_emulator_that_nobody_pinned_is_on_the_realtime_pcpus() -> None:
    domain = document(('<emulatorpin cpuset="2"/>', ''), planned=False)
    wide = {
        name: dataclasses.replace(
            AS_PLANNED[name],
            scheduling=dataclasses.replace(
                AS_PLANNED[name].scheduling, cpus=rtvirt.CPUSet(range(4))
            ),
        )
        for name in HELPERS
    }
    found = find(domain, **wide)
    assert {finding.code for finding in found} == {'RV-T05'}
    assert len(found) == len(HELPERS)
    assert all('<emulatorpin>' in finding.hint for finding in found)


def test_threads_without_pins_follow_the_vcpus_cpuset() -> None:
    domain = document(
        ('<vcpu placement="static">', '<vcpu cpuset="2">'),
        ('<emulatorpin cpuset="2"/>', ''),
        ('<iothreadpin iothread="1" cpuset="2"/>', ''),
        ('<vcpupin vcpu="0" cpuset="2"/>', ''),
        planned=False,
    )
    assert find(domain) == ()
    (finding,) = find(domain, io1=thread(74, ThreadRole.IOTHREAD, 1, cpus='0'))
    assert finding.code == 'RV-T04'


@pytest.mark.parametrize(
    'vcpus',
    [
        '<vcpu current="2">4</vcpu>',
        (
            '<vcpu current="2">3</vcpu><vcpus><vcpu id="0" enabled="yes"/>'
            '<vcpu id="1" enabled="yes"/><vcpu id="2" enabled="no"/></vcpus>'
        ),
    ],
)
def test_a_vcpu_that_is_not_plugged_in_has_no_thread(vcpus: str) -> None:
    change = ('<vcpu placement="static">2</vcpu>', vcpus)
    assert find(document(change, planned=False)) == ()


def test_all_schedulers_of_the_document_count() -> None:
    domain = document(
        (
            '<vcpusched ',
            (
                '<emulatorsched scheduler="fifo" priority="3"/>'
                '<iothreadsched iothreads="1" scheduler="batch"/><vcpusched '
            ),
        ),
        planned=False,
    )
    assert {(f.code, f.subject) for f in find(domain)} == {
        ('RV-S01', 'emulator'),
        ('RV-S01', 'I/O thread 1'),
    }
    main = thread(70, ThreadRole.EMULATOR, policy='fifo', priority=3)
    io1 = thread(74, ThreadRole.IOTHREAD, 1, policy='batch')
    assert find(domain, t=main, io1=io1) == ()


@pytest.mark.parametrize(
    ('now', 'codes'),
    [
        (memory(dataclasses.replace(PAGES, count=255)), ['RV-M01']),
        (memory(dataclasses.replace(PAGES, size_kib=1 << 20)), ['RV-M01']),
        (memory(dataclasses.replace(PAGES, node=0)), ['RV-M02']),
        (memory(dataclasses.replace(PAGES, policy='default')), ['RV-M04']),
        (memory(dataclasses.replace(PAGES, policy='bind:0-1')), ['RV-M04']),
        (memory(dataclasses.replace(PAGES, policy='bind=static:1')), []),
        (
            memory(
                dataclasses.replace(PAGES, node=0, count=1),
                dataclasses.replace(PAGES, count=255),
            ),
            ['RV-M02'],
        ),
        (memory(locked_kib=(1 << 19) - 1), ['RV-M03']),
    ],
)
def test_memory_that_is_wrong_is_found(
    now: ObservedMemory, codes: list[str]
) -> None:
    found = find(document(), now)
    assert [finding.code for finding in found] == codes
    assert not any(finding.is_undecided for finding in found)


def test_ordinary_pages_instead_of_huge_ones() -> None:
    none = ObservedMemory(huge=(), locked_kib=1 << 19, resident_kib=1 << 19)
    (finding,) = find(document(), none)
    assert (finding.code, finding.actual) == ('RV-M01', 'ordinary pages')


def test_what_is_hidden_is_undecided() -> None:
    hidden = ObservedMemory(huge=HIDDEN, locked_kib=1 << 19, resident_kib=0)
    for found in (find(document(), hidden), find(document(), HIDDEN)):
        assert found
        assert all(finding.is_undecided for finding in found)
        assert all('unreadable (not for you)' in f.actual for f in found)
    assert [f.code for f in find(document(), HIDDEN)] == ['RV-M01', 'RV-M03']


def test_pages_of_the_hosts_own_size_are_undecided() -> None:
    page = '<page size="2048" unit="KiB" nodeset="0"/>'
    (finding,) = find(document((page, ''), planned=False))
    assert (finding.code, finding.is_undecided) == ('RV-M01', True)


def test_memory_that_is_not_bound_may_lie_anywhere() -> None:
    loose = document(('mode="strict"', 'mode="preferred"'), planned=False)
    assert find(loose, memory(dataclasses.replace(PAGES, node=0))) == ()
    two = document(('nodeset="1"', 'nodeset="0-1"'), planned=False)
    both = dataclasses.replace(PAGES, policy='bind:0-1')
    split = [dataclasses.replace(both, node=n, count=128) for n in (0, 1)]
    assert find(two, memory(*split)) == ()
    (finding,) = find(two, memory(dataclasses.replace(both, node=2)))
    assert finding.code == 'RV-M02'


PLANS: Mapping[str, tuple[str, str, str, str]] = {
    'pin': ('vcpu="1" cpuset="3"', 'vcpu="1" cpuset="5"', 'RV-P02', 'vCPU 1'),
    'emulator': (
        '<emulatorpin cpuset="2"',
        '<emulatorpin cpuset="0"',
        'RV-P02',
        'emulator',
    ),
    'I/O thread': (
        'iothread="1" cpuset="2"',
        'iothread="1" cpuset="0"',
        'RV-P02',
        'I/O thread 1',
    ),
    'fewer vCPUs': ('>2</vcpu>', '>1</vcpu>', 'RV-P02', 'vCPU 1'),
    'policy': ('"rr"', '"fifo"', 'RV-P03', 'vCPU 1'),
    'priority': ('priority="7"', 'priority="6"', 'RV-P03', 'vCPU 1'),
    'page size': ('page size="2048"', 'page size="1024"', 'RV-P04', 'memory'),
    'node': ('nodeset="1"', 'nodeset="0"', 'RV-P04', 'memory'),
    'locked': ('<locked/>', '', 'RV-P04', 'memory'),
}


@pytest.mark.parametrize('case', PLANS)
def test_a_document_that_left_its_plan_is_found(case: str) -> None:
    old, new, code, subject = PLANS[case]
    found = [
        finding
        for finding in find(document((old, new)))
        if finding.code.startswith('RV-P')
    ]
    assert [finding.code for finding in found] == [code]
    assert found[0].subject.startswith(subject)


def test_metadata_that_are_no_plan() -> None:
    domain = document()
    domain.plan = '{"schema_version": 1}'
    (finding,) = find(domain)
    assert finding.code == 'RV-P01'
    assert finding.hint == 'apply the plan again'

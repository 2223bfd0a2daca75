# SPDX-License-Identifier: Apache-2.0
"""The record of a running guest in the tutorial is what rtvirt would print.

It was taken by ``make lab``. What the tools of the kernel show in it is given
to the code that prints proofs, which has to print the proof of the record.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rtvirt
from rtvirt.cli.guest import read_guest
from rtvirt.cli.verify import prove
from rtvirt.cli.verify import report_proofs
from rtvirt.host.running import RunningDomain
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedPages
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.testing import edge_host
from rtvirt.tests.require import require

TOP = Path(__file__).parents[3]
RECORD = TOP / 'doc' / 'source' / 'talk.txt'
TUTORIAL = TOP / 'doc' / 'source' / 'tutorial.rst'
FLAVOR = TOP / 'tools' / 'lab' / 'rt1.small.yaml'
PROOFS = ('rtvirt domain create', 'rtvirt domain verify')

_ROLES = {
    'CPU': ThreadRole.VCPU,
    'IO iothread': ThreadRole.IOTHREAD,
    'IO mon_iothread': ThreadRole.MONITOR,
    'TC': ThreadRole.PREALLOC,
    'qemu': ThreadRole.EMULATOR,
}
_ELSEWHERE = Scheduling(cpus=rtvirt.CPUSet.parse('2-3'))
"""Of the threads that the talk does not look at."""


@pytest.fixture
def record() -> str:
    require(RECORD.exists(), 'this is no checkout of the repository')
    return RECORD.read_text()


def table(record: str, command: str) -> list[list[str]]:
    """Return the first table below a command."""
    _, _, below = record.partition(f'rt-host# {command}')
    lines = below.partition('rt-host# ')[0].splitlines()
    return [
        [cell.strip() for cell in line.strip('|').split('|')]
        for line in lines
        if line.startswith('|')
    ]


def _place(thread: ObservedThread) -> int:
    return [*ThreadRole].index(thread.role)


def memory(record: str) -> ObservedMemory:
    """Return what numa_maps shows, and the lock of the proof."""
    pages = re.search(
        r' (bind:\d) .* N(\d)=(\d) kernelpagesize_kB=(\d+)', record
    )
    assert pages
    policy, node, count, size = pages.groups()
    locked = re.search(r'locked memory \| \d+ MiB +\| (\d+) MiB', record)
    assert locked
    return ObservedMemory(
        huge=(
            ObservedPages(
                node=int(node),
                size_kib=int(size),
                count=int(count),
                policy=policy,
            ),
        ),
        locked_kib=int(locked[1]) << 10,
        resident_kib=1 << 16,
    )


def observe(record: str) -> ObservedDomain:
    """Return what ps, taskset, chrt and numa_maps show in the record."""
    masks = dict(re.findall(r"pid (\d+)'s .* affinity mask: (\w+)", record))
    policies = dict(re.findall(r"pid (\d+)'s .* policy: SCHED_(\w+)", record))
    priorities = dict(re.findall(r"pid (\d+)'s .* priority: (\d+)", record))
    threads = []
    for tid, name in re.findall(
        r'^ +\d+ +(\d+) \?\S* +\S+ (.+)$', record, re.M
    ):
        role = next(r for word, r in _ROLES.items() if name.startswith(word))
        number = re.search(r'^(?:CPU |IO iothread)(\d+)', name)
        threads.append(
            ObservedThread(
                tid=int(tid),
                name=name,
                role=role,
                number=int(number[1]) if number else None,
                scheduling=Scheduling(
                    cpus=rtvirt.CPUSet.from_mask(int(masks[tid], 16)),
                    policy=policies[tid].lower(),
                    priority=int(priorities[tid]),
                )
                if tid in masks
                else _ELSEWHERE,
                last_cpu=2,
            )
        )
    return ObservedDomain(
        uuid='u',
        pid=threads[0].tid,
        threads=tuple(sorted(threads, key=_place)),
        memory=memory(record),
        strangers=(),
    )


@pytest.mark.parametrize('command', PROOFS)
def test_the_proof_is_that_of_the_threads_shown(
    record: str, command: str
) -> None:
    guest = read_guest(str(FLAVOR), None)
    plan = rtvirt.fit(guest, edge_host(dedicated='2-5'))
    domain = rtvirt.parse_domain(rtvirt.domain_xml(plan, name='rt1'))
    report = report_proofs(
        [prove(RunningDomain(domain=domain, observed=observe(record)))],
        'error',
    )
    proof = report.tables[0]
    heading, *rows = table(record, command)
    assert heading == [*proof.columns.values()]
    assert rows == [
        ['-' if cell in ('', None) else str(cell) for cell in row]
        for row in proof.rows
    ]
    assert f'\n{report.headline}\n' in record


def test_the_tutorial_shows_what_is_in_the_record(record: str) -> None:
    marks = re.findall(
        r'talk\.txt\n.*\n +:start-at: (.+)\n +:end-before: (.+)',
        TUTORIAL.read_text(),
    )
    assert len(marks) >= 5
    for start, end in marks:
        _, found, below = record.partition(start)
        assert found
        assert end in below

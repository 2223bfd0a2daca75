# SPDX-License-Identifier: Apache-2.0
"""A person sees at a glance what is as planned, and what is not."""

import io

import pytest

from rtvirt.demo.screen import Screen
from rtvirt.demo.show import show_proof
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedPages
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.model.plan import Plan
from rtvirt.model.plan import PlannedCell

PLAN = Plan(
    guest=GuestRequirement(
        name='rt',
        vcpus=2,
        memory_mib=64,
        cells=(
            GuestCell(
                id=0,
                dedicated=CPUSet([0, 1]),
                memory_mib=64,
                page_size=2048,
            ),
        ),
        topology=CPUTopology(sockets=2),
        realtime=CPUSet([1]),
        priorities={1: 5},
        locked_memory=True,
        iothreads=0,
    ),
    cells=(
        PlannedCell(
            guest_cell=0,
            host_cell=0,
            pins={0: CPUSet([2]), 1: CPUSet([3])},
            page_size_kib=2048,
            memory_mib=64,
        ),
    ),
    emulator=CPUSet([2]),
)


def thread(
    tid: int, role: ThreadRole, number: int | None, scheduling: Scheduling
) -> ObservedThread:
    return ObservedThread(
        tid=tid,
        name=f'thread {tid}',
        role=role,
        number=number,
        scheduling=scheduling,
        last_cpu=0,
    )


def observed(
    realtime: Scheduling, *, pages: int = 32, locked_kib: int = 65536
) -> ObservedDomain:
    house = Scheduling(cpus=CPUSet([2]))
    return ObservedDomain(
        uuid='u',
        pid=70,
        threads=(
            thread(71, ThreadRole.VCPU, 0, house),
            thread(72, ThreadRole.VCPU, 1, realtime),
            thread(70, ThreadRole.EMULATOR, None, house),
            thread(
                73, ThreadRole.PREALLOC, None, Scheduling(cpus=CPUSet([3]))
            ),
        ),
        memory=ObservedMemory(
            huge=(ObservedPages(node=0, size_kib=2048, count=pages),),
            locked_kib=locked_kib,
            resident_kib=0,
        ),
    )


GOOD = Scheduling(cpus=CPUSet([3]), policy='fifo', priority=5)


def show(domain: ObservedDomain, *, locked: bool = True) -> tuple[bool, str]:
    stream = io.StringIO()
    holds = show_proof(Screen(stream), PLAN, domain, locked=locked)
    return holds, stream.getvalue()


def line(text: str, subject: str) -> list[str]:
    (found,) = [
        line for line in text.splitlines() if line.strip().startswith(subject)
    ]
    return found.split('  ')


def test_all_is_as_planned() -> None:
    holds, text = show(observed(GOOD))

    assert holds
    row = [cell.strip() for cell in line(text, 'vCPU 1  ') if cell.strip()]
    assert row == [
        'vCPU 1',
        '72',
        'thread 72',
        'pCPU 3, FIFO 5',
        'pCPU 3, FIFO 5',
        'ok',
    ]
    assert 'vCPU 1 is thread 72: SCHED_FIFO, priority 5, on pCPU 3, as' in text
    assert 'All 4 threads are as planned.' in text
    assert max(map(len, text.splitlines())) <= 79
    assert 'WRONG' not in text


@pytest.mark.parametrize(
    'scheduling',
    [
        Scheduling(cpus=CPUSet([3])),
        Scheduling(cpus=CPUSet([3]), policy='fifo', priority=4),
        Scheduling(cpus=CPUSet([2, 3]), policy='fifo', priority=5),
    ],
)
def test_a_thread_that_is_not_as_planned(scheduling: Scheduling) -> None:
    holds, text = show(observed(scheduling))

    assert not holds
    assert text.count('WRONG') == 1
    assert 'WRONG' in ' '.join(line(text, 'vCPU 1  '))
    assert '1 threads are not as planned.' in text
    assert 'is thread' not in text


@pytest.mark.parametrize(('pages', 'locked_kib'), [(31, 65536), (32, 65535)])
def test_memory_that_is_not_as_planned(pages: int, locked_kib: int) -> None:
    holds, text = show(observed(GOOD, pages=pages, locked_kib=locked_kib))

    assert not holds
    assert text.count('WRONG') == 1
    assert 'The memory is not as planned.' in text


def test_memory_that_was_not_locked_is_said_and_not_held_against() -> None:
    holds, text = show(observed(GOOD, locked_kib=0), locked=False)

    assert holds
    assert 'left out' in ' '.join(line(text, 'locked'))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ('environment', 'coloured'),
    [
        ({'TERM': 'xterm'}, True),
        ({'TERM': 'xterm', 'NO_COLOR': '1'}, False),
        ({'TERM': 'dumb'}, False),
        ({}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    coloured: bool,
) -> None:
    for name in ('TERM', 'NO_COLOR'):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Terminal()

    Screen(stream).say('text', 'good')

    assert ('\033[' in stream.getvalue()) == coloured


def test_a_terminal_sees_the_beginning_of_a_long_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('COLUMNS', '20')
    terminal, file = Terminal(), io.StringIO()

    for stream in (terminal, file):
        Screen(stream).document(f'<a>\n{"x" * 100}\n', ['<a'])

    assert f'{"x" * 16} ...' in terminal.getvalue()
    assert 'x' * 17 not in terminal.getvalue()
    assert file.getvalue() == f'<a>\n{"x" * 100}\n'

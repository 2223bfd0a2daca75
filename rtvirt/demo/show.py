# SPDX-License-Identifier: Apache-2.0
"""The demo's last table: every thread and the memory, with a verdict each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rtvirt.demo.screen import Screen
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedThread
from rtvirt.model.plan import Plan
from rtvirt.verifiers.proof import MemoryProof
from rtvirt.verifiers.proof import ThreadProof
from rtvirt.verifiers.proof import prove_memory
from rtvirt.verifiers.proof import prove_threads
from rtvirt.verifiers.wanted import memory_of_plan
from rtvirt.verifiers.wanted import threads_of_plan
from rtvirt.verifiers.words import say_pages
from rtvirt.verifiers.words import say_scheduling

_THREADS: Final = ('thread', 'tid', 'name', 'planned', 'actual', 'verdict')
_MEMORY: Final = ('memory', 'planned', 'actual', 'verdict')
_OK: Final = 'ok'
_WRONG: Final = 'WRONG'

Row = tuple[Sequence[str], str]
"""The cells of a row, and its style."""


def show_proof(
    screen: Screen, plan: Plan, observed: ObservedDomain, *, locked: bool
) -> bool:
    """Show what was planned beside what the kernel shows.

    :param locked: whether the guest was started with locked memory.
    :return: whether everything is as planned.
    """
    threads = prove_threads(threads_of_plan(plan), observed)
    memory = prove_memory(memory_of_plan(plan), observed.memory)
    screen.table(_THREADS, [_thread_row(proof) for proof in threads])
    screen.say()
    screen.table(_MEMORY, _memory_rows(plan, memory, locked=locked))
    screen.say()
    for proof in threads:
        if proof.ok and proof.thread and proof.thread.scheduling.priority:
            _praise(screen, proof.subject, proof.thread)
    wrong = [proof for proof in threads if not proof.ok]
    holds = memory.pages_ok and (memory.locked_ok or not locked)
    if wrong:
        screen.say(f'{len(wrong)} threads are not as planned.', 'bad')
    else:
        screen.say(f'All {len(threads)} threads are as planned.', 'good')
    if not holds:
        screen.say('The memory is not as planned.', 'bad')
    return holds and not wrong


def _praise(screen: Screen, subject: str, thread: ObservedThread) -> None:
    """Say in a sentence what a real-time thread is about."""
    actual = thread.scheduling
    screen.say(
        f'{subject} is thread {thread.tid}: SCHED_{actual.policy.upper()}, '
        f'priority {actual.priority}, on pCPU {actual.cpus}, as planned.',
        'star',
    )


def _thread_row(proof: ThreadProof) -> Row:
    thread = proof.thread
    if not proof.ok:
        style = 'bad'
    elif proof.planned and proof.planned.priority:
        style = 'star'
    else:
        style = 'good' if proof.planned else 'faint'
    return (
        proof.subject,
        str(thread.tid) if thread else '-',
        thread.name if thread else '-',
        say_scheduling(proof.planned) if proof.planned else 'idle by now',
        say_scheduling(thread.scheduling) if thread else 'there is none',
        _OK if proof.ok else _WRONG,
    ), style


def _memory_rows(plan: Plan, proof: MemoryProof, *, locked: bool) -> list[Row]:
    hidden = isinstance(proof.actual, Missing)
    actual = 'hidden' if hidden else say_pages(value_or(proof.actual, ()))
    rows = [
        _memory_row(
            'pages',
            say_pages(proof.planned.huge or ()),
            actual,
            proof.pages_ok,
        )
    ]
    if plan.guest.locked_memory:
        wanted = f'{plan.guest.memory_mib} MiB'
        actual = f'{value_or(proof.locked_kib, 0) >> 10} MiB'
        rows.append(
            _memory_row('locked', wanted, actual, proof.locked_ok)
            if locked
            else (('locked', wanted, 'left out, see above', '-'), 'note')
        )
    return rows


def _memory_row(subject: str, planned: str, actual: str, ok: bool) -> Row:
    cells = (subject, planned, actual, _OK if ok else _WRONG)
    return cells, 'good' if ok else 'bad'

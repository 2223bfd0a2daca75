# SPDX-License-Identifier: Apache-2.0
"""Read the threads: policy, priority, affinity."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rtvirt.host.facts.tree import Tree
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.missing import malformed
from rtvirt.model.facts.parse import parse_list
from rtvirt.model.facts.task import Task

MAX_TASKS: Final = 65536

_ALLOWED: Final = b'\nCpus_allowed_list:\t'

_MAX_DIGITS: Final = 18
_OF_A_CPU: Final = re.compile(r'/(\d{1,5})(?:$|:)')

# Flags of a task, <linux/sched.h>.
_PF_KTHREAD: Final = 0x00200000
_PF_NO_SETAFFINITY: Final = 0x04000000

# Fields of /proc/PID/stat, counted from the state: proc_pid_stat(5) counts
# from 1, and the state is its third.
_FLAGS: Final = 9 - 3
_PROCESSOR: Final = 39 - 3
_RT_PRIORITY: Final = 40 - 3
_POLICY: Final = 41 - 3


@dataclass(frozen=True, slots=True)
class _Stat:
    name: str
    flags: int
    last: int
    priority: int
    policy: int

    @property
    def is_kernel(self) -> bool:
        return bool(self.flags & _PF_KTHREAD)

    @property
    def is_bound(self) -> bool:
        return bool(self.flags & _PF_NO_SETAFFINITY)

    @property
    def is_bound_to_last(self) -> bool:
        """Whether this is one of the kernel's threads of each CPU.

        Such a thread is bound and ends in the number of its CPU
        (``rcuc/3``, ``kworker/3:1``). Most threads of a large host are
        like that: not to read where they may run saves a fifth of the
        time of all reading.
        """
        if not (self.is_kernel and self.is_bound):
            return False
        match = _OF_A_CPU.search(self.name)
        return match is not None and int(match[1]) == self.last


def read_process_ids(tree: Tree) -> tuple[int, ...]:
    """Return the processes there are, ascending."""
    names = tree.names('/proc')
    return tuple(
        sorted(int(n) for n in names if n.isdecimal() and len(n) < 10)
    )


def read_tasks(tree: Tree) -> tuple[Task, ...] | Missing:
    """Read every thread; those that end meanwhile are left out."""
    pids = read_process_ids(tree)
    if not pids:
        return absent('/proc/*/task/*')
    if pids[0] != 1:
        return Missing(
            missing=Why.UNREADABLE,
            path='/proc/*/task/*',
            detail='the processes of others are hidden (hidepid)',
        )
    found: list[Task] = []
    sets: dict[bytes, CPUSet] = {}
    for pid in pids:
        found.extend(read_threads(tree, pid, sets))
        if len(found) > MAX_TASKS:
            return malformed(
                '/proc/*/task/*', f'more than {MAX_TASKS} threads'
            )
    return tuple(found)


def read_threads(
    tree: Tree, pid: int, sets: dict[bytes, CPUSet] | None = None
) -> tuple[Task, ...]:
    """Read the threads of a process; none where it has ended.

    :param sets: keeps the CPU sets that were parsed, by their text.
    """
    leader = _read_stat(tree, f'/proc/{pid}')
    if leader is None:
        return ()
    known = {} if sets is None else sets
    tids = (
        (str(pid),)
        if leader.is_kernel
        else tree.names(f'/proc/{pid}/task')[:MAX_TASKS]
    )
    tasks = (_read_task(tree, pid, tid, leader, known) for tid in tids)
    return tuple(task for task in tasks if task is not None)


def _read_task(
    tree: Tree, pid: int, tid: str, leader: _Stat, sets: dict[bytes, CPUSet]
) -> Task | None:
    if tid == str(pid):
        directory = f'/proc/{pid}'
        stat: _Stat | None = leader
    else:
        directory = f'/proc/{pid}/task/{tid}'
        stat = _read_stat(tree, directory)
    if stat is not None and stat.is_bound_to_last:
        allowed: CPUSet | None = CPUSet([stat.last])
    else:
        allowed = _read_allowed(tree, directory, sets)
    if stat is None or allowed is None or not tid.isdecimal():
        return None
    return Task(
        pid=pid,
        tid=int(tid),
        name=stat.name,
        process=leader.name,
        kernel=stat.is_kernel,
        bound=stat.is_bound,
        policy=stat.policy,
        priority=stat.priority,
        allowed=allowed,
        last=stat.last,
    )


def _read_stat(tree: Tree, directory: str) -> _Stat | None:
    content = tree.read(f'{directory}/stat')
    if isinstance(content, Missing):
        return None
    # The name may hold blanks and brackets: its end is the last bracket.
    head, _, tail = content.rpartition(b')')
    fields = tail.split()
    try:
        return _Stat(
            name=head.partition(b'(')[2].decode(errors='replace'),
            flags=int(fields[_FLAGS][:_MAX_DIGITS]),
            last=int(fields[_PROCESSOR][:_MAX_DIGITS]),
            priority=int(fields[_RT_PRIORITY][:_MAX_DIGITS]),
            policy=int(fields[_POLICY][:_MAX_DIGITS]),
        )
    except (ValueError, IndexError):
        return None


def _read_allowed(
    tree: Tree, directory: str, sets: dict[bytes, CPUSet]
) -> CPUSet | None:
    """Return the CPUs a thread may use; ``sets`` keeps those parsed."""
    content = tree.read(f'{directory}/status')
    if isinstance(content, Missing):
        return None
    start = content.find(_ALLOWED)
    if start < 0:
        return None
    start += len(_ALLOWED)
    text = content[start : content.find(b'\n', start)]
    known = sets.get(text)
    if known is None:
        try:
            known = parse_list(text.decode(errors='replace'))
        except ValueError:
            return None
        sets[text] = known
    return known

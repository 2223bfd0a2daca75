# SPDX-License-Identifier: Apache-2.0
"""B: settings below /proc/sys."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator

from rtvirt.checks.base import BOTH
from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import judge
from rtvirt.checks.base import some
from rtvirt.checks.base import unreadable
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity

_Row = tuple[str, int | Missing, Callable[[int], bool], str, str]


def _judge_rows(*rows: _Row) -> Iterator[Answer]:
    for name, value, holds, expected, setting in rows:
        yield from judge(
            value,
            holds,
            subject=f'/proc/sys/{name.replace(".", "/")}',
            expected=expected,
            mend=f'sysctl {name}={setting}',
        )


@check(
    'RT-B14',
    'The scheduler does not move work about',
    Severity.WARNING,
    reads=(
        '/proc/sys/kernel/sched_autogroup_enabled',
        '/proc/sys/kernel/timer_migration',
        '/proc/sys/kernel/numa_balancing',
        '/proc/sys/kernel/hung_task_timeout_secs',
    ),
    expected='0, 0, 0, and 0 or at least 600',
    why='NUMA balancing takes pages away from a thread to see who touches '
    'them, and timer migration moves timers to whichever CPU is busy: the '
    'real-time ones are. Autogroups weigh threads by session, and a short '
    'hung task timeout reports tasks that merely wait for a real-time '
    'thread.',
    source='tuned: realtime, network-latency; kernel: '
    'admin-guide/sysctl/kernel.rst (OpenShift keeps timer_migration=1 for '
    'the sake of nohz_full)',
    mend='sysctl with the value expected',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def scheduler_settings(facts: HostFacts) -> Iterator[Answer]:
    """Yield one answer for each setting."""
    scheduler = facts.scheduler
    yield from _judge_rows(
        (
            'kernel.sched_autogroup_enabled',
            scheduler.autogroup,
            lambda value: value == 0,
            '0',
            '0',
        ),
        (
            'kernel.timer_migration',
            scheduler.timer_migration,
            lambda value: value == 0,
            '0',
            '0',
        ),
        (
            'kernel.numa_balancing',
            scheduler.numa_balancing,
            lambda value: value == 0,
            '0',
            '0',
        ),
        (
            'kernel.hung_task_timeout_secs',
            facts.watchdog.hung_task_timeout_s,
            lambda value: value == 0 or value >= 600,
            '0, or at least 600',
            '600',
        ),
    )


@check(
    'RT-B15',
    'Memory management rarely wakes up',
    Severity.WARNING,
    reads=(
        '/proc/sys/vm/stat_interval',
        '/proc/sys/vm/swappiness',
        '/proc/sys/vm/compaction_proactiveness',
        '/proc/swaps',
    ),
    expected='at least 10, at most 10, 0, and no swap',
    why='The kernel folds its per-CPU memory counters every stat_interval '
    'seconds with a work item on each CPU, and kcompactd moves pages about '
    'to please future allocations. Swap makes a page fault wait for a disk.',
    source='tuned: realtime, latency-performance; kernel: '
    'admin-guide/sysctl/vm.rst',
    mend='sysctl with the value expected; swapoff -a and no swap in '
    '/etc/fstab',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def memory_settings(facts: HostFacts) -> Iterator[Answer]:
    """Yield one answer for each setting, and one for swap."""
    memory = facts.memory
    yield from _judge_rows(
        (
            'vm.stat_interval',
            memory.stat_interval_s,
            lambda value: value >= 10,
            'at least 10',
            '10',
        ),
        (
            'vm.swappiness',
            memory.swappiness,
            lambda value: value <= 10 or memory.swaps == (),
            'at most 10',
            '10',
        ),
        (
            'vm.compaction_proactiveness',
            memory.compaction_proactiveness,
            lambda value: value == 0,
            '0',
            '0',
        ),
    )
    if isinstance(memory.swaps, Missing):
        yield from unreadable(memory.swaps)
    elif memory.swaps:
        yield Answer(
            subject='/proc/swaps',
            actual=some(memory.swaps),
            expected='no swap',
            mend='swapoff -a, and take swap out of /etc/fstab',
        )


CHECKS = CheckGroup((scheduler_settings, memory_settings))

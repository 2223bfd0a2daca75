# SPDX-License-Identifier: Apache-2.0
"""F: what moves, merges or takes back the memory of guests."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import BOTH
from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import judge
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-F03',
    'Transparent huge pages are off',
    Severity.WARNING,
    reads=('/sys/kernel/mm/transparent_hugepage/enabled',),
    expected='never',
    why='khugepaged copies ordinary pages into huge ones behind the back of '
    'the threads that use them, which have to wait for it. The memory of a '
    'real-time guest is in huge pages already and gains nothing.',
    source='kernel: Documentation/admin-guide/mm/transhuge.rst; tuned: '
    'network-latency (transparent_hugepages=never)',
    mend='echo never > the file, or boot with transparent_hugepage=never',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def transparent_pages(facts: HostFacts) -> Iterator[Answer]:
    """Accept "madvise" with a remark: only those who ask pay."""
    word = facts.memory.transparent
    yield from judge(
        word,
        lambda value: value == 'never',
        severity=Severity.INFO if word == 'madvise' else None,
    )


@check(
    'RT-F04',
    'Equal pages are not merged',
    Severity.ERROR,
    reads=('/sys/kernel/mm/ksm/run',),
    expected='0, or 2',
    why='A merged page is read-only: the next write to it makes the guest '
    'wait for a copy. ksmd needs a lock of the guest\'s memory while it '
    'compares, and a processor.',
    source='kernel: Documentation/admin-guide/mm/ksm.rst; tuned: '
    'realtime-virtual-host (2: stop, and take apart what is merged)',
    mend='systemctl disable --now ksm ksmtuned; echo 2 > the file',
    safety=Safety.DISRUPTIVE,
)
def merging(facts: HostFacts) -> Iterator[Answer]:
    """Compare."""
    yield from judge(facts.memory.ksm, lambda run: run in (0, 2))


@check(
    'RT-F05',
    'A node that is short of memory asks the next one',
    Severity.WARNING,
    reads=('/proc/sys/vm/zone_reclaim_mode',),
    expected='0',
    why='With zone reclaim a thread that needs a page first throws others '
    'out of its node, writing them to disk if need be. The guest\'s own '
    'memory is reserved, but the host\'s threads that serve it wait.',
    source='kernel: admin-guide/sysctl/vm.rst (zone_reclaim_mode)',
    mend='sysctl vm.zone_reclaim_mode=0',
    safety=Safety.LIVE,
)
def zone_reclaim(facts: HostFacts) -> Iterator[Answer]:
    """Compare."""
    yield from judge(facts.memory.zone_reclaim_mode, lambda mode: mode == 0)


CHECKS = CheckGroup((transparent_pages, merging, zone_reclaim))

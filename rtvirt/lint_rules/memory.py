# SPDX-License-Identifier: Apache-2.0
"""M: the guest's memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rtvirt.libvirtxml.domain import Domain
from rtvirt.lint_rules.base import Flaw
from rtvirt.lint_rules.base import RuleGroup
from rtvirt.lint_rules.base import rule
from rtvirt.lint_rules.view import is_realtime
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Severity
from rtvirt.model.pages import format_kib


@rule(
    'RL-M01',
    'Memory of a real-time guest is locked',
    Severity.ERROR,
    subject='memoryBacking/locked',
    expected='<locked/>',
    why='A page that was swapped out, or not yet there, costs milliseconds '
    'when a real-time vCPU touches it (libvirt: kbase/kvm-realtime).',
    mend='add <locked/> to <memoryBacking>',
)
def memory_is_locked(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for a real-time domain without it."""
    if is_realtime(domain) and not domain.memory_backing.locked:
        yield Flaw(actual='memory may be swapped out')


@memory_is_locked.fixed_by
def _lock(domain: Domain) -> None:
    if is_realtime(domain) and not domain.memory_backing.locked:
        domain.memory_backing = replace(domain.memory_backing, locked=True)


@rule(
    'RL-M02',
    'Pages of a real-time guest are not merged',
    Severity.WARNING,
    subject='memoryBacking/nosharepages',
    expected='<nosharepages/>',
    why='KSM makes equal pages one; the next write to it faults and copies '
    '(kernel: admin-guide/mm/ksm).',
    mend='add <nosharepages/> to <memoryBacking>',
)
def pages_are_not_merged(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for a real-time domain without it."""
    if is_realtime(domain) and not domain.memory_backing.nosharepages:
        yield Flaw(actual='pages may be merged')


@pages_are_not_merged.fixed_by
def _keep_apart(domain: Domain) -> None:
    if is_realtime(domain) and not domain.memory_backing.nosharepages:
        domain.memory_backing = replace(
            domain.memory_backing, nosharepages=True
        )


@rule(
    'RL-M03',
    'A real-time guest has huge pages',
    Severity.WARNING,
    subject='memoryBacking/hugepages',
    expected='<hugepages>',
    why='On ordinary pages a miss walks two page tables, and the host\'s '
    'kernel may move or compact them under the guest.',
    mend='reserve huge pages on the host and add <hugepages>',
)
def has_huge_pages(domain: Domain, _facts: HostFacts | None) -> Iterator[Flaw]:
    """Look for a real-time domain without."""
    if is_realtime(domain) and domain.memory_backing.hugepages is None:
        yield Flaw(actual='memory is on ordinary pages')


@rule(
    'RL-M04',
    'Huge pages are for guest cells that exist',
    Severity.FATAL,
    subject='memoryBacking/hugepages/page',
    expected='ids of <cpu><numa><cell>',
    why='libvirt refuses the document: "hugepages: node N not found". The '
    'nodeset names cells of the guest, not of the host; the example of '
    'libvirt\'s own real-time guide is refused so.',
    mend='name guest cells, or add <numa> to <cpu>',
)
def pages_are_for_cells(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for cells that are not there."""
    pages = domain.memory_backing.hugepages
    # Without cells libvirt takes the whole guest for cell 0.
    cells = set(domain.cpu.cells) or {0}
    for page in pages or ():
        missing = [n for n in page.nodeset or () if n not in cells]
        if missing:
            yield Flaw(actual=f'guest cells {CPUSet(missing)} do not exist')


@rule(
    'RL-M05',
    'Memory is whole pages',
    Severity.FATAL,
    subject='cpu/numa/cell',
    expected='memory that is a multiple of the page size',
    why='QEMU cannot back a part of a page: the domain does not start.',
    mend='change the memory, or use smaller pages',
)
def memory_is_whole_pages(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Divide each cell's memory by its page size."""
    for name, memory_kib, size_kib in _backings(domain):
        if size_kib and memory_kib % size_kib:
            yield Flaw(
                actual=f'{name} has {format_kib(memory_kib)} on pages of '
                f'{format_kib(size_kib)}'
            )


def _backings(domain: Domain) -> Iterator[tuple[str, int, int]]:
    """Yield name, memory and page size (0 is unknown) of each cell."""
    pages = domain.memory_backing.hugepages
    named: dict[int, int] = {}
    default = 0
    for page in pages or ():
        if page.nodeset is None:
            default = page.size_kib
        for number in page.nodeset or ():
            named[number] = page.size_kib
    cells = domain.cpu.cells
    for number, cell in cells.items():
        size_kib = named.get(number, default)
        yield f'guest cell {number}', cell.memory_kib, size_kib
    if not cells and domain.memory_kib is not None:
        yield 'the guest', domain.memory_kib, named.get(0, default)


@rule(
    'RL-M06',
    'Memory is bound for guest cells that exist',
    Severity.FATAL,
    subject='numatune/memnode',
    expected='ids of <cpu><numa><cell>',
    why='libvirt refuses the document.',
    mend='name guest cells',
)
def memnodes_are_for_cells(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for cells that are not there."""
    for number in domain.numatune.memnodes:
        if number not in domain.cpu.cells:
            yield Flaw(actual=f'guest cell {number} does not exist')


@rule(
    'RL-M07',
    'Memory of a real-time guest is bound strictly',
    Severity.WARNING,
    subject='numatune',
    expected='mode strict',
    why='Any other mode takes memory of another node when the right one is '
    'short of it, and every access then crosses the interconnect.',
    mend='set mode="strict"',
)
def memory_is_bound(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for other modes, or none."""
    if not is_realtime(domain):
        return
    tune = domain.numatune
    if tune.memory is None and not tune.memnodes:
        yield Flaw(actual='memory may come from any node')
    elif tune.memory is not None and tune.memory.mode != 'strict':
        yield Flaw(actual=f'<memory> has mode {tune.memory.mode}')
    for number, node in tune.memnodes.items():
        if node.mode != 'strict':
            yield Flaw(actual=f'guest cell {number} has mode {node.mode}')


@rule(
    'RL-M08',
    'The guest starts with all of its memory',
    Severity.WARNING,
    subject='currentMemory',
    expected='as much as <memory>',
    why='With less the balloon takes the difference back while the guest '
    'boots, page by page, and may go on.',
    mend='set <currentMemory> to the value of <memory>',
)
def memory_is_all_there(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Compare the two."""
    now, most = domain.current_memory_kib, domain.memory_kib
    if now is None or most is None or not is_realtime(domain):
        return
    if now < most:
        yield Flaw(actual=f'{format_kib(now)} of {format_kib(most)}')


@memory_is_all_there.fixed_by
def _give_all(domain: Domain) -> None:
    now, most = domain.current_memory_kib, domain.memory_kib
    if is_realtime(domain) and now is not None and most is not None:
        domain.current_memory_kib = max(now, most)


@rule(
    'RL-M09',
    'A real-time guest has no memory balloon',
    Severity.WARNING,
    subject='devices/memballoon',
    expected='<memballoon model="none"/>',
    why='The balloon takes pages from the guest, reports free ones to the '
    'host and is asked for statistics: exits and faults that the guest did '
    'not cause. libvirt adds one where the element is missing.',
    mend='set model="none"',
)
def has_no_balloon(domain: Domain, _facts: HostFacts | None) -> Iterator[Flaw]:
    """Look for a balloon, said or unsaid."""
    balloon = domain.devices.memballoon
    if is_realtime(domain) and (balloon is None or balloon.model != 'none'):
        yield Flaw(
            actual='no element: libvirt adds a virtio balloon'
            if balloon is None
            else f'model {balloon.model}'
            + (
                ' with free page reporting'
                if balloon.free_page_reporting
                else ''
            )
        )


RULES = RuleGroup(
    (
        memory_is_locked,
        pages_are_not_merged,
        has_huge_pages,
        pages_are_for_cells,
        memory_is_whole_pages,
        memnodes_are_for_cells,
        memory_is_bound,
        memory_is_all_there,
        has_no_balloon,
    )
)

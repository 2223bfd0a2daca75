# SPDX-License-Identifier: Apache-2.0
"""Why a guest cell does not fit a host cell, as data and as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from rtvirt.fitting.cell import has_memory_room
from rtvirt.fitting.cell import has_shared_room
from rtvirt.fitting.demand import CellDemand
from rtvirt.fitting.memory import choose_page_size
from rtvirt.fitting.memory import page_sizes
from rtvirt.fitting.terms import Terms
from rtvirt.model.pages import format_kib
from rtvirt.model.reason import FitReason
from rtvirt.model.reason import ReasonCode
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank
from rtvirt.model.vacancy import Vacancy


def find_reasons(
    want: CellDemand, vacancy: Vacancy, terms: Terms
) -> Iterator[FitReason]:
    """Yield every reason why the guest cell does not fit the host cell."""
    about = _About(want, vacancy)
    if terms.room(want, vacancy) < want.count:
        yield from _find_cpu_reasons(about, terms)
    if not has_shared_room(want, vacancy, terms):
        yield _find_shared_reason(about, terms)
    if terms.limits and not has_memory_room(want, vacancy, terms):
        left = max(0, terms.memory_room_mib(vacancy, terms.limits))
        yield about.reason(
            ReasonCode.MEMORY,
            want.memory_mib,
            left,
            f'wants {want.memory_mib} MiB; the allocation ratio leaves '
            f'{left} MiB',
        )
    if not choose_page_size(want, vacancy, overcommit=terms.overcommit):
        yield from _find_page_reasons(about, terms)


class _About:
    """One pair of cells, to speak about."""

    def __init__(self, want: CellDemand, vacancy: Vacancy) -> None:
        self.want = want
        self.vacancy = vacancy

    def reason(
        self,
        code: ReasonCode,
        wanted: int | str | None,
        available: int | str | None,
        text: str,
    ) -> FitReason:
        guest_cell = self.want.id
        host_cell = self.vacancy.cell.id
        return FitReason(
            guest_cell=guest_cell,
            host_cell=host_cell,
            code=code,
            wanted=wanted,
            available=available,
            sentence=(
                f'guest cell {guest_cell} on host cell {host_cell}: {text}'
            ),
        )


def _find_cpu_reasons(about: _About, terms: Terms) -> Iterator[FitReason]:
    """Yield what keeps the dedicated vCPUs from the cell's pCPUs."""
    want = about.want
    vacancy = about.vacancy
    needed = want.count + want.reserved
    if vacancy.count < needed:
        total = len(vacancy.cell.dedicated)
        short = total < needed
        extra = ' (one for the emulator threads)' if want.reserved else ''
        yield about.reason(
            ReasonCode.DEDICATED_CPUS,
            needed,
            total if short else vacancy.count,
            f'wants {needed} dedicated pCPUs{extra}; '
            + (
                f'the cell has {total}'
                if short
                else f'{vacancy.count} of {total} are free'
            ),
        )
    elif vacancy.room[want.room] < want.count:
        yield _find_thread_reason(about, terms)
    elif terms.refuse_smt and terms.refuses(vacancy):
        yield about.reason(
            ReasonCode.THREAD_POLICY,
            want.count,
            0,
            'thread policy isolate is refused on a host with sibling '
            'threads whose dedicated and shared pCPUs are set apart',
        )
    else:
        yield from _find_area_reasons(about, terms)


def _find_thread_reason(about: _About, terms: Terms) -> FitReason:
    want = about.want
    room = max(0, about.vacancy.room[want.room])
    extra = ' and one for the emulator threads' if want.reserved else ''
    return about.reason(
        ReasonCode.THREAD_POLICY,
        want.count,
        room,
        f'wants {want.count} pCPUs under thread policy '
        f'{terms.demand.policy}{extra}; the free cores give {room}',
    )


def _find_area_reasons(about: _About, terms: Terms) -> Iterator[FitReason]:
    """Yield what keeps the vCPUs from cores inside one L3, or with cache."""
    want = about.want
    vacancy = about.vacancy
    layout = vacancy.layout
    guest = terms.demand.guest
    found = False
    if terms.demand.is_controlled and want.realtime:
        for code, asked, parts in (
            (ReasonCode.CACHE, guest.cache_mib, terms.banks),
            (ReasonCode.MEMORY_BANDWIDTH, guest.memory_bandwidth, terms.nodes),
        ):
            cores = terms.cores_behind(layout, asked, parts)
            if vacancy.room_within(cores)[want.room] < want.count:
                found = True
                yield _find_control_reason(about, terms, code)
    if found:
        return
    room = max(
        (
            vacancy.room_within(area)[want.room]
            for area in terms.areas(want, layout)
        ),
        default=0,
    )
    known = 'inside one L3' if layout.l3 else 'and the L3 caches are unknown'
    yield about.reason(
        ReasonCode.L3,
        want.count,
        max(0, room),
        f'wants {want.count} pCPUs {known}; the free cores give '
        f'{max(0, room)}',
    )


def _find_control_reason(
    about: _About, terms: Terms, code: ReasonCode
) -> FitReason:
    """Return what is missing of an L3 cache, or of the bandwidth."""
    host = terms.host
    guest = terms.demand.guest
    cpus = about.vacancy.cell.dedicated
    parts: Sequence[CacheBank | BandwidthNode]
    if code is ReasonCode.CACHE:
        wanted = guest.cache_mib
        parts = [bank for bank in host.caches if bank.level == 3]
        free = [b.free_kib // 1024 for b in host.caches if b.cpus & cpus]
        what = f'{wanted} MiB of an L3 cache'
        unit = 'MiB'
    else:
        wanted = guest.memory_bandwidth
        parts = host.bandwidths
        free = [node.free for node in host.bandwidths if node.cpus & cpus]
        what = f'{wanted} % of the memory bandwidth'
        unit = '%'
    available = max(free, default=0)
    if not any(part.to_steps(1) for part in parts):
        available = 0
        why = 'the host cannot share it out (no resctrl)'
    elif host.control_groups >= host.max_groups:
        why = f'all {host.max_groups} resctrl groups are taken'
    else:
        why = f'at most {available} {unit} are left behind one L3'
    return about.reason(code, wanted, available, f'wants {what}; {why}')


def _find_shared_reason(about: _About, terms: Terms) -> FitReason:
    wanted = len(about.want.shared)
    room = max(0, terms.shared_room(about.vacancy))
    return about.reason(
        ReasonCode.SHARED_CPUS,
        wanted,
        room,
        f'wants {wanted} shared pCPUs; there are {room}',
    )


def _find_page_reasons(about: _About, terms: Terms) -> Iterator[FitReason]:
    """Yield, for each page size that might do, why it does not."""
    want = about.want
    vacancy = about.vacancy
    if not vacancy.cell.pages and want.page_size is None:
        left = vacancy.cell.backing_kib(4, overcommit=terms.overcommit) // 1024
        yield about.reason(
            ReasonCode.MEMORY,
            want.memory_mib,
            left,
            f'wants {want.memory_mib} MiB; {left} MiB are free',
        )
        return
    sizes = page_sizes(want, vacancy)
    if not sizes:
        asked = want.page_kib or str(want.page_size)
        known = [str(pool.size_kib) for pool in vacancy.cell.pages]
        yield about.reason(
            ReasonCode.PAGE_SIZE,
            asked,
            ','.join(known),
            f'wants pages of {asked}{" KiB" if want.page_kib else ""}; the '
            f'cell has {" and ".join(known) or "no"} KiB pages',
        )
    for size_kib in sizes:
        yield _find_page_reason(about, terms, size_kib)


def _find_page_reason(about: _About, terms: Terms, size_kib: int) -> FitReason:
    want = about.want
    overcommit = terms.overcommit and want.page_size is None
    free_kib = about.vacancy.cell.backing_kib(size_kib, overcommit=overcommit)
    if want.memory_kib % size_kib:
        return about.reason(
            ReasonCode.PAGE_SIZE,
            size_kib,
            None,
            f'{want.memory_mib} MiB are no whole pages of '
            f'{format_kib(size_kib)}',
        )
    wanted = want.memory_kib // size_kib
    free = free_kib // size_kib
    return about.reason(
        ReasonCode.PAGES,
        wanted,
        free,
        f'wants {wanted} pages of {format_kib(size_kib)}; {free} are free',
    )

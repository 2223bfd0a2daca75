# SPDX-License-Identifier: Apache-2.0
"""How many cores of which kind a guest cell's vCPUs use.

Free cores with equally many free threads are interchangeable, and of the
vCPUs only those matter that fill clean cores (all hardware threads
dedicated and free) with real-time vCPUs alone: all other real-time vCPUs
are exposed wherever they are. With so many clean cores set aside, the
other vCPUs make half their number of pairs, or as many as the free threads
offer where that is less; and they break the fewest whole cores that offer
so many pairs, and so many threads, beside the cores that are not whole. So
counting is enough, and exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from rtvirt.fitting.demand import CellDemand
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.vacancy import Vacancy

Clean = tuple[tuple[int, int], ...]
"""Numbers of clean cores to fill, by their number of threads."""

Split = tuple[tuple[int, ...], Clean, int, int]
"""What it comes to, as in :mod:`rtvirt.fitting.score` (the greater, the
better); the clean cores that real-time vCPUs alone fill; the whole cores
that the other vCPUs use; and the sibling pairs of these others."""

_Stock = tuple[int, int, int]
"""Whole cores; free threads that vCPUs may use on the others; and the
sibling pairs that these threads can hold."""


def best_split(
    want: CellDemand,
    vacancy: Vacancy,
    policy: ThreadPolicy | None,
    area: int,
    *,
    alone: bool,
) -> Split:
    """Return the best way to use the cores of an area that has room.

    :param alone: whether the area is inside one L3.
    """
    layout = vacancy.layout
    if area == layout.every:
        whole, loose, useless, slots = vacancy.stock
    else:
        whole, loose, useless, slots = vacancy.stock_within(area)
    if policy is ThreadPolicy.REQUIRE:
        # A core with one free thread is of no use.
        loose -= useless
    stock = whole, loose, slots
    paired = policy is not None
    if layout.is_regular:
        # All whole cores are clean, or none is. To fill the most of them
        # exposes the fewest, and costs no pair: one or an even number of
        # threads leaves nobody alone.
        clean: Clean = ()
        size = layout.threads_per_core
        if want.realtime and size in layout.clean:
            clean = ((size, min(len(want.realtime) // size, whole)),)
        return _complete(want, vacancy, stock, clean, (paired, alone))
    least = 2 if policy is ThreadPolicy.REQUIRE else 1
    return max(
        (
            _complete(want, vacancy, stock, clean, (paired, alone))
            for clean in _clean_options(
                want, vacancy, area, stock, least, paired=paired
            )
        ),
        key=lambda split: split[0],
    )


def _clean_options(
    want: CellDemand,
    vacancy: Vacancy,
    area: int,
    stock: _Stock,
    least: int,
    *,
    paired: bool,
) -> Iterator[Clean]:
    """Yield numbers of clean cores to fill that may be the best.

    All numbers of cores with siblings are tried, and of the cores without
    as many are filled as cost no pair.

    :param least: the fewest threads of a core that is of use.
    """
    layout = vacancy.layout
    realtime = len(want.realtime)
    most = {
        size: min(
            realtime // size,
            (cores & vacancy.at_least[size] & area).bit_count(),
        )
        for size, cores in layout.clean.items()
        if size >= least
    }
    singles = most.pop(1, 0)
    for numbers in itertools.product(
        *(range(top + 1) for top in most.values())
    ):
        clean = tuple(zip(most, numbers, strict=True))
        filled = sum(size * number for size, number in clean)
        if filled > realtime:
            continue
        alone = min(realtime - filled, singles)
        if paired:
            vcpus = want.count - filled
            threads = layout.threads_per_core
            whole, _, slots = _without(stock, clean, threads)
            pairs = min(vcpus // 2, slots + whole * (threads // 2))
            alone = min(alone, vcpus - 2 * pairs)
        yield (*clean, (1, alone)) if alone else clean


def _without(stock: _Stock, clean: Clean, threads: int) -> _Stock:
    """Return what is left of an area when these clean cores are filled.

    :param threads: of a whole core.
    """
    whole, loose, slots = stock
    for size, number in clean:
        if size == threads:
            whole -= number
        else:
            loose -= size * number
            slots -= size // 2 * number
    return whole, loose, slots


def _complete(
    want: CellDemand,
    vacancy: Vacancy,
    stock: _Stock,
    clean: Clean,
    aims: tuple[bool, bool],
) -> Split:
    """Return the split with these clean cores.

    :param aims: whether pairs come first, and whether the area is inside
        one L3.
    """
    paired, alone = aims
    threads = vacancy.layout.threads_per_core
    half = threads // 2
    whole, loose, slots = _without(stock, clean, threads) if clean else stock
    filled = pairs = pairs_clean = 0
    for size, number in clean:
        filled += size * number
        pairs_clean += size // 2 * number
    others = want.count - filled
    broken = max(0, -((loose - others) // threads))
    if paired:
        pairs = min(others // 2, slots + whole * half)
        if pairs > slots:
            broken = max(broken, -((slots - pairs) // half))
    lost = stock[0] - whole + broken
    crowded = want.reserved and vacancy.stock[1] + threads * lost == want.count
    if crowded:
        # No thread is left for the emulator but on one more whole core.
        lost += 1
    exposed = len(want.realtime) - filled
    if paired:
        rank = (pairs_clean + pairs, -exposed, int(alone), -lost)
    else:
        pairs = min(others // 2, slots + broken * half)
        if crowded and pairs < min(others // 2, slots + whole * half):
            # The vCPUs do better there, and leave another thread.
            broken += 1
            pairs = min(others // 2, slots + broken * half)
        rank = (-exposed, int(alone), -lost, pairs_clean + pairs)
    return rank, clean, broken, pairs

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
from typing import NamedTuple

from rtvirt.fitting.demand import CellDemand
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.vacancy import Vacancy

Clean = tuple[tuple[int, int], ...]
"""Numbers of clean cores to fill, by their number of threads."""


class Split(NamedTuple):
    """How many cores of which kind are used.

    :ivar rank: what it comes to, as in :mod:`rtvirt.fitting.score`; the
        greater, the better.
    :ivar clean: cores that real-time vCPUs alone fill.
    :ivar broken: whole cores that the other vCPUs use.
    :ivar pairs: sibling pairs of these others.
    """

    rank: tuple[int, ...]
    clean: Clean
    broken: int
    pairs: int


class _Stock(NamedTuple):
    """What an area offers.

    :ivar threads: free threads of a whole core.
    :ivar whole: whole cores.
    :ivar loose: free threads that vCPUs may use on other cores.
    :ivar slots: pairs that these threads can hold.
    """

    threads: int
    whole: int
    loose: int
    slots: int

    def without(self, clean: Clean) -> _Stock:
        """Return what is left when these clean cores are filled."""
        threads, whole, loose, slots = self
        for size, number in clean:
            if size == threads:
                whole -= number
            else:
                loose -= size * number
                slots -= size // 2 * number
        return _Stock(threads, whole, loose, slots)

    def most_pairs(self, vcpus: int) -> int:
        """Return how many sibling pairs so many vCPUs can make."""
        return min(vcpus // 2, self.slots + self.whole * (self.threads // 2))

    def fewest_broken(self, vcpus: int) -> int:
        """Return how many whole cores so many vCPUs need to use."""
        return max(0, -((self.loose - vcpus) // self.threads))

    def fewest_broken_for_pairs(self, pairs: int) -> int:
        """Return how many whole cores so many pairs need."""
        if pairs <= self.slots:
            return 0
        return -((self.slots - pairs) // (self.threads // 2))


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
    require = policy is ThreadPolicy.REQUIRE
    stock = _take_stock(vacancy, area, require=require)
    filled = _count_clean(vacancy, area, least=2 if require else 1)
    return max(
        (
            _rank(
                want,
                vacancy,
                stock,
                clean,
                paired=policy is not None,
                alone=alone,
            )
            for clean in _clean_options(
                want, vacancy, stock, filled, paired=policy is not None
            )
        ),
        key=lambda split: split.rank,
    )


def _take_stock(vacancy: Vacancy, area: int, *, require: bool) -> _Stock:
    rest = area & ~vacancy.whole
    counts = [(cores & rest).bit_count() for cores in vacancy.at_least]
    # Under require, a core with one free thread is of no use.
    useless = counts[1] - counts[2] if len(counts) > 2 else sum(counts[1:])
    return _Stock(
        vacancy.layout.threads_per_core,
        (vacancy.whole & area).bit_count(),
        sum(counts[1:]) - (useless if require else 0),
        sum(counts[2::2]),
    )


def _count_clean(vacancy: Vacancy, area: int, *, least: int) -> Clean:
    """Return the clean cores of an area, the largest first."""
    return tuple(
        (size, (cores & vacancy.at_least[size] & area).bit_count())
        for size, cores in sorted(vacancy.layout.clean.items(), reverse=True)
        if size >= least
    )


def _clean_options(
    want: CellDemand,
    vacancy: Vacancy,
    stock: _Stock,
    clean: Clean,
    *,
    paired: bool,
) -> Iterator[Clean]:
    """Yield numbers of clean cores to fill that may be the best.

    The more are filled, the fewer real-time vCPUs are exposed. Where all
    cores are alike that costs no pair: one or an even number of threads
    leaves nobody alone. Else all numbers of cores with siblings are tried,
    and of the cores without as many are filled as cost no pair.
    """
    most = [min(len(want.realtime) // size, number) for size, number in clean]
    if vacancy.layout.is_regular:
        yield tuple(
            (size, top) for (size, _), top in zip(clean, most, strict=True)
        )
        return
    sizes = [size for size, _ in clean if size > 1]
    singles = most[-1] if len(sizes) < len(clean) else 0
    for numbers in itertools.product(
        *(range(top + 1) for top in most[: len(sizes)])
    ):
        chosen = tuple(zip(sizes, numbers, strict=True))
        filled = sum(size * number for size, number in chosen)
        left = len(want.realtime) - filled
        if left < 0:
            continue
        alone = min(left, singles)
        if paired:
            vcpus = want.count - filled
            rest = stock.without(chosen)
            alone = min(alone, vcpus - 2 * rest.most_pairs(vcpus))
        yield (*chosen, (1, alone)) if alone else chosen


def _rank(
    want: CellDemand,
    vacancy: Vacancy,
    stock: _Stock,
    clean: Clean,
    *,
    paired: bool,
    alone: bool,
) -> Split:
    """Return the split with these clean cores, and what it comes to."""
    filled = sum(size * number for size, number in clean)
    others = want.count - filled
    rest = stock.without(clean)
    broken = rest.fewest_broken(others)
    if paired:
        pairs = rest.most_pairs(others)
        broken = max(broken, rest.fewest_broken_for_pairs(pairs))
    else:
        pairs = rest._replace(whole=broken).most_pairs(others)
    lost = stock.whole - rest.whole + broken
    if want.reserved:
        # The emulator's pCPU may be on any core that is not whole (any
        # more), else it takes another whole one.
        threads = stock.threads
        beside = vacancy.count - threads * vacancy.whole.bit_count()
        if beside + threads * lost == want.count:
            lost += 1
    exposed = len(want.realtime) - filled
    all_pairs = pairs + sum(size // 2 * number for size, number in clean)
    if paired:
        rank = (all_pairs, -exposed, int(alone), -lost)
    else:
        rank = (-exposed, int(alone), -lost, all_pairs)
    return Split(rank, clean, broken, pairs)

# SPDX-License-Identifier: Apache-2.0
"""The pCPUs of a guest cell under thread policy isolate."""

from __future__ import annotations

from collections.abc import Sequence

from rtvirt.fitting.demand import CellDemand
from rtvirt.model.bits import iter_bits
from rtvirt.model.bits import lowest_bits
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.vacancy import Vacancy


def isolate(
    want: CellDemand, vacancy: Vacancy, areas: Sequence[int]
) -> tuple[FrozenDict[int, CPUSet], CPUSet, CPUSet]:
    """Return a whole core for each vCPU, and one for the emulator."""
    layout = vacancy.layout
    clean = 0
    for cores in layout.clean.values():
        clean |= cores
    clean &= vacancy.whole
    area = max(
        (
            area
            for area in areas
            if vacancy.room_within(area)[want.room] >= want.count
        ),
        key=lambda area: (
            min(len(want.realtime), (clean & area).bit_count()),
            layout.is_in_one_cache(area),
            -vacancy.room_within(area)[0],
        ),
    )
    seat_of = _isolated_cores(want, vacancy.whole & area, clean & area)
    pins = {}
    taken = seated = 0
    for vcpu in want.dedicated:
        core = seat_of[vcpu]
        taken |= 1 << core
        pins[vcpu] = layout.threads[core][0]
        seated |= pins[vcpu].mask
    emulator = 0
    if want.reserved:
        core, is_whole = _isolated_core(vacancy, taken)
        mask = layout.masks[core] & vacancy.free
        emulator = mask & -mask
        if is_whole:
            taken |= 1 << core
    claimed = 0
    for core in iter_bits(taken):
        claimed |= layout.masks[core]
    return (
        FrozenDict(pins),
        CPUSet.from_mask(emulator),
        CPUSet.from_mask(claimed & ~(seated | emulator)),
    )


def _isolated_cores(
    want: CellDemand, whole: int, clean: int
) -> dict[int, int]:
    """Return the core of each vCPU; real-time ones get the clean cores."""
    if not clean or clean == whole or not want.realtime:
        return dict(
            zip(want.dedicated, lowest_bits(whole, want.count), strict=True)
        )
    number = min(len(want.realtime), clean.bit_count())
    chosen = lowest_bits(clean, number)
    taken = sum(1 << core for core in chosen)
    unclean = whole & ~clean
    count = want.count - number
    others = [*lowest_bits(unclean, min(count, unclean.bit_count()))]
    others += lowest_bits(clean & ~taken, count - len(others))
    rest = sorted((*want.others, *want.realtime[number:]))
    cores = dict(zip(want.realtime, chosen, strict=False))
    cores.update(zip(rest, others, strict=True))
    return cores


def _isolated_core(vacancy: Vacancy, taken: int) -> tuple[int, bool]:
    """Return a core for the emulator, and whether nobody is on it.

    One that nobody is on where there is any (not a whole one, if others
    will do), since nova claims the siblings of the reserved pCPU too.
    """
    at_least = vacancy.at_least
    untouched = 0
    for size, cores in vacancy.layout.sized.items():
        untouched |= cores & at_least[size]
    untouched &= ~taken
    for cores, alone in (
        (untouched & ~vacancy.whole, True),
        (untouched, True),
        (at_least[1] & ~taken, False),
    ):
        if cores:
            return lowest_bits(cores, 1)[0], alone
    raise AssertionError('there is no room for the emulator threads')

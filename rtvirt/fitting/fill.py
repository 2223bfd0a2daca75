# SPDX-License-Identifier: Apache-2.0
"""Seats on cores that are not filled one by one."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from rtvirt.fitting.demand import CellDemand
from rtvirt.fitting.split import Split
from rtvirt.model.bits import iter_bits
from rtvirt.model.bits import lowest_bits
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.vacancy import Vacancy


def fill_cores(
    vacancy: Vacancy,
    policy: ThreadPolicy | None,
    area: int,
    split: Split,
    number: int,
) -> tuple[list[CPUSet], list[CPUSet]]:
    """Return seats beside the clean cores, and those on the clean cores.

    The lowest cores of each kind that the split names.

    :param number: how many seats there are to be beside the clean cores.
    """
    _, clean, broken, pairs = split
    layout = vacancy.layout
    taken: list[CPUSet] = []
    for size, count in clean:
        cores = layout.clean[size] & vacancy.at_least[size] & area
        for core in lowest_bits(cores, count):
            taken += layout.threads[core]
            area &= ~(1 << core)
    seats = _fill(
        vacancy,
        area,
        broken=lowest_bits(vacancy.whole & area, broken),
        pairs=pairs,
        number=number,
        least=2 if policy is ThreadPolicy.REQUIRE else 1,
    )
    return seats, taken


def _fill(
    vacancy: Vacancy,
    area: int,
    *,
    broken: Sequence[int],
    pairs: int,
    number: int,
    least: int,
) -> list[CPUSet]:
    """Return seats beside the clean cores: pairs first, then singles.

    :param area: without the clean cores.
    :param least: the fewest free threads of a core that is of use.
    """
    at_least = vacancy.at_least
    loose = area & ~vacancy.whole
    seats: list[CPUSet] = []
    spare: list[CPUSet] = []
    touched = 0
    left = pairs
    if left and len(at_least) > 2:
        for core in iter_bits(at_least[2] & loose):
            if not left:
                break
            touched |= 1 << core
            left -= _take_pairs(vacancy, core, left, seats, spare)
    for core in broken:
        left -= _take_pairs(vacancy, core, left, seats, spare)
    seats += spare[: number - len(seats)]
    if len(seats) < number:
        for core in iter_bits(at_least[least] & loose & ~touched):
            seats += _free_threads(vacancy, core)[: number - len(seats)]
            if len(seats) == number:
                break
    return seats


def _take_pairs(
    vacancy: Vacancy,
    core: int,
    most: int,
    seats: list[CPUSet],
    spare: list[CPUSet],
) -> int:
    """Add a core's pairs to ``seats``, its other free threads to ``spare``.

    :returns: how many pairs.
    """
    free = _free_threads(vacancy, core)
    pairs = min(most, len(free) // 2)
    seats += free[: 2 * pairs]
    spare += free[2 * pairs :]
    return pairs


def _free_threads(vacancy: Vacancy, core: int) -> Sequence[CPUSet]:
    free = vacancy.free
    threads = vacancy.layout.threads[core]
    if not vacancy.layout.masks[core] & ~free:
        return threads
    return [cpu for cpu in threads if cpu.mask & free]


def reserve(
    want: CellDemand, vacancy: Vacancy, pins: Mapping[int, CPUSet]
) -> CPUSet:
    """Return the emulator's pCPU beside those of the vCPUs.

    On a core of the guest's other vCPUs, else on one that is not whole,
    else on one of its exposed real-time vCPUs, else on a whole one.
    """
    layout = vacancy.layout
    used = own = realtime = 0
    for vcpu, cpu in pins.items():
        used |= cpu.mask
        core = 1 << layout.core_of[cpu.mask.bit_length() - 1]
        own |= core
        if vcpu in want.realtime:
            realtime |= core
    free = vacancy.free & ~used
    left = sum(
        1 << core for core in iter_bits(own) if layout.masks[core] & free
    )
    others = vacancy.at_least[1] & ~own
    for cores in (
        left & ~realtime,
        others & ~vacancy.whole,
        left,
        others,
    ):
        if cores:
            mask = layout.masks[lowest_bits(cores, 1)[0]] & free
            return CPUSet.from_mask(mask & -mask)
    raise AssertionError('there is no room for the emulator threads')

# SPDX-License-Identifier: Apache-2.0
"""Which pCPUs of a host cell a guest cell gets.

The choice is the best by the order of :mod:`rtvirt.fitting.score`, in a time
linear in the cores: :mod:`rtvirt.fitting.split` says how many cores of which
kind are used, and here the lowest of each kind are taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from rtvirt.fitting.demand import CellDemand
from rtvirt.fitting.split import Split
from rtvirt.fitting.split import best_split
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.vacancy import Vacancy
from rtvirt.model.vacancy import iter_bits

_NONE = CPUSet()


Seats = tuple[Mapping[int, CPUSet], CPUSet, CPUSet]
"""The pCPU of each dedicated vCPU, ascending by vCPU; the one reserved for
the emulator threads, or none; and the siblings that isolate keeps idle."""


def choose_seats(
    want: CellDemand,
    vacancy: Vacancy,
    policy: ThreadPolicy | None,
    areas: Sequence[int],
) -> Seats:
    """Return the best seats; the guest cell must fit.

    :param areas: sets of cores, one of which is to hold all vCPUs, as
        :meth:`~rtvirt.fitting.terms.Terms.areas` has them.
    """
    if policy is ThreadPolicy.ISOLATE:
        return _isolate(want, vacancy, areas)
    if len(areas) == 1:
        area = areas[0]
        split = best_split(want, vacancy, policy, area, alone=False)
    else:
        area, split = _best_area(want, vacancy, policy, areas)
    pins = _pin(want, vacancy, policy, area, split)
    if not want.reserved:
        return pins, _NONE, _NONE
    return pins, _reserve(want, vacancy, pins), _NONE


def _best_area(
    want: CellDemand,
    vacancy: Vacancy,
    policy: ThreadPolicy | None,
    areas: Sequence[int],
) -> tuple[int, Split]:
    """Return the area to use, and how to split the vCPUs over its cores."""
    found = []
    for area in areas:
        room = vacancy.room_within(area)
        if room[want.room] >= want.count:
            alone = _is_in_one_cache(vacancy, area)
            split = best_split(want, vacancy, policy, area, alone=alone)
            found.append((split[0], -room[0], area, split))
    _, _, area, split = max(found, key=lambda item: item[:2])
    return area, split


def _is_in_one_cache(vacancy: Vacancy, area: int) -> bool:
    return any(not area & ~cache for cache in vacancy.layout.l3)


def _lowest(cores: int, number: int) -> list[int]:
    """Return the numbers of the lowest cores."""
    if not number:
        return []
    first = (cores & -cores).bit_length() - 1
    run = (1 << number) - 1
    if (cores >> first) & run == run:
        return list(range(first, first + number))
    found = []
    for _ in range(number):
        lowest = cores & -cores
        found.append(lowest.bit_length() - 1)
        cores ^= lowest
    return found


def _pin(
    want: CellDemand,
    vacancy: Vacancy,
    policy: ThreadPolicy | None,
    area: int,
    split: Split,
) -> Mapping[int, CPUSet]:
    """Return the pCPU of each dedicated vCPU.

    The last real-time vCPUs fill the clean cores, and vCPUs that follow on
    each other share a core: so the guest's own housekeeping vCPUs, mostly
    the first, are paired with each other.
    """
    layout = vacancy.layout
    threads = layout.threads
    if not layout.has_siblings:
        # Each core is as good as any other.
        cores = _lowest(vacancy.at_least[1] & area, want.count)
        return FrozenDict(
            zip(
                want.dedicated,
                [threads[core][0] for core in cores],
                strict=True,
            )
        )
    rest, full = _divide(want, split)
    rest_first = not full or (bool(rest) and rest[0] < full[0])
    clean, broken = _pick_cores(vacancy, area, split, rest_first=rest_first)
    taken = [cpu for core in clean for cpu in threads[core]]
    if len(rest) == len(broken) * layout.threads_per_core:
        seats = [cpu for core in broken for cpu in threads[core]]
    else:
        for core in clean:
            area &= ~(1 << core)
        seats = _fill(
            vacancy,
            area,
            broken=broken,
            pairs=split[3],
            number=len(rest),
            least=2 if policy is ThreadPolicy.REQUIRE else 1,
        )
    if not full:
        return FrozenDict(zip(rest, seats, strict=True))
    pins = dict(zip((*rest, *full), (*seats, *taken), strict=True))
    return FrozenDict({vcpu: pins[vcpu] for vcpu in want.dedicated})


def _divide(
    want: CellDemand, split: Split
) -> tuple[Sequence[int], Sequence[int]]:
    """Return the vCPUs that do not fill clean cores, and those that do."""
    filling = 0
    for size, number in split[1]:
        filling += size * number
    if not filling:
        return want.dedicated, ()
    first = len(want.realtime) - filling
    if not first:
        return want.others, want.realtime
    rest = sorted((*want.others, *want.realtime[:first]))
    return rest, want.realtime[first:]


def _pick_cores(
    vacancy: Vacancy, area: int, split: Split, *, rest_first: bool
) -> tuple[list[int], list[int]]:
    """Return the clean cores and the broken ones, the lowest there are."""
    layout = vacancy.layout
    whole = vacancy.whole & area
    _, numbers, broken, _ = split
    if layout.is_regular:
        # All clean cores are whole, and all whole cores as good.
        number = numbers[0][1] if numbers else 0
        both = _lowest(whole, number + broken)
        if rest_first:
            return both[broken:], both[:broken]
        return both[:number], both[number:]
    clean = []
    for size, number in numbers:
        clean += _lowest(
            layout.clean.get(size, 0) & vacancy.at_least[size] & area, number
        )
    for core in clean:
        whole &= ~(1 << core)
    return clean, _lowest(whole, broken)


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
    for core in iter_bits(at_least[least] & loose & ~touched):
        if len(seats) == number:
            break
        seats += _free_threads(vacancy, core)[: number - len(seats)]
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


def _reserve(
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
            mask = layout.masks[_lowest(cores, 1)[0]] & free
            return CPUSet.from_mask(mask & -mask)
    raise AssertionError('there is no room for the emulator threads')


def _isolate(
    want: CellDemand, vacancy: Vacancy, areas: Sequence[int]
) -> Seats:
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
            _is_in_one_cache(vacancy, area),
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
            zip(want.dedicated, _lowest(whole, want.count), strict=True)
        )
    number = min(len(want.realtime), clean.bit_count())
    chosen = _lowest(clean, number)
    taken = sum(1 << core for core in chosen)
    unclean = whole & ~clean
    count = want.count - number
    others = _lowest(unclean, min(count, unclean.bit_count()))
    others += _lowest(clean & ~taken, count - len(others))
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
            return _lowest(cores, 1)[0], alone
    raise AssertionError('there is no room for the emulator threads')

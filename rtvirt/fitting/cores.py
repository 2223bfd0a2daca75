# SPDX-License-Identifier: Apache-2.0
"""Which pCPUs of a host cell a guest cell gets.

The choice is the best by the order of :mod:`rtvirt.fitting.score`, in a
time linear in the cores: :mod:`rtvirt.fitting.split` says how many cores of
which kind are used, and the lowest of each kind are taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from rtvirt.fitting.demand import CellDemand
from rtvirt.fitting.fill import fill_cores
from rtvirt.fitting.fill import reserve
from rtvirt.fitting.isolate import isolate
from rtvirt.fitting.split import Split
from rtvirt.fitting.split import best_split
from rtvirt.model.bits import lowest_bits
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.vacancy import Vacancy

_NONE = CPUSet()

Seats = tuple[FrozenDict[int, CPUSet], CPUSet, CPUSet]
"""The pCPU of each dedicated vCPU, ascending by vCPU; the one reserved for
the emulator threads, or none; and the siblings that isolate keeps idle."""


def choose_seats(
    want: CellDemand,
    vacancy: Vacancy,
    policy: ThreadPolicy | None,
    areas: Sequence[int],
) -> Seats:
    """Return the best seats; the guest cell must fit.

    The last real-time vCPUs fill the clean cores, and vCPUs that follow on
    each other share a core: so the guest's own housekeeping vCPUs, mostly
    the first, are paired with each other.

    :param areas: sets of cores, one of which is to hold all vCPUs, as
        :meth:`~rtvirt.fitting.terms.Terms.areas` has them.
    """
    if policy is ThreadPolicy.ISOLATE:
        return isolate(want, vacancy, areas)
    layout = vacancy.layout
    threads = layout.threads_per_core
    area = areas[0]
    if (
        area == layout.every
        and len(areas) == 1
        and layout.is_regular
        and not vacancy.stock[1]
        and not want.count % threads
    ):
        # All free cores are whole, and the vCPUs fill as many as need be.
        if not want.realtime or threads not in layout.clean:
            return _fill_whole_cores(want, vacancy, area, want.dedicated, ())
        filling = len(want.realtime) // threads * threads
        rest, full = _divide(want, filling)
        return _fill_whole_cores(want, vacancy, area, rest, full)
    area, split = _best_area(want, vacancy, policy, areas)
    _, clean, broken, _ = split
    filling = 0
    for size, number in clean:
        filling += size * number
    rest, full = _divide(want, filling)
    if layout.is_regular and len(rest) == broken * threads:
        # Clean cores are whole cores, and whole cores are all that is used.
        return _fill_whole_cores(want, vacancy, area, rest, full)
    seats, taken = fill_cores(vacancy, policy, area, split, len(rest))
    pins = _in_order(want, (*rest, *full), (*seats, *taken))
    if not want.reserved:
        return pins, _NONE, _NONE
    return pins, reserve(want, vacancy, pins), _NONE


def _best_area(
    want: CellDemand,
    vacancy: Vacancy,
    policy: ThreadPolicy | None,
    areas: Sequence[int],
) -> tuple[int, Split]:
    """Return the area to use, and how to split the vCPUs over its cores."""
    if len(areas) == 1:
        area = areas[0]
        return area, best_split(want, vacancy, policy, area, alone=False)
    found = []
    for area in areas:
        room = vacancy.room_within(area)
        if room[want.room] >= want.count:
            alone = vacancy.layout.is_in_one_cache(area)
            split = best_split(want, vacancy, policy, area, alone=alone)
            found.append((split[0], -room[0], area, split))
    _, _, area, split = max(found, key=lambda item: item[:2])
    return area, split


def _divide(
    want: CellDemand, filling: int
) -> tuple[Sequence[int], Sequence[int]]:
    """Return the vCPUs that do not fill clean cores, and those that do.

    :param filling: how many do.
    """
    if not filling:
        return want.dedicated, ()
    if not want.others or want.others[-1] < want.realtime[0]:
        first = want.count - filling
        return want.dedicated[:first], want.dedicated[first:]
    first = len(want.realtime) - filling
    rest = sorted((*want.others, *want.realtime[:first]))
    return rest, want.realtime[first:]


def _in_order(
    want: CellDemand, vcpus: tuple[int, ...], seats: Sequence[CPUSet]
) -> FrozenDict[int, CPUSet]:
    pins = FrozenDict(zip(vcpus, seats, strict=True))
    if tuple(want.dedicated) == vcpus:
        return pins
    return FrozenDict({vcpu: pins[vcpu] for vcpu in want.dedicated})


def _fill_whole_cores(
    want: CellDemand,
    vacancy: Vacancy,
    area: int,
    rest: Sequence[int],
    full: Sequence[int],
) -> Seats:
    """Return seats on the lowest whole cores, with no thread left over.

    :param rest: vCPUs that fill cores among themselves.
    :param full: real-time vCPUs that do so.
    """
    layout = vacancy.layout
    whole = vacancy.whole & area
    threads = layout.threads_per_core
    cores = lowest_bits(whole, want.count // threads)
    if type(cores) is range:
        starts = layout.starts
        seats = layout.flat[starts[cores.start] : starts[cores.stop]]
    else:
        seats = tuple(cpu for core in cores for cpu in layout.threads[core])
    if not full or not rest or rest[-1] < full[0] or threads == 1:
        # There are as many: "strict" would cost a third of the time.
        pins = FrozenDict(zip(want.dedicated, seats))  # noqa: B905
    elif rest[0] > full[0]:
        pins = _in_order(want, (*full, *rest), seats)
    else:
        pins = _in_order(want, (*rest, *full), seats)
    if not want.reserved:
        return pins, _NONE, _NONE
    others = vacancy.at_least[1] & ~vacancy.whole
    if not others:
        others = vacancy.whole
        for core in cores:
            others &= ~(1 << core)
    core = lowest_bits(others, 1)[0]
    for cpu in layout.threads[core]:
        if cpu.mask & vacancy.free:
            return pins, cpu, _NONE
    raise AssertionError('there is no room for the emulator threads')

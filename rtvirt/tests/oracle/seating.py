# SPDX-License-Identifier: Apache-2.0
"""The best choice of pCPUs in one host cell, by trying every choice.

The order is that of the docstring of ``rtvirt.fitting.score``, counted
anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import L3Policy
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostCell
from rtvirt.model.plan import PlannedCell

Rank = tuple[int, ...]
CPUs = frozenset[int]


class Choice(NamedTuple):
    realtime: CPUs
    others: CPUs
    emulator: CPUs
    idle: CPUs = frozenset()


def whole_size(cell: HostCell) -> int:
    usable = set(cell.dedicated) | set(cell.shared)
    return max(1, *(len(set(core) & usable) for core in cell.siblings))


def rank(choice: Choice, cell: HostCell, guest: GuestRequirement) -> Rank:
    """What a choice comes to: the greater, the better."""
    vcpus = choice.realtime | choice.others
    left = set(cell.dedicated) - set(cell.pinned)
    left -= vcpus | choice.emulator | choice.idle
    pairs = exposed = whole = 0
    for core in map(set, cell.siblings):
        pairs += len(core & vcpus) // 2
        if not core <= choice.realtime | choice.idle:
            exposed += len(core & choice.realtime)
        whole += len(core & left) >= whole_size(cell)
    alone = 0
    if guest.l3_policy is not L3Policy.NONE:
        alone = int(any(vcpus <= set(cache) for cache in cell.l3))
    if guest.thread_policy is ThreadPolicy.ISOLATE:
        return emulator_alone(choice, cell), -exposed, alone, whole
    if guest.thread_policy is None:
        return -exposed, alone, whole, pairs
    return pairs, -exposed, alone, whole


def emulator_alone(choice: Choice, cell: HostCell) -> int:
    """Whether the emulator has a core that nobody else is on."""
    for core in map(set, cell.siblings):
        if core & choice.emulator:
            return int(not core & set(cell.pinned))
    return 0


def choice_of(planned: PlannedCell, guest: GuestRequirement) -> Choice:
    want = guest.cells[planned.guest_cell]
    held = {vcpu: next(iter(planned.pins[vcpu])) for vcpu in want.dedicated}
    return Choice(
        frozenset(c for v, c in held.items() if v in guest.realtime),
        frozenset(c for v, c in held.items() if v not in guest.realtime),
        frozenset(planned.emulator),
        frozenset(planned.idle),
    )


def choices(cell: HostCell, guest: GuestRequirement) -> Iterator[Choice]:
    """Every choice for guest cell 0 that its policies allow."""
    want = guest.cells[0]
    free = frozenset(cell.dedicated) - frozenset(cell.pinned)
    realtime = len(want.dedicated & guest.realtime)
    others = len(want.dedicated) - realtime
    reserved = int(guest.emulator_policy is EmulatorPolicy.ISOLATE)
    for areas in _areas(cell, guest, free):
        for first in itertools.combinations(sorted(areas), realtime):
            rest = sorted(areas - set(first))
            for second in itertools.combinations(rest, others):
                left = sorted(free - set(first) - set(second))
                for emulator in itertools.combinations(left, reserved):
                    choice = Choice(
                        frozenset(first),
                        frozenset(second),
                        frozenset(emulator),
                    )
                    if guest.thread_policy is not ThreadPolicy.ISOLATE:
                        yield choice
                    elif (isolated := _isolate(choice, cell)) is not None:
                        yield isolated


def _areas(cell: HostCell, guest: GuestRequirement, free: CPUs) -> list[CPUs]:
    """The sets of threads, one of which must hold all vCPUs."""
    usable = free
    if guest.thread_policy is ThreadPolicy.REQUIRE:
        usable = frozenset(
            cpu
            for core in cell.siblings
            if len(set(core) & free) > 1
            for cpu in set(core) & free
        )
    if guest.l3_policy is L3Policy.REQUIRE:
        return [usable & set(cache) for cache in cell.l3]
    return [usable]


def _isolate(choice: Choice, cell: HostCell) -> Choice | None:
    """The choice with its idle siblings; None if somebody shares a core."""
    vcpus = choice.realtime | choice.others
    free = set(cell.dedicated) - set(cell.pinned)
    idle: set[int] = set()
    for core in map(set, cell.siblings):
        if core & vcpus:
            if (
                len(core & vcpus) > 1
                or core & choice.emulator
                or len(core & free) < whole_size(cell)
            ):
                return None
            idle |= core & free - vcpus
        elif core & choice.emulator and not core & set(cell.pinned):
            idle |= core & free - choice.emulator
    return choice._replace(idle=frozenset(idle))

# SPDX-License-Identifier: Apache-2.0
"""A strategy that knows which flavors one sells."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Sequence

from rtvirt.exception import ModelError
from rtvirt.fitting.cores import choose_seats
from rtvirt.fitting.demand import Demand
from rtvirt.fitting.demand import prepare
from rtvirt.fitting.memory import choose_page_size
from rtvirt.fitting.memory import page_sizes
from rtvirt.fitting.strategy import Strategy
from rtvirt.fitting.strategy import best_fit
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.vacancy import Vacancy


def catalog_strategy(requirements: Iterable[GuestRequirement]) -> Strategy:
    """Return a strategy that keeps most of these guests placeable.

    For each host cell that would do it counts how many guests of each kind
    would still go in if the guest were there, and tries the one first that
    keeps the most: the sum over the kinds of the logarithm of their number,
    weighed by their vCPUs, so that what few are left of counts more. It
    takes some hundred microseconds; ``best-fit`` decides between equals and
    where nothing is pinned.

    :param requirements: one guest of each flavor; those without dedicated
        vCPUs do not count.
    :raises ModelError: if no guest has dedicated vCPUs.
    """
    sold = tuple(prepare(guest) for guest in requirements if guest.dedicated)
    if not sold:
        raise ModelError(
            'a catalogue needs a guest with dedicated vCPUs',
            hint='name the flavors that are sold on the host',
        )

    def order(
        demand: Demand, vacancies: Sequence[Vacancy]
    ) -> Sequence[Vacancy]:
        ranked = best_fit(demand, vacancies)
        if not demand.cells[0].count:
            return ranked
        counts = [_count_all(sold, vacancy) for vacancy in ranked]
        totals = [sum(column) for column in zip(*counts, strict=True)]
        losses = [
            _loss(sold, totals, before, _place(demand, vacancy))
            for vacancy, before in zip(ranked, counts, strict=True)
        ]
        positions = sorted(range(len(ranked)), key=losses.__getitem__)
        return [ranked[position] for position in positions]

    return order


def _place(demand: Demand, vacancy: Vacancy) -> Vacancy | None:
    """Return what is free with the first guest cell there, if it fits."""
    want = demand.cells[0]
    size_kib = choose_page_size(want, vacancy, overcommit=False)
    if not size_kib or vacancy.room[want.room] < want.count:
        return None
    pins, emulator, idle = choose_seats(
        want, vacancy, demand.policy, (vacancy.layout.every,)
    )
    cpus = emulator.mask | idle.mask
    for cpu in pins.values():
        cpus |= cpu.mask
    cell = vacancy.cell.used_more(cpus, 0, want.memory_mib, size_kib)
    return Vacancy(cell, vacancy)


def _count_all(sold: Sequence[Demand], vacancy: Vacancy) -> list[float]:
    """Return how many of each guest one host cell has room for.

    A guest of several cells counts by its share.
    """
    return [_count(demand, vacancy) / len(demand.cells) for demand in sold]


def _count(demand: Demand, vacancy: Vacancy) -> int:
    """Return how many cells like the guest's first go in, by the numbers."""
    want = demand.cells[0]
    whole = vacancy.stock[0]
    cpus = max(want.count + want.reserved, 1)
    if demand.policy is ThreadPolicy.ISOLATE:
        number = whole // cpus
    else:
        number = vacancy.count // cpus
        if demand.policy is ThreadPolicy.REQUIRE:
            cores = -(-want.count // vacancy.layout.threads_per_core)
            number = min(number, whole // max(cores, 1))
    if not want.memory_kib:
        return number
    if want.page_kib:
        free_kib = vacancy.backing.get(want.page_kib, 0)
    else:
        free_kib = max(
            [
                vacancy.cell.backing_kib(size_kib, overcommit=False)
                for size_kib in page_sizes(want, vacancy)
            ],
            default=0,
        )
    return min(number, max(free_kib, 0) // want.memory_kib)


def _loss(
    sold: Sequence[Demand],
    totals: Sequence[float],
    before: Sequence[float],
    after: Vacancy | None,
) -> float:
    """Return what the host loses if one cell of it becomes ``after``."""
    if after is None:
        return math.inf
    return sum(
        demand.guest.vcpus
        * (math.log1p(total) - math.log1p(max(total - had + has, 0.0)))
        for demand, total, had, has in zip(
            sold, totals, before, _count_all(sold, after), strict=True
        )
        if had != has
    )

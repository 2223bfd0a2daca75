# SPDX-License-Identifier: Apache-2.0
"""In which order host cells are tried.

A strategy is a function of the demand and of what is free on each host
cell; it returns the latter, best first. It decides only where there is a
choice: whether a guest fits does not depend on it. Besides those with a
name there is :func:`~rtvirt.fitting.catalog.catalog_strategy`.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from rtvirt.exception import ModelError
from rtvirt.fitting.demand import Demand
from rtvirt.model.check import shown
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.vacancy import Vacancy

Strategy = Callable[[Demand, Sequence[Vacancy]], Sequence[Vacancy]]

DEFAULT_STRATEGY: Final = 'best-fit'
"""The best all-rounder in streams of guests that come and go (``make
bench``): as full a host as nova's packing order on every kind of guest, and
4 to 50 points of CPU use fuller than nova's default, spreading. A catalogue
fills a little better still where one knows what one sells."""


def spread(demand: Demand, vacancies: Sequence[Vacancy]) -> list[Vacancy]:
    """Return first the cells with the most free pCPUs, then memory.

    nova's order in ``numa_fit_instance_to_host``, with
    ``packing_host_numa_cells_allocation_strategy`` off: for shared guests
    the fewest shared vCPUs placed come first.
    """
    if demand.cpu_policy is not CPUPolicy.SHARED:
        return sorted(vacancies, key=_emptiness, reverse=True)
    order = sorted(vacancies, key=_memory, reverse=True)
    order.sort(key=_shared_usage)
    return order


def pack(demand: Demand, vacancies: Sequence[Vacancy]) -> list[Vacancy]:
    """Return first the cells with the fewest free pCPUs, then memory.

    nova's order with ``packing_host_numa_cells_allocation_strategy`` on.
    """
    if demand.cpu_policy is not CPUPolicy.SHARED:
        return sorted(vacancies, key=_emptiness)
    order = sorted(vacancies, key=_memory)
    order.sort(key=_shared_usage, reverse=True)
    return order


def best_fit(demand: Demand, vacancies: Sequence[Vacancy]) -> list[Vacancy]:
    """Return first the cells where the least is left.

    The fewest free pCPUs, then the fewest whole cores, then the least
    memory: so that whole cells and whole cores stay free for guests that
    need them.
    """
    if demand.cpu_policy is not CPUPolicy.SHARED:
        return sorted(vacancies, key=_leftover)
    return pack(demand, vacancies)


_emptiness: Final = attrgetter('emptiness')
_leftover: Final = attrgetter('leftover')
_memory: Final = attrgetter('memory_mib')
_shared_usage: Final = attrgetter('cell.shared_usage')

_NAMED: Final[dict[str, Strategy]] = {
    'spread': spread,
    'pack': pack,
    'best-fit': best_fit,
}


def find_strategy(strategy: str | Strategy) -> Strategy:
    """Return the strategy of that name, or the function itself.

    :raises ModelError: if there is none of that name.
    """
    if callable(strategy):
        return strategy
    if strategy not in _NAMED:
        raise ModelError(
            f'strategy is {shown(strategy)}: expected one of '
            f'{", ".join(_NAMED)}'
        )
    return _NAMED[strategy]

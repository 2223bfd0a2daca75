# SPDX-License-Identifier: Apache-2.0
"""In which order host cells are tried.

A strategy is a function of the demand and of what is free on each host
cell; it returns the latter, best first. It decides only where there is a
choice: whether a guest fits does not depend on it.
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

DEFAULT_STRATEGY: Final = 'spread'


def spread(demand: Demand, vacancies: Sequence[Vacancy]) -> list[Vacancy]:
    """Return first the cells with the most free pCPUs, then memory.

    nova's order in ``numa_fit_instance_to_host``, with
    ``packing_host_numa_cells_allocation_strategy`` off: for shared guests
    the fewest shared vCPUs placed come first.
    """
    order = sorted(vacancies, key=attrgetter('memory_mib'), reverse=True)
    if demand.cpu_policy is CPUPolicy.SHARED:
        order.sort(key=lambda vacancy: vacancy.cell.shared_usage)
    else:
        order.sort(key=attrgetter('count'), reverse=True)
    return order


def pack(demand: Demand, vacancies: Sequence[Vacancy]) -> list[Vacancy]:
    """Return first the cells with the fewest free pCPUs, then memory.

    nova's order with ``packing_host_numa_cells_allocation_strategy`` on.
    """
    order = sorted(vacancies, key=attrgetter('memory_mib'))
    if demand.cpu_policy is CPUPolicy.SHARED:
        order.sort(key=lambda vacancy: vacancy.cell.shared_usage, reverse=True)
    else:
        order.sort(key=attrgetter('count'))
    return order


_NAMED: Final[dict[str, Strategy]] = {'spread': spread, 'pack': pack}


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

# SPDX-License-Identifier: Apache-2.0
"""Whether one guest cell fits one host cell."""

from __future__ import annotations

from collections.abc import Sequence

from rtvirt.fitting.demand import CellDemand
from rtvirt.fitting.memory import choose_page_size
from rtvirt.fitting.terms import Terms
from rtvirt.model.vacancy import Vacancy


def fitting_positions(
    want: CellDemand, vacancies: Sequence[Vacancy], terms: Terms, most: int
) -> list[int]:
    """Return which host cells the guest cell, alone, fits.

    The rules of nova's ``_numa_fit_instance_cell``, and rtvirt's own for
    caches. :func:`~rtvirt.fitting.reason.find_reasons` yields something
    exactly for the others.

    :param most: how many to look for.
    :returns: their positions, ascending.
    """
    found: list[int] = []
    if want.simple and not terms.refuse_smt:
        # The same in the usual case, five times as fast.
        room = want.room
        count = want.count
        size_kib = want.page_kib
        memory_kib = want.memory_kib
        for position, vacancy in enumerate(vacancies):
            if (
                vacancy.room[room] >= count
                and vacancy.backing.get(size_kib, -1) >= memory_kib
            ):
                found.append(position)
                if len(found) == most:
                    break
        return found
    for position, vacancy in enumerate(vacancies):
        if _cell_fits(want, vacancy, terms):
            found.append(position)
            if len(found) == most:
                break
    return found


def _cell_fits(want: CellDemand, vacancy: Vacancy, terms: Terms) -> bool:
    return (
        terms.room(want, vacancy) >= want.count
        and has_shared_room(want, vacancy, terms)
        and has_memory_room(want, vacancy, terms)
        and choose_page_size(want, vacancy, overcommit=terms.overcommit) > 0
    )


def has_shared_room(want: CellDemand, vacancy: Vacancy, terms: Terms) -> bool:
    """Whether the shared vCPUs find pCPUs, and the limits let them."""
    if not want.shared and terms.limits is None:
        return True
    return len(want.shared) <= terms.shared_room(vacancy)


def has_memory_room(want: CellDemand, vacancy: Vacancy, terms: Terms) -> bool:
    """Whether the limits let the memory be promised."""
    if terms.limits is None:
        return True
    return want.memory_mib <= terms.memory_room_mib(vacancy, terms.limits)

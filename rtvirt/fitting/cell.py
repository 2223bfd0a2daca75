# SPDX-License-Identifier: Apache-2.0
"""Whether one guest cell fits one host cell."""

from __future__ import annotations

from rtvirt.fitting.demand import CellDemand
from rtvirt.fitting.memory import choose_page_size
from rtvirt.fitting.terms import Terms
from rtvirt.model.vacancy import Vacancy


def cell_fits(want: CellDemand, vacancy: Vacancy, terms: Terms) -> bool:
    """Whether the guest cell, alone, fits the host cell.

    The rules of nova's ``_numa_fit_instance_cell``, and rtvirt's own for
    caches. :func:`~rtvirt.fitting.reason.find_reasons` yields something
    exactly where this is false.
    """
    if want.simple and not terms.refuse_smt:
        return (
            vacancy.room[want.room] >= want.count
            and vacancy.backing.get(want.page_kib, -1) >= want.memory_kib
        )
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

# SPDX-License-Identifier: Apache-2.0
"""Which pages back a guest cell on a host cell."""

from __future__ import annotations

from collections.abc import Sequence

from rtvirt.fitting.demand import CellDemand
from rtvirt.model.pages import ORDINARY_KIB
from rtvirt.model.pages import PageSize
from rtvirt.model.vacancy import Vacancy


def page_sizes(want: CellDemand, vacancy: Vacancy) -> Sequence[int]:
    """Return the page sizes in KiB that would do, best first.

    The order of nova's ``_numa_cell_supports_pagesize_request``: ``large``
    and ``any`` begin with the largest, ``large`` never takes the smallest;
    ``small``, and a cell that asks for none, take the smallest alone.
    """
    asked = want.page_size
    if type(asked) is int:
        return (asked,) if asked in vacancy.backing else ()
    pools = vacancy.cell.pages
    if asked is None:
        return (pools[0].size_kib if pools else ORDINARY_KIB,)
    sizes = [pool.size_kib for pool in pools]
    if asked is PageSize.SMALL:
        return sizes[:1]
    if asked is PageSize.LARGE:
        return sizes[:0:-1]
    return sizes[::-1]


def choose_page_size(
    want: CellDemand, vacancy: Vacancy, *, overcommit: bool
) -> int:
    """Return the page size in KiB for the guest cell, 0 if none does.

    The memory must be whole pages, and as many must be free. A cell that
    asks for no page size may overcommit if ``overcommit`` says so, but not
    against itself.
    """
    overcommit = overcommit and want.page_size is None
    for size_kib in page_sizes(want, vacancy):
        if (
            vacancy.cell.backing_kib(size_kib, overcommit=overcommit)
            >= want.memory_kib
            and want.memory_kib % size_kib == 0
        ):
            return size_kib
    return 0

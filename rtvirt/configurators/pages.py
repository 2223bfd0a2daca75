# SPDX-License-Identifier: Apache-2.0
"""Which guest cells lie on huge pages."""

from __future__ import annotations

from typing import Final

from rtvirt.model.pages import PageSize
from rtvirt.model.plan import Plan
from rtvirt.model.plan import PlannedCell

_ORDINARY_KIB: Final = 4
"""The ordinary page of x86, which needs no huge page pool."""


def huge_cells(plan: Plan) -> tuple[PlannedCell, ...]:
    """Return the planned cells whose pages are huge.

    A cell that asked for no size, or for the smallest, has the host's
    ordinary pages, whatever their size is there.
    """
    return tuple(
        [
            cell
            for cell, asked in zip(plan.cells, plan.guest.cells, strict=True)
            if cell.page_size_kib > _ORDINARY_KIB
            and asked.page_size is not None
            and asked.page_size is not PageSize.SMALL
        ]
    )

# SPDX-License-Identifier: Apache-2.0
"""Which host cells each guest cell fits, as the matching wants it."""

from __future__ import annotations

from collections.abc import Sequence

from rtvirt.fitting.cell import fitting_positions
from rtvirt.fitting.demand import Demand
from rtvirt.fitting.terms import Terms
from rtvirt.model.vacancy import Vacancy


def find_rows(
    demand: Demand, order: Sequence[Vacancy], terms: Terms
) -> list[int]:
    """Return, for each guest cell, the host cells it fits.

    :returns: masks: bit n is the nth host cell of ``order``.
    """
    number = len(order)
    kinds = [
        sum([1 << n for n in fitting_positions(want, order, terms, number)])
        for want in demand.kinds
    ]
    return [kinds[kind] for kind in demand.kind_of]


def to_masks(
    affinity: Sequence[frozenset[int]], order: Sequence[Vacancy]
) -> list[int]:
    """Return sets of host cell ids as masks over ``order``."""
    return [
        sum(
            1 << position
            for position, vacancy in enumerate(order)
            if vacancy.cell.id in ids
        )
        for ids in affinity
    ]

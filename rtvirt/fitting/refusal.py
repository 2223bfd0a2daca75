# SPDX-License-Identifier: Apache-2.0
"""Every reason why a guest does not fit a host."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

from rtvirt.exception import FitError
from rtvirt.fitting import matching
from rtvirt.fitting.reason import find_reasons
from rtvirt.fitting.rows import find_rows
from rtvirt.fitting.rows import to_masks
from rtvirt.fitting.terms import Terms
from rtvirt.model.reason import FitReason
from rtvirt.model.reason import ReasonCode

EXPLAIN: Final = (
    '"rtvirt explain" with the same arguments names the smallest change '
    'that fits'
)
"""The way out of a misfit."""


def refusal(
    terms: Terms,
    affinity: Sequence[frozenset[int]],
    *,
    refused: bool,
) -> FitError:
    """Return the error to raise; its reasons are worked out when read.

    :param refused: whether there were plans, and the caller accepted none.
    """
    guest = terms.demand.guest
    name = f' {terms.host.name}' if terms.host.name else ''
    return FitError(
        f'{guest.name} does not fit host{name}',
        hint=EXPLAIN,
        reasons=_find_all(terms, affinity, refused=refused),
    )


def _find_all(
    terms: Terms, affinity: Sequence[frozenset[int]], *, refused: bool
) -> Iterator[FitReason]:
    if refused:
        yield FitReason(
            code=ReasonCode.ACCEPT,
            sentence='the guest fits, but none of its plans was accepted',
        )
        return
    yield from find_general_reasons(terms, affinity)
    yield from find_pair_reasons(terms)


def find_pair_reasons(terms: Terms) -> Iterator[FitReason]:
    """Yield why each guest cell does not fit each host cell, where so."""
    for want in terms.demand.cells:
        for vacancy in terms.host.vacancies:
            yield from find_reasons(want, vacancy, terms)


def find_general_reasons(
    terms: Terms, affinity: Sequence[frozenset[int]]
) -> Iterator[FitReason]:
    """Yield the reasons that are about all guest cells together."""
    vacancies = terms.host.vacancies
    wanted = len(terms.demand.cells)
    if wanted > len(vacancies):
        yield FitReason(
            code=ReasonCode.HOST_CELLS,
            sentence=f'the guest has {wanted} cells, '
            f'the host {len(vacancies)}',
            wanted=wanted,
            available=len(vacancies),
        )
        return
    rows = find_rows(terms.demand, vacancies, terms)
    chosen, short = matching.match(rows)
    if not chosen:
        if all(rows):
            yield _explain_short(terms, rows, short)
        return
    for ids, mask in zip(affinity, to_masks(affinity, vacancies), strict=True):
        if not matching.can_meet([mask], rows, -1):
            named = _list(sorted(ids))
            yield FitReason(
                code=ReasonCode.AFFINITY,
                sentence=f'one of host cells {named} must be used, and no '
                'guest cell fits there'
                if ids
                else 'an affinity names no host cell',
                wanted=named,
                available='',
            )
            return
    yield FitReason(
        code=ReasonCode.AFFINITY,
        sentence='each affinity can be met, but not all of them together',
    )


def _explain_short(
    terms: Terms, rows: Sequence[int], short: Sequence[int]
) -> FitReason:
    """Return the reason in Hall's sense: too few host cells for some."""
    union = 0
    for row in short:
        union |= rows[row]
    ids = [
        vacancy.cell.id
        for position, vacancy in enumerate(terms.host.vacancies)
        if union >> position & 1
    ]
    guest_cells = _list([terms.demand.cells[row].id for row in short])
    only = f'cells {_list(ids)}' if len(ids) > 1 else f'cell {ids[0]}'
    return FitReason(
        code=ReasonCode.ASSIGNMENT,
        sentence=f'guest cells {guest_cells} fit only host {only}, and '
        'each needs a host cell of its own',
        wanted=len(short),
        available=len(ids),
    )


def _list(numbers: Sequence[int]) -> str:
    texts = [str(number) for number in numbers]
    if len(texts) < 2:
        return ''.join(texts)
    return f'{", ".join(texts[:-1])} and {texts[-1]}'

# SPDX-License-Identifier: Apache-2.0
"""Which guest cell goes to which host cell: bipartite matching.

Guest cells are rows, host cells are the bits of each row, in the order they
are to be tried: bit 0 first. All is polynomial in both, for a fixed number
of demands (see :func:`can_meet`).
"""

from __future__ import annotations

from collections.abc import Container
from collections.abc import Iterator
from collections.abc import Sequence

from rtvirt.model.bits import iter_bits


def match(rows: Sequence[int]) -> tuple[list[int], tuple[int, ...]]:
    """Give each row a bit of its own, by augmenting paths.

    :returns: the bit of each row (as a mask) and an empty tuple; or, where
        that is impossible, an empty list and the positions of rows that
        together have fewer bits than there are rows (Hall).
    """
    chosen = [0] * len(rows)
    owner: dict[int, int] = {}
    taken = 0
    for row in range(len(rows)):
        last, found_by = _find_path(rows, row, owner, taken)
        if not last:
            return [], tuple(sorted({row, *map(owner.__getitem__, found_by)}))
        taken |= last
        bit = last
        while bit:
            # Each row on the path leaves its bit to the one before.
            mover = found_by[bit]
            owner[bit] = mover
            chosen[mover], bit = bit, chosen[mover]
    return chosen, ()


def _find_path(
    rows: Sequence[int], row: int, owner: dict[int, int], taken: int
) -> tuple[int, dict[int, int]]:
    """Find the way from a row without a bit to a bit without a row.

    :returns: that bit, or 0; and of each bit on the way, the row that may
        move to it.
    """
    found_by: dict[int, int] = {}
    seen = 0
    queue = [row]
    for mover in queue:
        new = rows[mover] & ~seen
        if free := new & ~taken:
            last = free & -free
            found_by[last] = mover
            return last, found_by
        seen |= new
        for number in iter_bits(new):
            found_by[1 << number] = mover
            queue.append(owner[1 << number])
    return 0, found_by


def first_free(rows: Sequence[int]) -> list[int] | None:
    """Give each row its first bit that no row before it took.

    Where that succeeds it is the first of all assignments in the order of
    :func:`assignments`; where not, there may still be one.
    """
    chosen = []
    taken = 0
    for row in rows:
        left = row & ~taken
        bit = left & -left
        if not bit:
            return None
        taken |= bit
        chosen.append(bit)
    return chosen


def assignments(
    rows: Sequence[int], demands: Sequence[int] = ()
) -> Iterator[list[int]]:
    """Yield every assignment of a bit of its own to each row.

    In lexicographic order: first come those that give row 0 its first
    possible bit, of these first those that give row 1 its first, and so on:
    the order of ``itertools.permutations`` over the host cells, in which
    nova tries them. The time before each is polynomial.

    :param demands: masks; only assignments whose bits have at least one in
        common with each of them are yielded.
    """
    chosen, _ = match(rows)
    if chosen and can_meet(demands, rows, -1):
        yield from _extend(rows, 0, chosen, 0, demands)


def _extend(
    rows: Sequence[int],
    row: int,
    chosen: list[int],
    taken: int,
    demands: Sequence[int],
) -> Iterator[list[int]]:
    """Yield the assignments that keep what the rows before ``row`` have.

    :param chosen: a bit for every row: one assignment that does.
    :param taken: the bits of the rows before.
    :param demands: those that the rows before do not meet.
    """
    if row == len(rows):
        yield chosen
        return
    later = rows[row + 1 :]
    moves = _find_moves(rows, row, chosen, taken)
    wanted = rows[row] & ~taken
    # Bits that meet no demand are alike: either all of them will do or none.
    spare = can_meet(demands, later, ~taken)
    if not spare:
        wanted &= _union(demands)
    for bit in _possible_bits(wanted, chosen[row + 1 :], moves):
        left = [mask for mask in demands if not mask & bit]
        if (spare and len(left) == len(demands)) or can_meet(
            left, later, ~(taken | bit)
        ):
            moved = _move(chosen, row, bit, moves)
            yield from _extend(rows, row + 1, moved, taken | bit, left)


def _union(masks: Sequence[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union


def _possible_bits(
    wanted: int, held: Sequence[int], moves: Container[int]
) -> Iterator[int]:
    """Yield the bits of ``wanted`` that nobody holds, or can leave."""
    stuck = sum(held)
    for number in iter_bits(wanted):
        bit = 1 << number
        if not bit & stuck or bit in moves:
            yield bit


def _find_moves(
    rows: Sequence[int], row: int, chosen: Sequence[int], taken: int
) -> dict[int, tuple[int, int]]:
    """Find which later rows can make way for this one.

    A row can if it may have a bit that nobody has, or this row's own, or
    one whose row can make way itself.

    :returns: of each bit that a later row can leave, that row and the bit
        it moves to.
    """
    reach = ~(taken | sum(chosen[row + 1 :]))
    moves: dict[int, tuple[int, int]] = {}
    waiting = list(range(row + 1, len(rows)))
    moved = True
    while moved:
        stuck = []
        for later in waiting:
            if targets := rows[later] & reach:
                moves[chosen[later]] = (later, targets & -targets)
                reach |= chosen[later]
            else:
                stuck.append(later)
        moved = len(stuck) < len(waiting)
        waiting = stuck
    return moves


def _move(
    chosen: Sequence[int],
    row: int,
    bit: int,
    moves: dict[int, tuple[int, int]],
) -> list[int]:
    """Return the assignment with ``bit`` given to ``row``."""
    moved = list(chosen)
    own = moved[row]
    moved[row] = bit
    while bit != own and bit in moves:
        later, bit = moves[bit]
        moved[later] = bit
    return moved


def can_meet(
    demands: Sequence[int], rows: Sequence[int], allowed: int
) -> bool:
    """Whether the rows, which can all be served, can also meet the demands.

    A demand is met if a row gets one of its bits. The rows can be served
    and a set of bits used at once exactly if the rows can be served and the
    bits can each be given to a row of their own (Mendelsohn and Dulmage), so
    that it is enough to look for bits that meet the demands and have a row
    each. If each demand can have a row of its own, that is so. Else the
    bits are tried demand by demand, and bits that the same rows may have
    and that meet the same demands once. So the time is polynomial for a
    fixed number q of demands: there are at most n ** q ways for n bits, and
    in practice a few.

    :param allowed: the bits that may be used.
    """
    if not demands:
        return True
    masks = [mask & allowed for mask in demands]
    columns = [_rows_with(mask, rows) for mask in masks]
    if not all(columns):
        return False
    return bool(match(columns)[0]) or _meet(_drop_implied(masks), rows, [])


def _rows_with(bits: int, rows: Sequence[int]) -> int:
    """Return the rows that may have one of the bits, as a mask."""
    found = 0
    for position, row in enumerate(rows):
        if row & bits:
            found |= 1 << position
    return found


def _drop_implied(masks: Sequence[int]) -> list[int]:
    """Drop the demands that hold whenever another one does."""
    kept: list[int] = []
    for mask in sorted(masks, key=int.bit_count):
        if not any(other & ~mask == 0 for other in kept):
            kept.append(mask)
    return kept


def _meet(
    demands: Sequence[int], rows: Sequence[int], columns: list[int]
) -> bool:
    """Whether bits for the demands exist beside those already picked.

    :param columns: of each bit picked, the rows that may have it.
    """
    if not demands:
        return True
    tried = set()
    for number in iter_bits(demands[0]):
        column = _rows_with(1 << number, rows)
        left = [mask for mask in demands if not mask >> number & 1]
        kind = (column, tuple(left))
        if kind in tried:
            continue
        tried.add(kind)
        picked = [*columns, column]
        if match(picked)[0] and _meet(left, rows, picked):
            return True
    return False

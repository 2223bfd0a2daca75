# SPDX-License-Identifier: Apache-2.0
"""Which guest cell goes to which host cell: bipartite matching.

Guest cells are rows, host cells are the bits of each row, in the order they
are to be tried: bit 0 first. All is polynomial in both, for a fixed number
of demands (see :func:`can_meet`).
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from rtvirt.model.vacancy import iter_bits


def match(rows: Sequence[int]) -> tuple[list[int], tuple[int, ...]]:
    """Give each row a bit of its own (Kuhn's augmenting paths).

    :returns: the bit of each row (as a mask) and an empty tuple; or, where
        that is impossible, an empty list and the positions of rows that
        together have fewer bits than there are rows (Hall).
    """
    owner: dict[int, int] = {}
    for row in range(len(rows)):
        seen: dict[int, int] = {}
        if not _augment(row, rows, owner, seen):
            return [], tuple(sorted({row, *(owner[bit] for bit in seen)}))
    chosen = [0] * len(rows)
    for bit, row in owner.items():
        chosen[row] = bit
    return chosen, ()


def _augment(
    row: int, rows: Sequence[int], owner: dict[int, int], seen: dict[int, int]
) -> bool:
    """Find a bit for the row, moving other rows where need be."""
    for number in iter_bits(rows[row]):
        bit = 1 << number
        if bit in seen:
            continue
        if bit not in owner:
            owner[bit] = row
            return True
        seen[bit] = row
        if _augment(owner[bit], rows, owner, seen):
            owner[bit] = row
            return True
    return False


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
    moves, reach = _find_moves(rows, row, chosen, taken)
    for number in iter_bits(rows[row] & reach):
        bit = 1 << number
        left = [mask for mask in demands if not mask & bit]
        if left and not can_meet(left, rows[row + 1 :], ~(taken | bit)):
            continue
        moved = _move(chosen, row, bit, moves)
        yield from _extend(rows, row + 1, moved, taken | bit, left)


def _find_moves(
    rows: Sequence[int], row: int, chosen: Sequence[int], taken: int
) -> tuple[dict[int, tuple[int, int]], int]:
    """Find which bits the row may have with the later rows still served.

    These are the bits nobody has, its own, and those of later rows that can
    move on, directly or by moving others, to a bit nobody has or to this
    row's own.

    :returns: of each bit that a later row can leave, that row and the bit
        it moves to; and all the bits that the row may have.
    """
    held = 0
    for bit in chosen[row + 1 :]:
        held |= bit
    reach = ~(taken | held)
    moves: dict[int, tuple[int, int]] = {}
    waiting = list(range(row + 1, len(rows)))
    while waiting:
        stuck = []
        for later in waiting:
            targets = rows[later] & reach
            if targets:
                moves[chosen[later]] = (later, targets & -targets)
                reach |= chosen[later]
            else:
                stuck.append(later)
        if len(stuck) == len(waiting):
            break
        waiting = stuck
    return moves, reach


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
    each. They are tried demand by demand; bits that the same rows may have
    and that meet the same demands are tried once. So the time is polynomial
    for a fixed number q of demands: there are at most n ** q ways for n
    bits, and in practice a few.

    :param allowed: the bits that may be used.
    """
    masks = [mask & allowed for mask in demands]
    return all(masks) and _meet(_drop_implied(masks), rows, [])


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
        column = sum(
            1 << row for row, mask in enumerate(rows) if mask >> number & 1
        )
        left = [mask for mask in demands if not mask >> number & 1]
        kind = (column, tuple(left))
        if kind in tried:
            continue
        tried.add(kind)
        picked = [*columns, column]
        if match(picked)[0] and _meet(left, rows, picked):
            return True
    return False

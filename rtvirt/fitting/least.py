# SPDX-License-Identifier: Apache-2.0
"""The cheapest assignment of rows to columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_INFINITE: Final = float('inf')


def least_assignment(costs: Sequence[Sequence[float]]) -> list[int]:
    """Give each row a column of its own so that the sum of costs is least.

    Kuhn and Munkres' method: row after row takes the cheapest path of
    columns that change hands, which prices on rows and columns make a
    shortest path. The time is that of rows x rows x columns.

    :param costs: of each row the cost of each column; infinite where the
        two do not go together. No more rows than columns.
    :returns: the column of each row; empty if there is no assignment.
    """
    prices = _Prices(costs)
    for row in range(len(costs)):
        if not prices.take_row(row):
            return []
    chosen = [0] * len(costs)
    for column, row in enumerate(prices.owner):
        if row >= 0:
            chosen[row] = column
    return chosen


class _Prices:
    """Prices under which every row so far has its cheapest column.

    :ivar owner: of each column its row, -1 where it has none.
    """

    def __init__(self, costs: Sequence[Sequence[float]]) -> None:
        columns = len(costs[0]) if costs else 0
        self._costs = costs
        self._rows = [0.0] * len(costs)
        self._columns = [0.0] * columns
        self.owner = [-1] * columns

    def take_row(self, row: int) -> bool:
        """Give one more row a column; False if there is none for it."""
        slack = [_INFINITE] * len(self.owner)
        came_from = [-1] * len(self.owner)
        done: list[int] = []
        left = list(range(len(self.owner)))
        column = -1
        current = row
        while current >= 0:
            self._shorten(current, column, left, slack, came_from)
            column = min(left, key=slack.__getitem__, default=-1)
            if column < 0 or slack[column] == _INFINITE:
                return False
            self._reprice(row, slack[column], done, left, slack)
            left.remove(column)
            done.append(column)
            current = self.owner[column]
        self._hand_over(row, column, came_from)
        return True

    def _shorten(
        self,
        current: int,
        column: int,
        left: list[int],
        slack: list[float],
        came_from: list[int],
    ) -> None:
        """See whether the row that has ``column`` gives a shorter way."""
        price = self._rows[current]
        costs = self._costs[current]
        for other in left:
            here = costs[other] - price - self._columns[other]
            if here < slack[other]:
                slack[other] = here
                came_from[other] = column

    def _reprice(
        self,
        row: int,
        step: float,
        done: list[int],
        left: list[int],
        slack: list[float],
    ) -> None:
        """Move the prices so that the nearest column costs nothing more."""
        self._rows[row] += step
        for column in done:
            self._rows[self.owner[column]] += step
            self._columns[column] -= step
        for column in left:
            slack[column] -= step

    def _hand_over(self, row: int, column: int, came_from: list[int]) -> None:
        """Let each column on the way go to the row before."""
        while came_from[column] >= 0:
            before = came_from[column]
            self.owner[column] = self.owner[before]
            column = before
        self.owner[column] = row

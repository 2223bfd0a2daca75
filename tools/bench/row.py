# SPDX-License-Identifier: Apache-2.0
"""One measured line and the gate it is held against."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tools.bench.timing import Ratio


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measured value.

    :ivar section: the gate's name.
    :ivar case: what was measured.
    :ivar value: the ratio or share that the gate is about.
    :ivar at_least: the gate from below, or None.
    :ivar at_most: the gate from above, or None.
    :ivar unit: printed behind the value.
    :ivar ratio: the times behind the value, where it is a ratio of times.
    :ivar note: what a reader must know.
    :ivar problem: why the line counts as missed whatever its value.
    """

    section: str
    case: str
    value: float
    at_least: float | None = None
    at_most: float | None = None
    unit: str = 'x'
    ratio: Ratio | None = None
    note: str = ''
    problem: str = ''

    @property
    def is_met(self) -> bool:
        """Whether the value is inside its gate."""
        return (
            not self.problem
            and (self.at_least is None or self.value >= self.at_least)
            and (self.at_most is None or self.value <= self.at_most)
        )

    @property
    def gate(self) -> str:
        """The gate as people write it."""
        if self.at_least is not None:
            return f'>= {self.at_least:g}{self.unit}'
        if self.at_most is not None:
            return f'<= {self.at_most:g}{self.unit}'
        return ''

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the JSON report."""
        return {**dataclasses.asdict(self), 'is_met': self.is_met}


def timed(
    section: str, case: str, ratio: Ratio, *, at_least: float, note: str = ''
) -> Row:
    """Return the line of a ratio of times."""
    return Row(
        section=section,
        case=case,
        value=ratio.median,
        at_least=at_least,
        ratio=ratio,
        note=note,
    )


def geometric_mean(rows: Iterable[Row]) -> float:
    """Return the geometric mean of the lines' values."""
    logs = [math.log(row.value) for row in rows]
    return math.exp(sum(logs) / len(logs))

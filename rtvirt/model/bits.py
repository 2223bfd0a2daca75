# SPDX-License-Identifier: Apache-2.0
"""Sets as integers: bit n stands for the nth thing."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence


def iter_bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def lowest_bits(mask: int, number: int) -> Sequence[int]:
    """Return the numbers of the lowest bits that are set, as many as asked.

    A range where they follow on each other, as mostly.
    """
    if not number:
        return range(0)
    first = (mask & -mask).bit_length() - 1
    run = (1 << number) - 1
    if (mask >> first) & run == run:
        return range(first, first + number)
    found = []
    for _ in range(number):
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return found

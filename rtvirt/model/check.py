# SPDX-License-Identifier: Apache-2.0
"""The checks that the constructors of the model share."""

from __future__ import annotations

import reprlib
from typing import Final

from rtvirt.exception import ModelError

MAX_INT: Final = (1 << 63) - 1
"""No quantity of a host or a guest is beyond a signed 64-bit number."""

_SHOWN_BITS: Final = 256


class _Short(reprlib.Repr):
    """A repr of bounded length, depth and time, whatever it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = 60
        self.maxlong = 40

    def repr_int(self, x: int, level: int) -> str:
        # repr() takes quadratic time, and refuses beyond 4300 digits.
        if x.bit_length() > _SHOWN_BITS:
            return f'<a number of {x.bit_length()} bits>'
        return super().repr_int(x, level)


shown: Final = _Short().repr
"""Return a value as an error message shows it: short, whatever it is."""


def require(holds: bool, message: str) -> None:
    """Raise :class:`ModelError` unless the invariant holds."""
    if not holds:
        raise ModelError(message)


def require_int(
    name: str, value: object, minimum: int, maximum: int = MAX_INT
) -> None:
    """Raise :class:`ModelError` unless ``value`` is a whole number in range.

    ``True`` is no number here.
    """
    if type(value) is not int or not minimum <= value <= maximum:
        limit = (
            f'of at least {minimum}'
            if maximum == MAX_INT
            else f'from {minimum} to {maximum}'
        )
        raise ModelError(
            f'{name} is {shown(value)}: expected a whole number {limit}'
        )

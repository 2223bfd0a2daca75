# SPDX-License-Identifier: Apache-2.0
"""The checks that the constructors of the model share."""

from __future__ import annotations

from rtvirt.exception import ModelError


def require(holds: bool, message: str) -> None:
    """Raise :class:`ModelError` unless the invariant holds."""
    if not holds:
        raise ModelError(message)


def require_int(
    name: str, value: object, minimum: int, maximum: int | None = None
) -> None:
    """Raise :class:`ModelError` unless ``value`` is a whole number in range.

    ``True`` is no number here.
    """
    if (
        type(value) is not int
        or value < minimum
        or (maximum is not None and value > maximum)
    ):
        limit = (
            f'of at least {minimum}'
            if maximum is None
            else f'from {minimum} to {maximum}'
        )
        raise ModelError(
            f'{name} is {value!r}: expected a whole number {limit}'
        )

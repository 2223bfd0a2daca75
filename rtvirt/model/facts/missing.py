# SPDX-License-Identifier: Apache-2.0
"""Facts that could not be had, told apart from values."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import TypeVar

T = TypeVar('T')


class Why(enum.StrEnum):
    """Why there is no value.

    ``ABSENT``: there is no such file or entry; the kernel, the service or
    the snapshot does not have it. ``UNREADABLE``: it is there and could not
    be read. ``MALFORMED``: it was read and makes no sense.
    """

    ABSENT = 'absent'
    UNREADABLE = 'unreadable'
    MALFORMED = 'malformed'


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """No value.

    :ivar missing: why.
    :ivar path: where the value would have been, from the host's root.
    :ivar detail: the system's or the parser's words, or an empty string.
    """

    missing: Why
    path: str
    detail: str = ''

    def __str__(self) -> str:
        return (
            f'{self.missing} ({self.detail})'
            if self.detail
            else (f'{self.missing}')
        )

    @property
    def is_absent(self) -> bool:
        """Whether it is known that there is nothing to read."""
        return self.missing is Why.ABSENT


def absent(path: str) -> Missing:
    """Return that there is nothing at ``path``."""
    return Missing(missing=Why.ABSENT, path=path)


def malformed(path: str, detail: str) -> Missing:
    """Return that what ``path`` holds makes no sense."""
    return Missing(missing=Why.MALFORMED, path=path, detail=detail)


def fact(path: str, parse: Callable[[str], object] | None = None) -> Any:
    """Declare a field of facts, absent unless somebody reads it.

    :param path: the file, or the pattern of files, that holds it.
    :param parse: text to value, raising ``ValueError``; None where more
        than one file is read, so that a reader of its own fills the field.
    """
    return field(default=absent(path), metadata={'path': path, 'parse': parse})


def value_or(value: T | Missing, default: T) -> T:
    """Return the value, or ``default`` where there is none."""
    return default if isinstance(value, Missing) else value

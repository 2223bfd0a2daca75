# SPDX-License-Identifier: Apache-2.0
"""Memory pages: sizes asked for, and a host cell's pools of them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from rtvirt.model.alter import draft_of
from rtvirt.model.check import require_int

ORDINARY_KIB: Final = 4
"""The ordinary page of x86, which needs no pool of huge pages; what a host
cell has whose pages are not known."""


class PageSize(enum.StrEnum):
    """A page size that is not a number.

    ``SMALL``: the host's smallest. ``LARGE``: the largest that fits, never
    the smallest. ``ANY``: the largest that fits.
    """

    SMALL = 'small'
    LARGE = 'large'
    ANY = 'any'


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePool:
    """The pages of one size on one host cell.

    :ivar size_kib: the size of a page in KiB.
    :ivar total: how many the cell has.
    :ivar used: how many guests hold.
    :ivar reserved: how many are kept from guests (nova's
        ``reserved_huge_pages``).
    """

    size_kib: int
    total: int
    used: int = 0
    reserved: int = 0

    def __post_init__(self) -> None:
        require_int('size_kib', self.size_kib, 1)
        require_int('total', self.total, 0)
        require_int('used', self.used, 0)
        require_int('reserved', self.reserved, 0)

    @property
    def free(self) -> int:
        """Pages that a guest may still take; never negative."""
        left = self.total - self.used - self.reserved
        return left if left > 0 else 0

    def used_more(self, pages: int) -> PagePool:
        """Return the pool with so many pages more used; not checked."""
        made = _PoolDraft()
        made.size_kib = self.size_kib
        made.total = self.total
        made.used = self.used + pages
        made.reserved = self.reserved
        made.__class__ = PagePool
        pool: PagePool = made
        return pool


_PoolDraft: Final = draft_of(PagePool)


_UNITS: Final = ('KiB', 'MiB', 'GiB', 'TiB')


def format_kib(kib: int) -> str:
    """Return a size in the largest unit that keeps it a whole number."""
    unit = 0
    while kib and kib % 1024 == 0 and unit < len(_UNITS) - 1:
        kib //= 1024
        unit += 1
    return f'{kib} {_UNITS[unit]}'

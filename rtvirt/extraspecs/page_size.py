# SPDX-License-Identifier: Apache-2.0
"""Page sizes as text."""

from __future__ import annotations

import re
from typing import Final

from rtvirt.model.check import MAX_INT
from rtvirt.model.pages import PageSize

_USUAL: Final[dict[str, PageSize | int | None]] = {
    '': None,
    **{str(word): word for word in PageSize},
    '2MB': 2048,
    '1GB': 1048576,
}
_MAX_TEXT: Final = 64
_FORM: Final = re.compile(
    r'\+?([0-9]*)(\.?)([0-9]+)(?:([KMGTPEZYRQ]i?)(b|bit|B)?|(b|bit|B)|kB?)'
)
_POWER: Final = {
    prefix: power for power, prefix in enumerate('KMGTPEZYRQ', 1)
} | {'': 0}
_BITS_PER_KIB: Final = 8192


def read_page_size(text: str) -> int | PageSize | None:
    """Return a page size in KiB, a word, or None for an empty text.

    Digits alone are KiB; units are powers of 1024, ``b`` and ``bit`` are
    bits. Beyond nova's ``_get_numa_pagesize_constraint`` the unit may lack
    its ``B`` and kilo may be a small letter: ``2M``, ``1G``, ``2048kB``.

    :raises ValueError: if it is no page size or no whole number of KiB.
    """
    if text in _USUAL:
        return _USUAL[text]
    if len(text) > _MAX_TEXT:
        raise ValueError
    if text.isascii() and text.isdigit():
        size, rest = int(text), 0
    else:
        size, rest = _read_unit(text)
    if rest or size > MAX_INT:
        raise ValueError
    return size


def _read_unit(text: str) -> tuple[int, int]:
    """Return the whole KiB of a size with a unit, and what is left over."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError
    whole, point, digits, prefix, unit, bare = match.groups(default='')
    if text.endswith(('k', 'kB')):
        prefix = 'K'
    scale: int = 10 ** len(digits) if point else 1
    bits = int(whole + digits) << 10 * _POWER[prefix[:1]]
    if (unit or bare or 'B') == 'B':
        bits *= 8
    return divmod(bits, _BITS_PER_KIB * scale)

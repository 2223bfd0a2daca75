# SPDX-License-Identifier: Apache-2.0
"""Page sizes as text."""

from __future__ import annotations

import re
from typing import Final

from rtvirt.model.pages import PageSize

_WORDS: Final[dict[str, PageSize | int | None]] = {
    '': None,
    **{str(word): word for word in PageSize},
    '2MB': 2048,
    '1GB': 1048576,
}
_MAX_TEXT: Final = 64
_FORM: Final = re.compile(
    r'\+?([0-9]*)\.?([0-9]+)(?:([kKMGTPEZYRQ])(i?))?(b|bit|B)?'
)
_EXPONENT: Final = {
    prefix: power for power, prefix in enumerate('KMGTPEZYRQ', 1)
} | {'k': 1}


def read_page_size(text: str) -> int | PageSize | None:
    """Return a page size in KiB, a word, or None for an empty text.

    Digits alone are KiB; units are powers of 1024, ``b`` and ``bit`` are
    bits. Beyond nova's ``_get_numa_pagesize_constraint`` the unit may lack
    its ``B`` and kilo may be a small letter: ``2M``, ``1G``, ``2048kB``.

    :raises ValueError: if it is no page size or no whole number of KiB.
    """
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _MAX_TEXT:
        raise ValueError
    if text.isascii() and text.isdigit():
        return int(text)
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError
    whole, rest, prefix, binary, unit = match.groups()
    has_point = '.' in text
    if not (prefix or unit) or (
        prefix == 'k' and (binary or unit in ('b', 'bit'))
    ):
        raise ValueError
    digits = int(whole + rest)
    bits = digits * (8 if unit in ('B', None) else 1)
    bits <<= 10 * _EXPONENT.get(prefix, 0)
    size, remainder = divmod(
        bits, 8192 * (10 ** len(rest) if has_point else 1)
    )
    if remainder:
        raise ValueError
    return size


def format_page_size(size_kib: int) -> str:
    """Return a size with the largest unit that divides it, as in ``1GiB``."""
    for power, unit in ((30, 'TiB'), (20, 'GiB'), (10, 'MiB')):
        if size_kib and not size_kib % (1 << power):
            return f'{size_kib >> power}{unit}'
    return f'{size_kib}KiB'

# SPDX-License-Identifier: Apache-2.0
"""How wide a text may come out, in a font that is not known."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

# Hundredths of the type size, of each character from space to tilde, in
# DejaVu Sans: it is the widest of those that viewers fall back on, so that
# what fits in it fits in the others.
_WIDTHS: Final = [
    *(32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34),
    *(64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 53),
    *(100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79),
    *(60, 79, 69, 63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50),
    *(50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61),
    *(63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84),
]
_OTHER: Final = 80
_FULL: Final = 100


def text_width(text: str, size: float) -> float:
    """Return how many pixels a text takes at most, roughly.

    :param size: of the type, in pixels.
    """
    return size * sum(map(_width, text)) / 100


def shorten(text: str, size: float, width: float) -> str:
    """Return a text that fits, with an ellipsis where it was cut."""
    if text_width(text, size) <= width:
        return text
    kept = ''
    taken = size
    for char in text:
        taken += size * _width(char) / 100
        if taken > width:
            break
        kept += char
    return f'{kept.rstrip()}\u2026'


def wrap(text: str, size: float, width: float) -> Iterator[str]:
    """Yield lines that fit; a word that does not is cut."""
    line = ''
    for word in text.split(' '):
        longer = f'{line} {word}' if line else word
        if text_width(longer, size) <= width:
            line = longer
            continue
        if line:
            yield line
        line = shorten(word, size, width)
    if line:
        yield line


def _width(char: str) -> int:
    place = ord(char) - 32
    if 0 <= place < len(_WIDTHS):
        return _WIDTHS[place]
    return _FULL if unicodedata.east_asian_width(char) in 'WF' else _OTHER

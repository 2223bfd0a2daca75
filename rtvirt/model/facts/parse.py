# SPDX-License-Identifier: Apache-2.0
"""The formats of one-value files: text to value, or ``ValueError``."""

from __future__ import annotations

import re
from typing import Final

from rtvirt.model.cpuset import MAX_CPU
from rtvirt.model.cpuset import CPUSet

_MAX_DIGITS: Final = 18
"""Of a number that every reader of JSON knows."""

_CHOSEN: Final = re.compile(r'[\[(]([\w-]+)[\])]')


def parse_text(text: str) -> str:
    """Return the text without the white space around it."""
    return text.strip()


def parse_int(text: str) -> int:
    """Read the first number of a line (``4	4	1	7`` is 4)."""
    words = text.split(maxsplit=1)
    if not words or len(words[0]) > _MAX_DIGITS:
        raise ValueError('no number')
    return int(words[0])


def parse_flag(text: str) -> bool:
    """Read the kernel's truth values, ``Y``, ``N``, ``1``, ``0``."""
    word = text.strip()
    if word in ('1', 'Y', 'y'):
        return True
    if word in ('0', 'N', 'n'):
        return False
    raise ValueError('neither Y nor N')


def parse_list(text: str) -> CPUSet:
    """Read a CPU list; ``(null)`` is how the kernel prints no list."""
    bare = text.strip()
    return CPUSet() if bare == '(null)' else CPUSet.parse(bare)


def parse_mask(text: str) -> CPUSet:
    """Read a hexadecimal CPU mask, its words separated by commas."""
    digits = text.strip().replace(',', '')
    if not digits or len(digits) > (MAX_CPU + 1) // 4:
        raise ValueError('no mask')
    return CPUSet.from_mask(int(digits, 16))


def parse_choice(text: str) -> str:
    """Return the word in brackets: ``always [madvise] never``.

    The scheduler's debugfs file uses round ones.
    """
    match = _CHOSEN.search(text)
    if match is None:
        raise ValueError('no choice in brackets')
    return match[1]

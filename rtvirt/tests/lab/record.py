# SPDX-License-Identifier: Apache-2.0
"""What the tutorial shows of the talk, but for what differs every time."""

from __future__ import annotations

import re
from typing import Final

from tools.lab.recipe import TOP

RECORD: Final = TOP / 'doc' / 'source' / 'talk.txt'
_BEGIN: Final = '5  The guest'
_END: Final = 'Percentiles in microseconds'

# Process ids, sizes and latencies; times; mapped addresses; a file's suffix.
_VOLATILE: Final = re.compile(
    r'\b\d{3,}\b|\b\d\d:\d\d:\d\d\b|^[0-9a-f]{12}\b|(?<=ram-node0\.)\w{6}',
    re.M,
)
# A rule of a table or heading, and what pads a column.
_PADDING: Final = re.compile(r'[+-]*-{3,}[+-]*| {2,}')
# QEMU starts and ends these as it needs them.
_PASSING: Final = 'worker'


def what_stays(text: str) -> list[str]:
    """Return the lines of a talk that are the same in every one.

    It begins with the guest, and ends before the latencies, whose table is
    as wide as their number allows.
    """
    _, begin, rest = text.partition(_BEGIN)
    told, end, _ = rest.partition(_END)
    assert begin, f'no {_BEGIN!r} in {text!r}'
    assert end, f'no {_END!r} in {text!r}'
    bare = _PADDING.sub(' ', _VOLATILE.sub('#', told))
    return [
        line.strip()
        for line in bare.splitlines()
        if line.strip() and _PASSING not in line
    ]


def recorded() -> list[str]:
    """Return the same of the record."""
    return what_stays(RECORD.read_text())

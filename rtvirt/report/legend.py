# SPDX-License-Identifier: Apache-2.0
"""What the colours and marks of a topology picture mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from rtvirt.model.observed import ThreadRole
from rtvirt.report.lettering import text_width
from rtvirt.report.markup import svg
from rtvirt.report.occupancy import Occupancy
from rtvirt.report.occupancy import Use
from rtvirt.report.tile import HELPERS
from rtvirt.report.tile import bolt
from rtvirt.report.tile import swatch
from rtvirt.report.words import say_use

_SIZE: Final = 12
_LINE: Final = 22
_SWATCH: Final = (22, 14)
_THREADS: Final = {
    ThreadRole.EMULATOR: 'emulator threads may run here',
    ThreadRole.IOTHREAD: 'I/O threads may run here',
}

Entry = tuple[str, Use | ThreadRole | str]
"""A text and what it explains: a use, a mark, or a frame."""


def draw_legend(
    occupancy: Occupancy, x: float, y: float, width: float, prefix: str
) -> tuple[list[etree._Element], float]:
    """Return the legend of what occurs, and its height."""
    made: list[etree._Element] = []
    left, top = x, y
    for text, what in _entries(occupancy):
        taken = _SWATCH[0] + 6 + text_width(text, _SIZE) + 12
        if left > x and left + taken > x + width:
            left, top = x, top + _LINE
        made += _draw_sample(what, left, top, prefix)
        made.append(
            svg(
                'text',
                text,
                x=left + _SWATCH[0] + 6,
                y=top + 11.5,
                font_size=_SIZE,
            )
        )
        left += taken
    return made, top - y + _LINE


def _entries(occupancy: Occupancy) -> Iterator[Entry]:
    for use in occupancy.uses:
        yield say_use(use, occupancy.host), use
    for role, text in _THREADS.items():
        if any(spot.has_helper(role) for spot in occupancy.spots.values()):
            yield text, role
    cells = occupancy.host.cells
    if any(len(core) > 1 for cell in cells for core in cell.siblings):
        yield 'core', 'core'
    if any(cell.l3 for cell in cells):
        yield 'L3 cache', 'cache'


def _draw_sample(
    what: Use | ThreadRole | str, x: float, y: float, prefix: str
) -> list[etree._Element]:
    width, height = _SWATCH
    if isinstance(what, Use):
        made = swatch(what, (x, y, width, height), prefix)
        if what is Use.REALTIME:
            made.append(bolt(what, x + 8, y + 2, 10))
        return made
    if isinstance(what, ThreadRole):
        name = HELPERS[what]
        return [
            svg('rect', class_=name, x=x, y=y + 4.5, width=width, height=5)
        ]
    frame = svg(
        'rect', class_=what, x=x, y=y, width=width, height=height, rx=3
    )
    if what == 'cache':
        text = svg('text', 'L3', x=x + 6, y=y + 10, font_size=8.5)
        return [frame, text]
    tile = {'y': y + 3, 'width': 7, 'height': height - 6, 'rx': 1.5}
    return [frame] + [
        svg('rect', class_='cache', x=x + left, **tile) for left in (3, 12)
    ]

# SPDX-License-Identifier: Apache-2.0
"""Tables of a page, some of which a reader can sort."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from rtvirt.report.markup import html


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table.

    :ivar kind: ``number``, ``code``, ``good`` or ``bad``; or nothing.
    :ivar notes: small, in lines below it.
    :ivar sort: what to sort by, where that is not the text.
    :ivar is_head: whether it is what the row is about.
    """

    text: str
    kind: str = ''
    notes: tuple[str, ...] = ()
    sort: float | None = None
    is_head: bool = False

    def draw(self) -> etree._Element:
        """Return the cell."""
        made = html(
            'th' if self.is_head else 'td',
            self.text,
            *(html('span', note, class_='support') for note in self.notes),
            class_=self.kind or None,
            scope='row' if self.is_head else None,
        )
        if self.sort is not None:
            made.set('data-sort', repr(self.sort))
        return made


def draw_table(
    heads: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[Cell]],
    *,
    caption: str,
    is_sortable: bool = False,
) -> etree._Element:
    """Return a table that scrolls by itself where it is too wide.

    :param heads: of each column its heading and its kind.
    :param caption: what a screen reader calls it.
    """
    line = html('tr')
    for text, kind in heads:
        inner = html('button', text, type='button') if is_sortable else text
        line.append(html('th', inner, class_=kind or None, scope='col'))
    body = html('tbody')
    for row in rows:
        body.append(html('tr', *(cell.draw() for cell in row)))
    table = html('table', html('thead', line), body, aria_label=caption)
    return html('div', table, class_='wide')


def draw_pairs(pairs: Iterable[tuple[str, str]]) -> etree._Element:
    """Return names and what they stand for."""
    made = html('dl', class_='pairs')
    for name, text in pairs:
        made.append(html('dt', name))
        made.append(html('dd', text))
    return made

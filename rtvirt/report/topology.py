# SPDX-License-Identifier: Apache-2.0
"""A host and who is where on it, drawn as SVG."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

from lxml import etree

from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.host_cell import HostCell
from rtvirt.report import geometry
from rtvirt.report.geometry import Grid
from rtvirt.report.geometry import choose_grid
from rtvirt.report.legend import draw_legend
from rtvirt.report.lettering import shorten
from rtvirt.report.lettering import text_width
from rtvirt.report.lettering import wrap
from rtvirt.report.markup import clean
from rtvirt.report.markup import svg
from rtvirt.report.markup import to_text
from rtvirt.report.occupancy import CoreGroup
from rtvirt.report.occupancy import Occupancy
from rtvirt.report.occupancy import core_groups
from rtvirt.report.palette import Theme
from rtvirt.report.palette import style_of
from rtvirt.report.tile import BAR_HEIGHT
from rtvirt.report.tile import draw_bar
from rtvirt.report.tile import draw_tile
from rtvirt.report.tile import patterns
from rtvirt.report.words import describe
from rtvirt.report.words import letter
from rtvirt.report.words import say_cell
from rtvirt.report.words import say_host
from rtvirt.report.words import say_size

_LINE: Final = 18
_TEXT: Final = 12
_TITLE: Final = 19
_BOLD: Final = 1.12
"""How much wider bold type is."""
_TWO_COLUMNS: Final = 900
_NOTHING: Final[FrozenDict[int, Sequence[str]]] = FrozenDict()
_NO_REMARKS: Final[FrozenDict[str, Sequence[str]]] = FrozenDict()


def topology_svg(
    occupancy: Occupancy,
    *,
    title: str = '',
    theme: Theme = Theme.COLOUR,
    notes: Mapping[int, Sequence[str]] = _NOTHING,
    remarks: Mapping[str, Sequence[str]] = _NO_REMARKS,
) -> str:
    """Return the picture as a file that stands alone.

    The parameters are those of :func:`draw_topology`.
    """
    root = draw_topology(occupancy, title=title, notes=notes, remarks=remarks)
    root.insert(2, svg('style', style_of(theme)))
    return to_text(root)


def draw_topology(
    occupancy: Occupancy,
    *,
    title: str = '',
    notes: Mapping[int, Sequence[str]] = _NOTHING,
    remarks: Mapping[str, Sequence[str]] = _NO_REMARKS,
    prefix: str = 'rt-',
) -> etree._Element:
    """Return the picture without its style sheet.

    :param title: default: the host's name.
    :param notes: by host cell, what is wrong there.
    :param remarks: by heading, sentences below the picture.
    :param prefix: what ids begin with; unique in a page.
    """
    title = clean(title or occupancy.host.name or 'Host')
    return _Sheet(occupancy, prefix).draw(title, notes, remarks)


class _Sheet:
    """A picture in the making."""

    def __init__(self, occupancy: Occupancy, prefix: str) -> None:
        self._occupancy = occupancy
        self._prefix = prefix
        self._cells = occupancy.host.cells
        self._groups = {
            cell.id: tuple(core_groups(occupancy.host, cell))
            for cell in self._cells
        }
        self._grid = choose_grid([*self._groups.values()])
        self._parts: list[etree._Element] = []

    def draw(
        self,
        title: str,
        notes: Mapping[int, Sequence[str]],
        remarks: Mapping[str, Sequence[str]],
    ) -> etree._Element:
        width = self._grid.width
        y = self._draw_head(title)
        y = self._draw_panels(y, notes)
        y = self._draw_guests(y)
        for heading, lines in remarks.items():
            y = self._draw_remark(y, heading, lines)
        height = y + geometry.MARGIN - 8
        prefix = self._prefix
        return svg(
            'svg',
            svg('title', title, id=f'{prefix}title'),
            svg(
                'desc',
                ' '.join(describe(self._occupancy)),
                id=f'{prefix}desc',
            ),
            patterns(prefix),
            svg('rect', class_='paper', width=width, height=height, rx=6),
            *self._parts,
            class_='rt',
            viewBox=f'0 0 {width} {height:.0f}',
            width=width,
            height=f'{height:.0f}',
            role='graphics-document document',
            aria_labelledby=f'{prefix}title',
            aria_describedby=f'{prefix}desc',
        )

    def _write(
        self, text: str, x: float, y: float, size: float, kind: str = ''
    ) -> None:
        self._parts.append(
            svg('text', text, x=x, y=y, font_size=size, class_=kind or None)
        )

    @property
    def _inner(self) -> float:
        return self._grid.width - 2 * geometry.MARGIN

    def _draw_head(self, title: str) -> float:
        left = geometry.MARGIN
        y = float(_TITLE)
        for line in wrap(title, _TITLE * _BOLD, self._inner):
            y += _TITLE + 3
            self._write(line, left, y, _TITLE, 'strong')
        y += _LINE
        text = say_host(self._occupancy.host)
        self._write(text, left, y, _TEXT + 1, 'muted')
        y += 16
        parts, height = draw_legend(
            self._occupancy, left, y, self._inner, self._prefix
        )
        self._parts += parts
        return y + height + 10

    def _draw_panels(
        self, y: float, notes: Mapping[int, Sequence[str]]
    ) -> float:
        grid = self._grid
        inner = grid.panel_width - 2 * geometry.PAD
        wrapped = {
            cell.id: [
                line
                for note in notes.get(cell.id, ())
                for line in wrap(clean(note), _TEXT, inner)
            ]
            for cell in self._cells
        }
        for first in range(0, len(self._cells), grid.panels):
            row = self._cells[first : first + grid.panels]
            tall = max(
                self._panel_height(cell, wrapped[cell.id]) for cell in row
            )
            for index, cell in enumerate(row):
                x = geometry.MARGIN + index * (grid.panel_width + geometry.GAP)
                self._draw_panel(cell, x, y, tall, wrapped[cell.id])
            y += tall + geometry.GAP
        return y

    def _panel_height(self, cell: HostCell, notes: Sequence[str]) -> float:
        return (
            geometry.PANEL_HEAD
            + self._grid.cell_size(self._groups[cell.id])[1]
            + 8
            + BAR_HEIGHT * len(self._occupancy.bars(cell))
            + (len(notes) * _LINE + 6 if notes else 0)
            + 8
        )

    def _draw_panel(
        self,
        cell: HostCell,
        x: float,
        y: float,
        height: float,
        notes: Sequence[str],
    ) -> None:
        width = self._grid.panel_width
        left = x + geometry.PAD
        right = x + width - geometry.PAD
        self._parts.append(
            svg(
                'rect',
                class_='panel',
                x=x,
                y=y,
                width=width,
                height=height,
                rx=8,
            )
        )
        self._write(f'Cell {cell.id}', left, y + 22, 14, 'strong')
        self._write(say_cell(cell), right, y + 22, _TEXT, 'muted end')
        top = y + geometry.PANEL_HEAD
        for row in self._grid.rows_of(self._groups[cell.id]):
            at = left
            for group, size in row:
                self._draw_group(group, at, top, size)
                at += size[0] + geometry.CACHE_GAP
            top += max(size[1] for _, size in row) + geometry.CACHE_GAP
        top += 2
        for bar in self._occupancy.bars(cell):
            self._parts.append(
                draw_bar(bar, left, top, right - left, self._prefix)
            )
            top += BAR_HEIGHT
        for line in notes:
            top += _LINE
            self._write(line, left, top - 4, _TEXT, 'alarm strong')

    def _draw_group(
        self, group: CoreGroup, x: float, y: float, size: tuple[float, int]
    ) -> None:
        if group.is_cache:
            self._parts.append(
                svg(
                    'rect',
                    class_='cache',
                    x=x,
                    y=y,
                    width=size[0],
                    height=size[1],
                    rx=5,
                )
            )
            text = shorten(_name_cache(group), 10, size[0] - 10)
            self._write(text, x + 8, y + 12.5, 10, 'muted')
            x += geometry.CACHE_PAD
            y += geometry.CACHE_HEAD
        gap = self._grid.scale.core_gap
        for index, core in enumerate(group.cores):
            down, across = divmod(index, self._grid.cores)
            width, height = self._grid.core
            self._parts.extend(
                self._draw_core(
                    [*core],
                    x + across * (width + gap),
                    y + down * (height + gap),
                )
            )

    def _draw_core(
        self, cpus: Sequence[int], x: float, y: float
    ) -> Iterator[etree._Element]:
        grid: Grid = self._grid
        scale = grid.scale
        if len(cpus) > 1:
            width, height = scale.core(len(cpus))
            yield svg(
                'rect',
                class_='core',
                x=x,
                y=y,
                width=width,
                height=height,
                rx=6,
            )
            x, y = x + 3, y + 3
        for index, cpu in enumerate(cpus):
            down, across = divmod(index, 4)
            yield draw_tile(
                self._occupancy,
                self._occupancy.spots[cpu],
                scale,
                (
                    x + across * (scale.tile[0] + scale.thread_gap),
                    y + down * (scale.tile[1] + scale.thread_gap),
                ),
                self._prefix,
            )

    def _draw_guests(self, y: float) -> float:
        """Write who the guests are and where their threads run."""
        occupants = self._occupancy.occupants
        inner = self._inner
        columns = 2 if len(occupants) > 4 and inner >= _TWO_COLUMNS else 1
        width = (inner - (columns - 1) * geometry.PAD * 2) / columns
        bottom = y
        per_column = -(-len(occupants) // columns)
        for column in range(columns):
            left = geometry.MARGIN + column * (width + geometry.PAD * 2)
            at = y
            for index in range(
                column * per_column,
                min((column + 1) * per_column, len(occupants)),
            ):
                at = self._draw_guest(index, left, at, width)
            bottom = max(bottom, at)
        return bottom

    def _draw_guest(
        self, index: int, left: float, y: float, width: float
    ) -> float:
        occupant = self._occupancy.occupants[index]
        y += _LINE + 2
        x = left
        if mark := letter(self._occupancy, index):
            self._write(mark, x, y, 13, 'strong')
            x += max(text_width(mark, 13), 13) + 8
        text = shorten(clean(occupant.name), 13 * _BOLD, left + width - x)
        self._write(text, x, y, 13, 'strong')
        said = f'{"; ".join(occupant.sentences())}.'
        for line in wrap(clean(said), _TEXT, left + width - x):
            y += _LINE - 1
            self._write(line, x, y, _TEXT, 'muted')
        return y + 6

    def _draw_remark(
        self, y: float, heading: str, lines: Iterable[str]
    ) -> float:
        left = geometry.MARGIN
        y += _LINE + 2
        self._write(heading, left, y, 13, 'strong')
        for line in lines:
            for part in wrap(clean(line), _TEXT, self._inner):
                y += _LINE
                self._write(part, left, y, _TEXT)
        return y + 6


def _name_cache(group: CoreGroup) -> str:
    name = 'L3' if group.bank is None else f'L3 {group.bank}'
    if group.size_kib:
        name += f', {say_size(group.size_kib)}'
    return name

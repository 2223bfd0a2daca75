# SPDX-License-Identifier: Apache-2.0
"""How large the parts of a topology picture are, and where they stand."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rtvirt.report.occupancy import CoreGroup

MAX_WIDTH: Final = 1280
MIN_WIDTH: Final = 760
MARGIN: Final = 24
GAP: Final = 16
"""Between panels."""
PAD: Final = 14
"""Between a panel's edge and what is in it."""
CACHE_GAP: Final = 12
CACHE_PAD: Final = 7
CACHE_HEAD: Final = 17
PANEL_HEAD: Final = 34
LEAST_PANEL: Final = 250
"""What a line about pages takes."""
_SHAPE: Final = 1.55
"""Width to height of a picture that a screen shows well."""
_OVERHEAD: Final = 190
"""The height of title, legend, pages and guests, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes in pixels that depend on how much is to be shown.

    :ivar words: whether a tile has room for a word.
    """

    tile: tuple[float, int]
    id_size: float
    label_size: float
    core_gap: int
    words: bool = False

    @property
    def thread_gap(self) -> int:
        """Between the threads of a core."""
        return 2

    def core(self, threads: int) -> tuple[float, int]:
        """Return the size of a core with its frame."""
        across = min(threads, 4)
        down = -(-threads // 4)
        frame = 6 if threads > 1 else 0
        return (
            across * (self.tile[0] + self.thread_gap)
            - self.thread_gap
            + frame,
            down * (self.tile[1] + self.thread_gap) - self.thread_gap + frame,
        )


LARGE: Final = Scale(
    tile=(62, 50), id_size=11, label_size=13, core_gap=8, words=True
)
MEDIUM: Final = Scale(tile=(44, 40), id_size=10, label_size=13, core_gap=7)
SMALL: Final = Scale(tile=(32, 31), id_size=9, label_size=11, core_gap=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """How everything is arranged.

    :ivar panels: cells beside each other.
    :ivar groups: caches beside each other in a cell.
    :ivar cores: cores beside each other in a cache.
    :ivar core: size of a core.
    :ivar width: of the whole picture.
    """

    scale: Scale
    panels: int
    groups: int
    cores: int
    core: tuple[float, int]
    width: int = MIN_WIDTH

    def group_size(self, number: int, *, framed: bool) -> tuple[float, int]:
        """Return the size of so many cores.

        :param framed: whether they have a frame and a heading.
        """
        gap = self.scale.core_gap
        across = min(number, self.cores)
        down = -(-number // self.cores)
        width = across * (self.core[0] + gap) - gap
        height = down * (self.core[1] + gap) - gap
        if framed:
            width += 2 * CACHE_PAD
            height += CACHE_HEAD + CACHE_PAD
        return width, height

    def rows_of(
        self, groups: Sequence[CoreGroup]
    ) -> list[list[tuple[CoreGroup, tuple[float, int]]]]:
        """Return the groups of a cell with their sizes, row by row."""
        sized = [
            (group, self.group_size(len(group.cores), framed=group.is_cache))
            for group in groups
            if group.cores
        ]
        return [
            sized[first : first + self.groups]
            for first in range(0, len(sized), self.groups)
        ]

    def cell_size(self, groups: Sequence[CoreGroup]) -> tuple[float, int]:
        """Return the size of all groups of a cell."""
        width: float = 0
        height = 0
        for row in self.rows_of(groups):
            across = sum(size[0] + CACHE_GAP for _, size in row) - CACHE_GAP
            width = max(width, across)
            height += max(size[1] for _, size in row) + CACHE_GAP
        return width, max(0, height - CACHE_GAP)

    @property
    def panel_width(self) -> float:
        """What the panels share of the picture's width, each."""
        inner = self.width - 2 * MARGIN - (self.panels - 1) * GAP
        return inner / self.panels


def choose_grid(cells: Sequence[Sequence[CoreGroup]]) -> Grid:
    """Return the arrangement that suits a screen best.

    :param cells: of each cell its groups of cores.
    """
    cores = [core for groups in cells for g in groups for core in g.cores]
    scale = _choose_scale(sum(map(len, cores)))
    core = scale.core(max(map(len, cores), default=1))
    most_groups = max(map(len, cells), default=1)
    most_cores = max(
        (len(g.cores) for groups in cells for g in groups), default=1
    )
    grids = [
        Grid(
            scale=scale, panels=panels, groups=groups, cores=across, core=core
        )
        for panels, groups, across in itertools.product(
            _divisions(len(cells), 8),
            _divisions(most_groups, 16),
            _divisions(most_cores, 32),
        )
    ]
    return _justify(min(grids, key=lambda grid: _judge(grid, cells)), cells)


def _justify(grid: Grid, cells: Sequence[Sequence[CoreGroup]]) -> Grid:
    """Return the grid with tiles as wide as the picture has room for."""
    width = max(MIN_WIDTH, _width_of(grid, cells))
    grid = dataclasses.replace(grid, width=width)
    spare = grid.panel_width - 2 * PAD - _content_width(grid, cells)
    threads = max(
        (len(core) for groups in cells for g in groups for core in g.cores),
        default=1,
    )
    across = max(1, grid.groups * grid.cores * min(threads, 4))
    tile = grid.scale.tile
    more = min(max(spare, 0) / across, tile[0])
    scale = dataclasses.replace(grid.scale, tile=(tile[0] + more, tile[1]))
    return dataclasses.replace(grid, scale=scale, core=scale.core(threads))


def _content_width(grid: Grid, cells: Sequence[Sequence[CoreGroup]]) -> float:
    return max((grid.cell_size(groups)[0] for groups in cells), default=0)


def _width_of(grid: Grid, cells: Sequence[Sequence[CoreGroup]]) -> int:
    panel = max(LEAST_PANEL, math.ceil(_content_width(grid, cells))) + 2 * PAD
    return panel * grid.panels + GAP * (grid.panels - 1) + 2 * MARGIN


def _judge(grid: Grid, cells: Sequence[Sequence[CoreGroup]]) -> float:
    """Return how bad the picture would look."""
    tall = max((grid.cell_size(groups)[1] for groups in cells), default=0)
    rows = -(-len(cells) // grid.panels)
    height = rows * (tall + PANEL_HEAD + 90) + _OVERHEAD
    width = _width_of(grid, cells)
    wide = max(width, MIN_WIDTH)
    # Empty places at the right edge and in grids, and what no screen is
    # wide enough for.
    cost = abs(math.log(wide / height / _SHAPE)) + 0.5 * (1 - width / wide)
    cost += _emptiness(len(cells), grid.panels)
    cost += max((_emptiness(len(g), grid.groups) for g in cells), default=0)
    cost += max(
        (_emptiness(len(one.cores), grid.cores) for g in cells for one in g),
        default=0,
    )
    return cost + (10 * width / MAX_WIDTH if width > MAX_WIDTH else 0)


def _emptiness(number: int, columns: int) -> float:
    """Return what it costs that a part of a grid stays empty."""
    columns = min(number, columns) or 1
    return 3 - 3 * number / (-(-number // columns) * columns or 1)


def _choose_scale(cpus: int) -> Scale:
    if cpus <= 32:
        return LARGE
    return MEDIUM if cpus <= 144 else SMALL


def _divisions(number: int, most: int) -> list[int]:
    """Return in how many columns so many things stand without a gap."""
    found = [n for n in range(1, min(number, most) + 1) if number % n == 0]
    # A prime number of things, say: better a gap than one long row.
    if len(found) <= 2 < number:
        found += range(2, min(number, most))
    return found or [1]

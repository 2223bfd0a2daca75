# SPDX-License-Identifier: Apache-2.0
"""The same map of a host for a terminal, in letters and colours."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

from rich.text import Text

from rtvirt.model.host_cell import HostCell
from rtvirt.report.occupancy import CoreGroup
from rtvirt.report.occupancy import Occupancy
from rtvirt.report.occupancy import PageBar
from rtvirt.report.occupancy import Spot
from rtvirt.report.occupancy import Use
from rtvirt.report.occupancy import core_groups
from rtvirt.report.words import count
from rtvirt.report.words import letter
from rtvirt.report.words import say_cell
from rtvirt.report.words import say_pages
from rtvirt.report.words import say_size
from rtvirt.report.words import say_use

_SIGNS: Final = {
    Use.HOUSEKEEPING: 'host',
    Use.SHARED: '~',
    Use.FREE: '.',
    Use.TAKEN: 'x',
    Use.IDLE: '_',
    Use.EMULATOR: 'emu',
    Use.CONTESTED: '!!',
}
_STYLES: Final = {
    Use.HOUSEKEEPING: 'dim',
    Use.SHARED: 'cyan',
    Use.FREE: 'green',
    Use.TAKEN: 'dim',
    Use.IDLE: 'dim',
    Use.EMULATOR: 'yellow',
    Use.VCPU: 'bold blue',
    Use.REALTIME: 'bold red',
    Use.CONTESTED: 'bold magenta',
}
_INDENT: Final = 10
_BAR: Final = 24


def draw_map(occupancy: Occupancy, width: int) -> Iterator[Text]:
    """Yield the lines of a map, each no longer than ``width``.

    Cells on which no guest of the map has a thread or memory are counted
    and not drawn, where there are others.
    """
    cells = occupancy.host.cells
    drawn = [cell for cell in cells if _is_used(occupancy, cell)] or cells
    spots = [occupancy.spots[cpu] for cell in drawn for cpu in cell.cpus]
    column = 1 + max(
        (
            max(len(str(spot.cpu)), len(_sign(occupancy, spot)))
            for spot in spots
        ),
        default=0,
    )
    for cell in drawn:
        head = Text(f'Host cell {cell.id}', 'bold')
        yield head.append(f'  {say_cell(cell)}', 'not bold dim')
        for group in core_groups(occupancy.host, cell):
            yield from _draw_group(occupancy, group, column, width)
        for bar in occupancy.bars(cell):
            yield _draw_bar(bar, width)
        yield Text()
    if left := len(cells) - len(drawn):
        yield Text(f'{count(left, "more cell")} without a part of it', 'dim')
    yield from _legend(occupancy, spots, width)


def _is_used(occupancy: Occupancy, cell: HostCell) -> bool:
    planned = {
        index
        for index, one in enumerate(occupancy.occupants)
        if one.is_planned
    }
    return any(bar.planned for bar in occupancy.bars(cell)) or any(
        occupancy.spots[cpu].occupant in planned for cpu in cell.cpus
    )


def _draw_group(
    occupancy: Occupancy, group: CoreGroup, column: int, width: int
) -> Iterator[Text]:
    """Yield pairs of lines: numbers above, who is there below.

    :param column: the width of a pCPU.
    """
    name = 'L3' if group.bank is None else f'L3 {group.bank}'
    label = name if group.is_cache else ''
    core_width = max(map(len, group.cores), default=1) * column + 2
    across = max(1, (width - _INDENT) // core_width)
    for first in range(0, len(group.cores), across):
        upper = Text(f'  {label:<{_INDENT - 2}}', 'dim')
        lower = Text(' ' * _INDENT)
        label = ''
        for index, core in enumerate(group.cores[first : first + across]):
            if index:
                upper.append('| ', 'dim')
                lower.append('| ', 'dim')
            for cpu in core:
                spot = occupancy.spots[cpu]
                sign = _sign(occupancy, spot)
                upper.append(f'{cpu:<{column}}', 'dim')
                lower.append(f'{sign:<{column}}', _STYLES[spot.use])
        yield _stripped(upper)
        yield _stripped(lower)


def _sign(occupancy: Occupancy, spot: Spot) -> str:
    who = letter(occupancy, spot.occupant)
    if spot.use in (Use.VCPU, Use.REALTIME):
        sign = f'{who or "v"}{spot.vcpus[0].number}'
    else:
        sign = who if who and spot.use is Use.TAKEN else _SIGNS[spot.use]
    return (
        sign
        + ('*' if spot.use is Use.REALTIME else '')
        + ('+' if spot.helpers and spot.vcpus else '')
    )


def _draw_bar(bar: PageBar, width: int) -> Text:
    pool = bar.pool
    total = max(1, pool.total)
    line = Text(f'  {say_size(pool.size_kib):<{_INDENT - 2}}[')
    used = min(_BAR, -(-_BAR * (pool.used + pool.reserved) // total))
    planned = min(_BAR - used, -(-_BAR * bar.planned // total))
    line.append('x' * used, 'dim')
    line.append('#' * planned, 'bold blue')
    line.append('.' * (_BAR - used - planned), 'green')
    line.append(f']  {say_pages(bar)}')
    line.truncate(width)
    return line


def _legend(
    occupancy: Occupancy, spots: Sequence[Spot], width: int
) -> Iterator[Text]:
    """Yield what the signs mean, as many beside each other as fit."""
    uses = {spot.use for spot in spots}
    entries = [
        (f'{sign} {say_use(use, occupancy.host)}', _STYLES[use])
        for use, sign in _SIGNS.items()
        if use in uses and use is not Use.HOUSEKEEPING
    ]
    if Use.REALTIME in uses:
        entries.append(('* real-time', _STYLES[Use.REALTIME]))
    if any(spot.helpers and spot.vcpus for spot in spots):
        entries.append(('+ emulator or I/O threads, too', ''))
    if len(occupancy.occupants) > 1:
        entries += [
            (f'{letter(occupancy, index)} {one.name}', '')
            for index, one in enumerate(occupancy.occupants)
        ]
    line = Text()
    for text, style in entries:
        if line and len(line) + len(text) + 3 > width:
            yield line
            line = Text()
        line.append('   ' if line else '')
        line.append(_printable(text)[:width], style)
    if line:
        yield line


def _printable(text: str) -> str:
    return ''.join(char if char.isprintable() else '?' for char in text)


def _stripped(line: Text) -> Text:
    line.rstrip()
    return line

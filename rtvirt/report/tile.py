# SPDX-License-Identifier: Apache-2.0
"""The smallest parts of a topology picture: a pCPU, a bar of pages."""

from __future__ import annotations

from typing import Final

from lxml import etree

from rtvirt.model.observed import ThreadRole
from rtvirt.report.geometry import Scale
from rtvirt.report.markup import svg
from rtvirt.report.occupancy import Occupancy
from rtvirt.report.occupancy import PageBar
from rtvirt.report.occupancy import Spot
from rtvirt.report.occupancy import Use
from rtvirt.report.words import letter
from rtvirt.report.words import say_pages
from rtvirt.report.words import say_size
from rtvirt.report.words import say_spot

VEILS: Final = {
    Use.TAKEN: 'hatch',
    Use.SHARED: 'dots',
    Use.EMULATOR: 'stripes',
    Use.CONTESTED: 'hatch',
}
"""The pattern over a use, for those who see no colour."""

HELPERS: Final = {
    ThreadRole.EMULATOR: 'h-emulator',
    ThreadRole.IOTHREAD: 'h-iothread',
}
"""The class of the mark for each kind of thread beside the vCPUs."""

BAR_HEIGHT: Final = 34

Box = tuple[float, float, float, float]
"""Left, top, width and height in pixels."""

_BOLT: Final = 'M4.6 0 0 5.6h2.9L1.9 10 6.6 4.2H3.6z'
_STRIP: Final = 5


def patterns(prefix: str) -> etree._Element:
    """Return the definitions that veils need.

    :param prefix: what their ids begin with; unique in a page.
    """
    small: dict[str, str | int] = {'patternUnits': 'userSpaceOnUse'}
    return svg(
        'defs',
        svg(
            'pattern',
            svg('path', d='M0 0v6', class_='hatch', stroke_width=2.2),
            id=f'{prefix}hatch',
            width=6,
            height=6,
            patternTransform='rotate(45)',
            **small,
        ),
        svg(
            'pattern',
            svg('path', d='M1 0v5', class_='hatch', stroke_width=0.8),
            id=f'{prefix}stripes',
            width=5,
            height=5,
            **small,
        ),
        svg(
            'pattern',
            svg('circle', cx=1.5, cy=1.5, r=0.75, class_='dots'),
            id=f'{prefix}dots',
            width=6,
            height=6,
            **small,
        ),
    )


def swatch(use: Use, box: Box, prefix: str) -> list[etree._Element]:
    """Return a rectangle that shows a use, and the veil over it."""
    x, y, width, height = box
    place = {'x': x, 'y': y, 'width': width, 'height': height, 'rx': 3}
    made = [svg('rect', class_=f'tile u-{use}', **place)]
    if veil := VEILS.get(use):
        made.append(
            svg('rect', class_='veil', fill=f'url(#{prefix}{veil})', **place)
        )
    return made


def bolt(use: Use, x: float, y: float, size: float) -> etree._Element:
    """Return the mark of a real-time vCPU."""
    factor = f'{size / 10:.2f}'
    where = f'translate({x:.1f} {y:.1f}) scale({factor})'
    return svg('path', d=_BOLT, class_=f'on-{use}', transform=where)


def draw_tile(
    occupancy: Occupancy,
    spot: Spot,
    scale: Scale,
    place: tuple[float, float],
    prefix: str,
) -> etree._Element:
    """Return a pCPU: its number, what is on it, and who else may be.

    :param place: of its upper left corner.
    """
    x, y = place
    width, height = scale.tile
    ink = f'on-{spot.use}'
    made = svg(
        'g',
        svg('title', say_spot(occupancy, spot)),
        *swatch(spot.use, (x, y, width, height), prefix),
        svg(
            'text',
            str(spot.cpu),
            x=x + 4,
            y=y + scale.id_size + 2.5,
            class_=ink,
            font_size=scale.id_size,
        ),
        role='img',
    )
    if text := _label(occupancy, spot, scale):
        middle = y + scale.id_size + (height - scale.id_size) / 2
        made.append(
            svg(
                'text',
                text,
                x=x + width / 2,
                y=middle + scale.label_size * 0.33,
                class_=f'strong mid {ink}',
                font_size=scale.label_size,
            )
        )
    if spot.use is Use.REALTIME:
        size = scale.id_size - 0.5
        made.append(bolt(spot.use, x + width - size * 0.66 - 3, y + 3, size))
    made.extend(_strips(spot, (x, y, width, height)))
    return made


def _label(occupancy: Occupancy, spot: Spot, scale: Scale) -> str:
    who = letter(occupancy, spot.occupant)
    if spot.use in (Use.VCPU, Use.REALTIME):
        number = spot.vcpus[0].number
        if who:
            return f'{who}{number}'
        return f'vCPU {number}' if scale.words else f'v{number}'
    if spot.use is Use.CONTESTED:
        return f'{len(spot.vcpus)} !'
    if spot.use is Use.EMULATOR:
        return f'{who} emu' if scale.words else 'emu'
    if scale.words:
        return f'{who} {spot.word}' if who else spot.word
    return who


def _strips(spot: Spot, box: Box) -> list[etree._Element]:
    """Return the marks of the threads that may run beside the vCPU."""
    x, y, width, height = box
    classes = [name for role, name in HELPERS.items() if spot.has_helper(role)]
    if not classes:
        return []
    part = (width - 4) / len(classes)
    return [
        svg(
            'rect',
            class_=name,
            x=x + 2 + index * part,
            y=y + height - _STRIP - 1,
            width=part,
            height=_STRIP,
            rx=1.5 if name == HELPERS[ThreadRole.EMULATOR] else None,
        )
        for index, name in enumerate(classes)
    ]


def draw_bar(
    bar: PageBar, x: float, y: float, width: float, prefix: str
) -> etree._Element:
    """Return the pages of one size: a line of text and a bar."""
    pool = bar.pool
    size = say_size(pool.size_kib)
    text = say_pages(bar)
    made = svg(
        'g',
        svg('title', f'Pages of {size}: {text}'),
        svg('text', f'{size} pages', x=x, y=y + 11, font_size=11),
        svg(
            'text',
            text,
            x=x + width,
            y=y + 11,
            font_size=11,
            class_='muted end',
        ),
        role='img',
    )
    parts = [
        (Use.TAKEN, min(pool.used, pool.total)),
        (Use.HOUSEKEEPING, min(pool.reserved, pool.total)),
        (Use.VCPU, bar.planned),
        (Use.FREE, bar.free),
    ]
    total = max(1, sum(number for _, number in parts))
    left = x
    for use, number in parts:
        if number:
            part = width * number / total
            made.extend(swatch(use, (left, y + 16, part, 9), prefix))
            left += part
    return made

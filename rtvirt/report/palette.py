# SPDX-License-Identifier: Apache-2.0
"""The colours of pictures: on light paper, on dark, and in grey.

Texts reach a contrast of 4.5 to what they stand on, lines and marks 3
(WCAG 2.1, 1.4.3 and 1.4.11). No meaning hangs on a colour alone: uses also
differ in lightness, in their pattern or by a mark, and in what is written.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rtvirt.report.occupancy import Use


class Theme(enum.StrEnum):
    """How a picture is coloured."""

    COLOUR = 'colour'
    """On light paper, or on dark where the viewer prefers that."""
    GREY = 'grey'
    """For print: no colour, on white."""


@dataclass(frozen=True, slots=True)
class Tone:
    """How one thing is coloured.

    :ivar ink: of what is written on it.
    :ivar line: of its edge.
    """

    fill: str
    line: str
    ink: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """All colours of a picture.

    :ivar paper: what everything stands on.
    :ivar panel: a cell of the host.
    :ivar cache: a cache of a cell.
    :ivar core: a core of a cache.
    :ivar muted: what is written small on paper or panel.
    :ivar alarm: what is wrong, on paper or panel.
    :ivar hatch: lines of patterns over what is taken, shared and the like.
    :ivar helpers: the marks of emulator and of I/O threads.
    """

    paper: Tone
    panel: Tone
    cache: Tone
    core: Tone
    muted: str
    alarm: str
    hatch: str
    helpers: tuple[str, str]
    uses: Mapping[Use, Tone]


LIGHT: Final = Palette(
    paper=Tone('#ffffff', '#d3d8de', '#1b2027'),
    panel=Tone('#f5f6f8', '#d3d8de', '#1b2027'),
    cache=Tone('#ffffff', '#a9b2bd', '#1b2027'),
    core=Tone('#e6e9ed', '#c4cad2', '#1b2027'),
    muted='#565f6b',
    alarm='#a11212',
    hatch='#aab2bd',
    helpers=('#8a5a00', '#00705a'),
    uses={
        Use.HOUSEKEEPING: Tone('#e1e4e9', '#bcc3cc', '#3d444d'),
        Use.SHARED: Tone('#dceef9', '#7fb4d3', '#0b4a6b'),
        Use.FREE: Tone('#ffffff', '#4a9e88', '#005c45'),
        Use.TAKEN: Tone('#cdd2d9', '#98a1ad', '#22272e'),
        Use.IDLE: Tone('#faf6ec', '#a3946b', '#5d5233'),
        Use.EMULATOR: Tone('#f6d776', '#b98e10', '#463700'),
        Use.VCPU: Tone('#74b7ea', '#2d7ab4', '#06263d'),
        Use.REALTIME: Tone('#a93800', '#7d2900', '#ffffff'),
        Use.CONTESTED: Tone('#5b0f4a', '#2f0526', '#ffffff'),
    },
)

DARK: Final = Palette(
    paper=Tone('#12161b', '#3a444f', '#e8ecf1'),
    panel=Tone('#1a2027', '#3a444f', '#e8ecf1'),
    cache=Tone('#12161b', '#56616d', '#e8ecf1'),
    core=Tone('#252c35', '#48535f', '#e8ecf1'),
    muted='#a3adb9',
    alarm='#ff9a94',
    hatch='#6d7885',
    helpers=('#ffcf5c', '#3fd6b0'),
    uses={
        Use.HOUSEKEEPING: Tone('#2b323b', '#48535f', '#c6cfd9'),
        Use.SHARED: Tone('#173b52', '#3a7fa8', '#c6e6f8'),
        Use.FREE: Tone('#12161b', '#2fc49b', '#8be8cc'),
        Use.TAKEN: Tone('#454e59', '#7a8592', '#f1f4f7'),
        Use.IDLE: Tone('#24211a', '#857a54', '#d3c9a8'),
        Use.EMULATOR: Tone('#745700', '#c79a1c', '#fff3cc'),
        Use.VCPU: Tone('#2a72ae', '#62a9e0', '#ffffff'),
        Use.REALTIME: Tone('#ff9b57', '#ffc79e', '#2b1000'),
        Use.CONTESTED: Tone('#f3b6e4', '#ffe0f7', '#32062a'),
    },
)

GREY: Final = Palette(
    paper=Tone('#ffffff', '#c8c8c8', '#111111'),
    panel=Tone('#f6f6f6', '#c8c8c8', '#111111'),
    cache=Tone('#ffffff', '#a6a6a6', '#111111'),
    core=Tone('#e8e8e8', '#c4c4c4', '#111111'),
    muted='#555555',
    alarm='#111111',
    hatch='#9c9c9c',
    helpers=('#3a3a3a', '#767676'),
    uses={
        Use.HOUSEKEEPING: Tone('#dedede', '#b4b4b4', '#333333'),
        Use.SHARED: Tone('#efefef', '#8f8f8f', '#333333'),
        Use.FREE: Tone('#ffffff', '#7d7d7d', '#111111'),
        Use.TAKEN: Tone('#cccccc', '#8f8f8f', '#222222'),
        Use.IDLE: Tone('#fafafa', '#8a8a8a', '#444444'),
        Use.EMULATOR: Tone('#d6d6d6', '#6a6a6a', '#222222'),
        Use.VCPU: Tone('#a9a9a9', '#5c5c5c', '#111111'),
        Use.REALTIME: Tone('#2b2b2b', '#000000', '#ffffff'),
        Use.CONTESTED: Tone('#000000', '#000000', '#ffffff'),
    },
)

FONT: Final = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, '
    '"DejaVu Sans", sans-serif'
)

_SHAPES: Final = f"""\
.rt {{ font-family: {FONT}; font-variant-numeric: tabular-nums; }}
svg.rt {{ max-width: 100%; height: auto; }}
.rt text {{ stroke: none; }}
.rt .strong {{ font-weight: 600; }}
.rt .tile {{ stroke-width: 1; }}
.rt .tile.u-idle {{ stroke-dasharray: 3 2; }}
.rt .core, .rt .cache {{ stroke-width: 1; }}
.rt .veil {{ stroke: none; }}
.rt .mid {{ text-anchor: middle; }}
.rt .end {{ text-anchor: end; }}
"""


def style_of(theme: Theme) -> str:
    """Return the style sheet of a picture."""
    if theme is Theme.GREY:
        return _SHAPES + ''.join(rules(GREY))
    dark = ''.join(f'  {rule}' for rule in rules(DARK))
    return (
        f'{_SHAPES}{"".join(rules(LIGHT))}'
        f'@media (prefers-color-scheme: dark) {{\n{dark}}}\n'
    )


def rules(palette: Palette) -> Iterator[str]:
    """Yield the rules that colour a picture, a line each."""
    paper = palette.paper
    yield f'.rt .paper {{ fill: {paper.fill}; stroke: none; }}\n'
    for name in ('panel', 'cache', 'core'):
        tone: Tone = getattr(palette, name)
        yield f'.rt .{name} {{ fill: {tone.fill}; stroke: {tone.line}; }}\n'
    yield f'.rt text {{ fill: {paper.ink}; }}\n'
    yield f'.rt text.muted {{ fill: {palette.muted}; }}\n'
    yield f'.rt text.alarm {{ fill: {palette.alarm}; }}\n'
    yield f'.rt .hatch {{ stroke: {palette.hatch}; fill: none; }}\n'
    yield f'.rt .dots {{ fill: {palette.hatch}; }}\n'
    emulator, iothread = palette.helpers
    edge = f'stroke: {paper.fill}; stroke-width: 0.7'
    yield f'.rt .h-emulator {{ fill: {emulator}; {edge}; }}\n'
    yield f'.rt .h-iothread {{ fill: {iothread}; {edge}; }}\n'
    for use, tone in palette.uses.items():
        yield (
            f'.rt .u-{use} {{ fill: {tone.fill}; stroke: {tone.line}; }} '
            f'.rt .on-{use}, .rt text.on-{use} {{ fill: {tone.ink}; }}\n'
        )

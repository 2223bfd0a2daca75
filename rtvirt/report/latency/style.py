# SPDX-License-Identifier: Apache-2.0
"""The style sheets of charts and of the page, and the page's script."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Final

from rtvirt.report.occupancy import Use
from rtvirt.report.palette import DARK
from rtvirt.report.palette import FONT
from rtvirt.report.palette import GREY
from rtvirt.report.palette import LIGHT
from rtvirt.report.palette import Palette
from rtvirt.report.palette import Theme

_SHAPES: Final = f"""\
.rt {{ font-family: {FONT}; font-variant-numeric: tabular-nums; }}
svg.rt {{ max-width: 100%; height: auto; }}
.chart .strong, .rt .strong {{ font-weight: 600; }}
.chart .grid, .chart .base {{ fill: none; stroke-width: 1; }}
.chart .budget {{ fill: none; stroke-width: 1.5; stroke-dasharray: 5 3; }}
.chart .halo {{ paint-order: stroke; stroke-width: 3; }}
.chart .overflow {{ stroke-width: 1.5; stroke-dasharray: 3 2; }}
.rt .mid, .chart .mid {{ text-anchor: middle; }}
.rt .end, .chart .end {{ text-anchor: end; }}
"""


def chart_style(theme: Theme = Theme.COLOUR) -> str:
    """Return the style sheet of charts."""
    if theme is Theme.GREY:
        return _SHAPES + ''.join(_rules(GREY))
    dark = ''.join(f'  {rule}' for rule in _rules(DARK))
    return (
        f'{_SHAPES}{"".join(_rules(LIGHT))}'
        f'@media (prefers-color-scheme: dark) {{\n{dark}}}\n'
    )


def read_static(name: str) -> str:
    """Return a file that lies beside this module: the page's own parts."""
    return resources.files(__package__).joinpath(name).read_text('utf-8')


def _rules(palette: Palette) -> Iterator[str]:
    """Yield the rules that colour charts, a line each."""
    paper = palette.paper
    bars = palette.uses[Use.VCPU].line
    over = palette.uses[Use.REALTIME].fill
    yield f'.rt > .paper {{ fill: {paper.fill}; }}\n'
    for where in ('.rt', '.chart'):
        yield f'{where} text {{ fill: {paper.ink}; }}\n'
        yield f'{where} text.muted {{ fill: {palette.muted}; }}\n'
        yield f'{where} text.alarm {{ fill: {palette.alarm}; }}\n'
    yield f'.chart .grid {{ stroke: {paper.line}; }}\n'
    yield f'.chart .base {{ stroke: {palette.muted}; }}\n'
    yield f'.chart .bars {{ fill: {bars}; }}\n'
    yield f'.chart .over {{ fill: {over}; }}\n'
    yield f'.chart .overflow {{ fill: {over}; stroke: {paper.ink}; }}\n'
    yield f'.chart .budget {{ stroke: {palette.alarm}; }}\n'
    yield f'.chart text.budget-text {{ fill: {palette.alarm}; }}\n'
    yield f'.chart .mark {{ fill: {paper.ink}; }}\n'
    yield f'.chart .halo {{ stroke: {paper.fill}; }}\n'

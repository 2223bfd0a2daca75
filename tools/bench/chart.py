# SPDX-License-Identifier: Apache-2.0
"""The measured ratios as one SVG: a bar a row, the gate a tick on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Iterable
from xml.sax.saxutils import escape

from tools.bench.row import Row

_WIDTH = 980
_LEFT = 400
_RIGHT = 90
_LINE = 20
_MET = '#2a7f62'
_MISSED = '#b3382c'
_STYLE = (
    'text{font:12px system-ui,sans-serif;fill:#1d2630}'
    '.h{font-weight:600;font-size:14px}.t{font-size:18px;font-weight:600}'
    '.a{fill:#66727f;font-size:11px}'
)


def draw(rows: Iterable[Row], title: str) -> str:
    """Return the SVG of all rows that are ratios of times.

    The axis is logarithmic, from 1 to the next power of ten above the
    largest ratio.
    """
    shown = [row for row in rows if row.at_least and row.unit == 'x']
    # A section's rows stand together, wherever they were measured.
    sections = list(dict.fromkeys(row.section for row in shown))
    shown.sort(key=lambda row: sections.index(row.section))
    top = max((row.value for row in shown), default=10)
    decades = max(1, math.ceil(math.log10(top)))
    span = _WIDTH - _LEFT - _RIGHT

    def at(value: float) -> float:
        return _LEFT + span * math.log10(max(value, 1)) / decades

    body: list[str] = []
    y = 44
    section = ''
    for row in shown:
        if row.section != section:
            section = row.section
            y += 14
            body.append(_text(16, y + 14, section, 'h'))
            y += _LINE + 4
        body.extend(_bar(row, y, at))
        y += _LINE
    axis = []
    for decade in range(decades + 1):
        x = at(10**decade)
        axis.append(
            f'<path d="M{x:.1f} 48V{y}" stroke="#dfe4e8"/>'
            + _text(x, y + 16, f'{10**decade:,}x', 'a', 'middle')
        )
    foot = 'times faster than nova, logarithmic; the tick is the gate'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" '
        f'height="{y + 44}" viewBox="0 0 {_WIDTH} {y + 44}">'
        f'<style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        + _text(16, 30, title, 't')
        + ''.join(axis)
        + ''.join(body)
        + _text(_LEFT, y + 34, foot, 'a')
        + '</svg>\n'
    )


def _bar(row: Row, y: int, at: Callable[[float], float]) -> list[str]:
    end = at(row.value)
    gate = at(row.at_least or 1)
    colour = _MET if row.is_met else _MISSED
    value = f'{row.value:,.0f}x' if row.value >= 10 else f'{row.value:.1f}x'
    bar = (
        f'<rect x="{_LEFT}" y="{y + 3}" width="{end - _LEFT:.1f}" '
        f'height="13" rx="2" fill="{colour}"/>'
    )
    tick = (
        f'<path d="M{gate:.1f} {y + 1}v17" stroke="#1d2630" '
        'stroke-width="1.5"/>'
    )
    return [
        _text(_LEFT - 8, y + 13, row.case, '', 'end'),
        bar,
        tick,
        _text(max(end, gate) + 6, y + 13, value, ''),
    ]


def _text(
    x: float, y: float, text: str, kind: str, anchor: str = 'start'
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" class="{kind}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )

# SPDX-License-Identifier: Apache-2.0
"""The lines as text for a terminal and as JSON for a file."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from tools.bench.row import Row


def environment() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        'python': platform.python_version(),
        'machine': platform.machine(),
        'nova': metadata.version('nova'),
        'lxml': metadata.version('lxml'),
        'rtvirt': metadata.version('rtvirt'),
    }


def line(row: Row) -> str:
    """Return one line of the terminal report."""
    verdict = 'met' if row.is_met else 'MISSED'
    text = f'  {row.case:<52} {_number(row.value):>9}{row.unit}'
    if row.ratio is not None:
        ratio = row.ratio
        text += (
            f'  {_number(ratio.low)}..{_number(ratio.high)}'
            f'  ({_us(ratio.slow_us)} / {_us(ratio.fast_us)})'
        )
    if row.note:
        text += f'  {row.note}'
    if row.problem:
        text += f'  PROBLEM: {row.problem}'
    return f'{text}  [{row.gate} {verdict}]' if row.gate else text


def summary(rows: Iterable[Row]) -> str:
    """Return the closing lines: each section's tightest line."""
    sections: dict[str, list[Row]] = {}
    for row in rows:
        sections.setdefault(row.section, []).append(row)
    lines = []
    for section, members in sections.items():
        missed = [row for row in members if not row.is_met]
        verdict = f'{len(missed)} MISSED' if missed else 'all met'
        worst = min(members, key=_margin)
        lines.append(
            f'  {section:<42} {len(members):>3} rows, {verdict}; tightest '
            f'{_number(worst.value)}{worst.unit} against {worst.gate}'
        )
    return '\n'.join(lines)


def write_json(rows: Iterable[Row], path: Path) -> None:
    """Save all lines with their environment."""
    document = {
        'schema_version': 1,
        'environment': environment(),
        'rows': [row.to_dict() for row in rows],
    }
    path.write_text(json.dumps(document, indent=1) + '\n')


def _margin(row: Row) -> float:
    """Return how far inside its gate a line is, as a factor."""
    if row.at_least is not None:
        return row.value / row.at_least
    if row.at_most is not None:
        return row.at_most / max(row.value, 1e-9)
    return float('inf')


def _number(value: float) -> str:
    return f'{value:,.0f}' if abs(value) >= 100 else f'{value:.3g}'


def _us(value: float) -> str:
    if value >= 1e6:
        return f'{value / 1e6:.2f} s'
    if value >= 1e3:
        return f'{value / 1e3:.2f} ms'
    return f'{value:.1f} us'

# SPDX-License-Identifier: Apache-2.0
"""hwlatdetect: how long the hardware stops a CPU with interrupts off.

A sample is one window. It records those above its threshold; all others are
the underflow.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from rtvirt.latency.histogram import Histogram
from rtvirt.latency.parsers.base import LatencyParser
from rtvirt.latency.parsers.base import Lines
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.result import Tool

_TITLE: Final = re.compile(
    r'^hwlatdetect: +test duration ([0-9]{1,9}) seconds', re.MULTILINE
)
_FIELDS: Final = {
    'duration': _TITLE,
    'threshold': re.compile(r' *Latency threshold: *([0-9]{1,12})us'),
    'window': re.compile(r' *Sample window: *([0-9]{1,12})us'),
    'maximum': re.compile(
        r'Max Latency: *(?:Below threshold|([0-9]{1,12})us)'
    ),
    'recorded': re.compile(r'Samples recorded: *([0-9]{1,12})'),
    'exceeding': re.compile(r'Samples exceeding threshold: *([0-9]{1,12})'),
}
_SAMPLE: Final = re.compile(
    r'ts: *[0-9.]+, *inner: *([0-9]{1,12}), *outer: *([0-9]{1,12})'
)


def _recognizes(head: str) -> bool:
    return bool(_TITLE.search(head))


def _parse(text: str, command: str) -> LatencyResult:
    lines = Lines(text, Tool.HWLATDETECT)
    found: dict[str, int] = {}
    values: Counter[int] = Counter()
    interrupted = False
    while (line := lines.peek()) is not None:
        lines.skip()
        interrupted |= line == 'interrupted'
        if match := _SAMPLE.fullmatch(line):
            values[max(int(match[1]), int(match[2]))] += 1
        elif line.startswith('ts:'):
            lines.fail('this is no sample')
        else:
            found |= _read_field(line)
    for name in _FIELDS:
        if name not in found:
            lines.fail(f'the text ends without the {name}', lines.number)
    if not lines.is_whole:
        lines.fail('the text ends within a line')
    if values.total() != found['recorded']:
        lines.fail(
            f'{found["recorded"]} samples were recorded, and '
            f'{values.total()} are listed'
        )
    return _result(found, values, command, interrupted=interrupted)


def _read_field(line: str) -> dict[str, int]:
    """Return what a line tells, by name; nothing for other lines."""
    return {
        name: int(match[1] or 0)
        for name, pattern in _FIELDS.items()
        if (match := pattern.fullmatch(line))
    }


def _result(
    found: dict[str, int],
    values: Counter[int],
    command: str,
    *,
    interrupted: bool,
) -> LatencyResult:
    # How long an interrupted run measured, it does not tell.
    windows = (
        0
        if interrupted or not found['window']
        else found['duration'] * 1_000_000 // found['window']
    )
    recorded = values.total()
    floor = min([found['threshold'] + 1, *values])
    maximum = max(values, default=None)
    return LatencyResult(
        tool=Tool.HWLATDETECT,
        command=command,
        threads=(
            ThreadLatency(
                number=0,
                histogram=Histogram.from_counts(
                    values,
                    floor=floor,
                    underflow=max(windows - recorded, 0),
                ),
                minimum=None,
                maximum=maximum,
            ),
        ),
        interval_us=found['window'] or None,
        duration_s=None if interrupted else float(found['duration']),
    )


PARSER: Final = LatencyParser(
    tool='hwlatdetect', recognizes=_recognizes, parse=_parse
)

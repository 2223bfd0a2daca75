# SPDX-License-Identifier: Apache-2.0
"""rtla: ``timerlat hist`` and ``osnoise hist`` of the kernel's tools.

A column per CPU, for timerlat one for its interrupt, its thread and, with
user space threads, its return to user space. Rows without samples are left
out, and the size of the buckets is not told: the command line has it, or
the distance of the rows bounds it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from rtvirt.latency.histogram import Histogram
from rtvirt.latency.parsers.base import LatencyParser
from rtvirt.latency.parsers.base import Lines
from rtvirt.latency.parsers.base import whole
from rtvirt.latency.parsers.rt_tests import option
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.result import Tool
from rtvirt.latency.result import Unit

_TITLE: Final = re.compile(r'^# RTLA (timerlat|osnoise) histogram', re.M)
_UNIT: Final = re.compile(r'# Time unit is \w+ \((us|ns)\)')
_DURATION: Final = re.compile(
    r'# Duration: *([0-9]{1,9}) ([0-9]{2}):([0-9]{2}):([0-9]{2})'
)
_COLUMN: Final = re.compile(r'(IRQ|Thr|Usr|CPU)-([0-9]{1,6})')
_CONTEXTS: Final = {'IRQ': 'irq', 'Thr': 'thread', 'Usr': 'user', 'CPU': ''}
_SUMMARY: Final = ('over', 'count', 'min', 'avg', 'max')
_NONE: Final = '-'


def _recognizes(head: str) -> bool:
    return bool(_TITLE.search(head))


def _parse(text: str, command: str) -> LatencyResult:
    lines = Lines(text, 'rtla')
    tool, unit, duration = _read_header(lines)
    names = _read_names(lines)
    rows, summary = _read_rows(lines, len(names))
    threads = tuple(
        _thread(
            name,
            {b: row[i] for b, row in rows.items()},
            [row[i] for row in summary],
            (command, lines),
        )
        for i, name in enumerate(names)
    )
    return LatencyResult(
        tool=tool,
        command=command,
        unit=unit,
        threads=threads,
        interval_us=_period(command) if tool is Tool.TIMERLAT else None,
        duration_s=duration,
    )


def _read_header(lines: Lines) -> tuple[Tool, Unit, float | None]:
    """Read the lines before the table, whatever stands before them."""
    tool, unit, duration = Tool.TIMERLAT, None, None
    while (line := lines.peek()) is not None:
        if line.startswith('Index'):
            break
        lines.skip()
        if match := _TITLE.match(line):
            tool = Tool(match[1])
        elif match := _UNIT.match(line):
            unit = Unit(match[1])
        elif match := _DURATION.match(line):
            days, hours, minutes, seconds = map(int, match.groups())
            hours += 24 * days
            duration = float(3600 * hours + 60 * minutes + seconds)
    if unit is None:
        lines.fail('there is no line "# Time unit is"', lines.number)
    return tool, unit, duration


def _read_names(lines: Lines) -> list[re.Match[str]]:
    words = lines.take('the line "Index"').split()[1:]
    found = [match for word in words if (match := _COLUMN.fullmatch(word))]
    if len(found) != len(words):
        lines.fail('expected columns as in IRQ-000 or CPU-000')
    if not found:
        lines.fail('no CPU has a sample: nothing was measured')
    return found


def _read_rows(
    lines: Lines, size: int
) -> tuple[dict[int, list[int]], list[list[str]]]:
    """Read the buckets and the lines that sum them up."""
    rows: dict[int, list[int]] = {}
    last = -1
    while True:
        label, *words = lines.take('a bucket').split() or ['']
        if label == 'over:':
            break
        bucket = whole(label)
        counts = [n for word in words if (n := whole(word)) is not None]
        if bucket is None or len(counts) != len(words):
            lines.fail('expected a bucket and counts')
        if len(counts) != size:
            lines.fail(f'expected {size} counts')
        if bucket <= last:
            lines.fail(f'bucket {bucket} comes after bucket {last}')
        last = bucket
        rows[bucket] = counts
    summary = [words]
    for name in _SUMMARY[1:]:
        label, *words = lines.take(f'"{name}:"').split() or ['']
        if label != f'{name}:':
            lines.fail(f'expected "{name}:"')
        summary.append(words)
    if any(len(row) != size for row in summary):
        lines.fail(f'expected {size} values in each of the last lines')
    if not lines.is_whole and lines.peek() is None:
        lines.fail('the text ends within a line')
    return rows, summary


def _thread(
    name: re.Match[str],
    counts: dict[int, int],
    summary: Sequence[str],
    source: tuple[str, Lines],
) -> ThreadLatency:
    command, lines = source
    values = [
        None if word == _NONE else whole(word.partition('.')[0])
        for word in summary
    ]
    over, count, minimum, average, maximum = values
    bad = [
        word
        for word, value in zip(summary, values, strict=True)
        if value is None and word != _NONE
    ]
    if over is None or count is None or bad:
        lines.fail(f'{name[0]}: {bad or summary} are no numbers')
    held = {bucket: number for bucket, number in counts.items() if number}
    if sum(held.values()) + over != count:
        lines.fail(
            f'{name[0]}: its buckets have {sum(held.values())} samples, '
            f'{over} went over, and {count} were counted'
        )
    width = _width(command, counts, maximum or 0)
    return ThreadLatency(
        number=int(name[2]),
        cpu=int(name[2]),
        context=_CONTEXTS[name[1]],
        histogram=Histogram.from_counts(
            held,
            width=width,
            limit=_limit(command, width, held),
            overflow=over,
        ),
        minimum=minimum if count else None,
        average=float(summary[3]) if count and average is not None else None,
        maximum=maximum if count else None,
    )


def _width(command: str, counts: dict[int, int], maximum: int) -> int:
    """Return the size of the buckets, or the least upper bound of it."""
    told = whole(option(command, '-b', '--bucket-size') or '')
    rows = math.gcd(*counts)
    if told and rows % told == 0:
        return told
    if not command:
        # All that is known of bucket 0 alone is the maximum.
        return rows or maximum + 1
    return 1 if rows else maximum + 1


def _limit(command: str, width: int, held: dict[int, int]) -> int:
    """Return where the table ended, or a lower bound of it."""
    above = max(held, default=-1) + 1
    if not command:
        return above
    entries = whole(option(command, '-E', '--entries') or '256')
    return max(above, (entries or 0) * width)


def _period(command: str) -> int | None:
    told = option(command, '-p', '--period')
    return whole(told) if told else (1000 if command else None)


PARSER: Final = LatencyParser(
    tool='rtla', recognizes=_recognizes, parse=_parse
)

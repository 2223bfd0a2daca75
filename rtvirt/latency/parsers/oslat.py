# SPDX-License-Identifier: Apache-2.0
"""oslat: how long a thread that spins is kept from its CPU.

It rounds up: its bucket 1 is whatever took up to a microsecond. Its last
bucket takes what is larger, too, and only the maximum tells whether it has;
so then its samples are the overflow. With ``--bias`` the first bucket takes
what is smaller, and the minimum tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

from rtvirt.latency.histogram import Histogram
from rtvirt.latency.parsers.base import LatencyParser
from rtvirt.latency.parsers.base import Lines
from rtvirt.latency.parsers.base import whole
from rtvirt.latency.parsers.rt_tests import load_document
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.result import Tool

_JSON: Final = re.compile(r'\s*\{.*"freq"', re.DOTALL)
_TITLE: Final = re.compile(r'oslat V ([\d.]+)')
_TEXT: Final = re.compile(r'^oslat V |^ +Core:\t|^Counter Freq:\t', re.M)
_BUCKET: Final = re.compile(r' *([0-9]{1,18}) \(us\):\t(.*)')
_FIELD: Final = re.compile(r' *([A-Z][\w -]*):\t(.*)')
_NUMBERS: Final = re.compile(r'[0-9. ]*')
_LAST: Final = ' (including overflows)'
_ELIDED: Final = '...'


def _recognizes(head: str) -> bool:
    return bool(_JSON.match(head) or _TEXT.search(head))


def _parse(text: str, command: str) -> LatencyResult:
    if text.lstrip()[:1] == '{':
        return _parse_json(text)
    return _parse_text(text, command)


def _thread(
    number: int,
    cpu: int,
    counts: Mapping[int, int],
    extremes: tuple[int, float, int],
) -> ThreadLatency:
    """Return a thread; what hides in its outer buckets is taken out."""
    minimum, average, maximum = extremes
    held = {bucket: count for bucket, count in counts.items() if count}
    limit, overflow, floor, underflow = None, 0, 0, 0
    if held and maximum > max(held):
        limit = max(held)
        overflow = held.pop(limit)
    if held and minimum < min(held):
        floor = min(held) + 1
        underflow = held.pop(min(held))
    has_samples = bool(held or overflow or underflow)
    return ThreadLatency(
        number=number,
        cpu=cpu,
        histogram=Histogram.from_counts(
            held,
            floor=floor,
            underflow=underflow,
            limit=limit,
            overflow=overflow,
        ),
        minimum=minimum if has_samples else None,
        average=average if has_samples else None,
        maximum=maximum if has_samples else None,
    )


def _parse_json(text: str) -> LatencyResult:
    document = load_document(text, Tool.OSLAT)
    threads = []
    duration = 0.0
    for number, thread in document.threads():
        extremes = thread.number('min'), thread.mean(), thread.number('max')
        cpu, counts = thread.number('cpu'), thread.histogram()
        threads.append(_thread(number, cpu, counts, extremes))
        duration = max(duration, thread.duration())
    header = dict(document.header)
    header['duration_s'] = duration or header['duration_s']
    return LatencyResult(tool=Tool.OSLAT, threads=tuple(threads), **header)


def _parse_text(text: str, command: str) -> LatencyResult:
    lines = Lines(text, Tool.OSLAT)
    version = _find_table(lines)
    cores = _row(lines, 'Core')
    _row(lines, 'Counter Freq', 'CPU Freq')
    counts = _read_buckets(lines, len(cores))
    rows = [
        _row(lines, name, size=len(cores))
        for name in ('Minimum', 'Average', 'Maximum', 'Max-Min', 'Duration')
    ]
    if not lines.is_whole and lines.peek() is None:
        lines.fail('the line has no end')
    if any(whole(word) is None for word in (*rows[0], *rows[2])):
        lines.fail('the minimum or the maximum is no whole number')
    threads = []
    for index, core in enumerate(cores):
        cpu = whole(core)
        if cpu is None:
            lines.fail(f'{core!r:.20} is no CPU')
        extremes = int(rows[0][index]), float(rows[1][index])
        threads.append(
            _thread(
                index,
                cpu,
                {bucket: row[index] for bucket, row in counts.items()},
                (*extremes, int(rows[2][index])),
            )
        )
    return LatencyResult(
        tool=Tool.OSLAT,
        version=version,
        command=command,
        threads=tuple(threads),
        duration_s=max(map(float, rows[4])),
    )


def _find_table(lines: Lines) -> str:
    """Go to where the table begins; return the version."""
    version = ''
    while (line := lines.peek()) is not None:
        if match := _TITLE.match(line):
            version = match[1]
        if (field := _FIELD.match(line)) and field[1] == 'Core':
            break
        lines.skip()
    return version


def _row(
    lines: Lines, name: str, other: str = '', size: int = 0
) -> Sequence[str]:
    """Return the values of a row, one per thread."""
    line = lines.take(f'the row {name!r}')
    field = _FIELD.match(line)
    if field is None or field[1] not in {name, other}:
        lines.fail(f'expected the row {name!r}')
    values = field[2].partition('(')[0]
    words = values.split()
    if not words or not _NUMBERS.fullmatch(values):
        lines.fail(f'the row {name!r} has no numbers')
    if any(not _is_decimal(word) for word in words):
        lines.fail(f'{name} is no number')
    if size and len(words) != size:
        lines.fail(f'{name} is there {len(words)} times for {size} threads')
    return words


def _read_buckets(lines: Lines, size: int) -> dict[int, list[int]]:
    """Read the table down to its last bucket, which says that it is."""
    counts: dict[int, list[int]] = {}
    last = -1
    while True:
        line = lines.take('a bucket')
        if line.strip() == _ELIDED:
            continue
        match = _BUCKET.match(line)
        if match is None:
            lines.fail('expected a bucket')
        bucket, is_last = int(match[1]), match[2].endswith(_LAST)
        if bucket <= last:
            lines.fail(f'bucket {bucket} comes after bucket {last}')
        numbers = [whole(n) for n in match[2].removesuffix(_LAST).split()]
        row = [number for number in numbers if number is not None]
        if len(row) != size or len(numbers) != size:
            lines.fail(f'expected {size} counts')
        last = bucket
        counts[bucket] = row
        if is_last:
            return counts


def _is_decimal(word: str) -> bool:
    return len(word) <= 24 and word.replace('.', '', 1).isdigit()


PARSER: Final = LatencyParser(
    tool='oslat', recognizes=_recognizes, parse=_parse
)

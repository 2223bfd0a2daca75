# SPDX-License-Identifier: Apache-2.0
"""cyclictest's histogram as text: -h, -H and --histfile.

A row per bucket, a column per thread and with -H one for all of them; then
totals, extremes, overflows and the cycles in which they happened. Files of
ten million rows are read in blocks, column by column.
"""

from __future__ import annotations

import itertools
import operator
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from typing import NoReturn

from rtvirt.latency.histogram import Histogram
from rtvirt.latency.parsers.base import Lines
from rtvirt.latency.parsers.base import fail
from rtvirt.latency.parsers.base import whole
from rtvirt.latency.parsers.rt_tests import pinned
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.result import Tool
from rtvirt.latency.result import Unit

_BLOCK: Final = 1 << 24
_NAMES: Final = (
    'Total',
    'Min Latencies',
    'Avg Latencies',
    'Max Latencies',
    'Histogram Overflows',
)
_CYCLES: Final = re.compile(
    r'# Thread ([0-9]{1,6}):((?: [0-9]{1,18})*)(?: # ([0-9]{1,18}) others)? *'
)
_FIRST: Final = re.compile(r'^[0-9]+ [0-9\t ]+', re.MULTILINE)
_END: Final = re.compile(r'^#(?! Histogram$)(?! /dev/)', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trailer:
    """What stands below the table; one value per column.

    :ivar line: where the totals are.
    :ivar cycles: of each thread, in which cycles it went over.
    """

    line: int
    totals: list[int]
    minima: list[int]
    averages: list[int]
    maxima: list[int]
    overflows: list[int]
    cycles: list[tuple[int, ...]]


def parse_table(
    text: str, *, command: str, unit: Unit, interval_us: int | None
) -> LatencyResult:
    """Read a histogram and what stands below it."""
    first = _FIRST.search(text)
    start = first.start() if first else 0
    end = _END.search(text, start)
    stop = end.start() if end else len(text)
    line = text.count('\n', 0, start) + 1
    trailer = _read_trailer(text[stop:], text.count('\n', 0, stop))
    buckets, columns = _read_columns(text[start:stop], line)
    if len(columns) != len(trailer.totals):
        _fail(
            f'{len(trailer.totals)} totals stand below {len(columns)} columns',
            trailer.line,
        )
    cpus = pinned(command, len(trailer.minima))
    threads = [
        _thread(index, cpu, (buckets, columns[index]), trailer)
        for index, cpu in enumerate(cpus)
    ]
    _check_sum(columns, trailer)
    return LatencyResult(
        tool=Tool.CYCLICTEST,
        command=command,
        unit=unit,
        threads=tuple(threads),
        interval_us=interval_us,
    )


def _thread(
    index: int,
    cpu: int | None,
    table: tuple[array[int], array[int]],
    trailer: _Trailer,
) -> ThreadLatency:
    """Return one thread; its sums have to be those below the table."""
    buckets, counts = table
    held = sum(counts)
    if held != trailer.totals[index]:
        _fail(
            f'the total of thread {index} is {trailer.totals[index]}, and '
            f'its buckets have {held}',
            trailer.line,
        )
    overflow = trailer.overflows[index]
    has_samples = bool(held or overflow)
    return ThreadLatency(
        number=index,
        cpu=cpu,
        histogram=Histogram(
            values=array('q', itertools.compress(buckets, counts)),
            counts=array('q', filter(None, counts)),
            limit=buckets[-1] + 1,
            overflow=overflow,
        ),
        minimum=trailer.minima[index] if has_samples else None,
        average=float(trailer.averages[index]) if has_samples else None,
        maximum=trailer.maxima[index] if has_samples else None,
        overflow_cycles=trailer.cycles[index],
    )


def _check_sum(columns: list[array[int]], trailer: _Trailer) -> None:
    """Check the column of -H, which sums up the others."""
    *threads, total = columns
    if len(columns) == len(trailer.minima):
        return
    if any(map(operator.ne, map(sum, zip(*threads, strict=True)), total)):
        _fail('the last column is not the sum of the others', trailer.line)


def _read_trailer(text: str, above: int) -> _Trailer:
    """Read what stands below a table.

    :param above: how many lines stand before.
    """
    lines = _Below(text, above)
    rows = [lines.row(name) for name in _NAMES]
    size = len(rows[1])
    with_sum = (size, size + 1)
    for name, row in zip(_NAMES, rows, strict=True):
        if len(row) not in with_sum:
            lines.fail(f'{name!r} has {len(row)} values for {size} threads')
    if len(rows[2]) != size:
        lines.fail(f'there are {len(rows[2])} averages for {size} threads')
    cycles = lines.cycles(rows[4][:size])
    return _Trailer(
        line=above + 1,
        totals=rows[0],
        minima=rows[1],
        averages=rows[2],
        maxima=rows[3],
        overflows=rows[4],
        cycles=cycles,
    )


class _Below(Lines):
    """The lines below a table."""

    def __init__(self, text: str, above: int) -> None:
        super().__init__(text, Tool.CYCLICTEST)
        self._above = above

    def fail(self, what: str, number: int | None = None) -> NoReturn:
        """Raise an error, counting the lines above."""
        _fail(what, (number or max(self.number - 1, 1)) + self._above)

    def row(self, name: str) -> list[int]:
        """Return the numbers of a row."""
        line = self.take(f'"# {name}:"')
        label, colon, rest = line.partition(':')
        if not colon or label != f'# {name}':
            self.fail(f'expected "# {name}:"')
        words = rest.split()
        found = [n for word in words if (n := whole(word)) is not None]
        if not words or len(found) != len(words):
            self.fail(f'{name!r} has no whole numbers')
        return found

    def cycles(self, overflows: list[int]) -> list[tuple[int, ...]]:
        """Return the cycles that went over, of each thread.

        Versions before 0.84 do not tell them.
        """
        line = self.peek()
        title = '# Histogram Overflow at cycle number:'
        if line is None or not line.startswith(title):
            if not self.is_whole:
                self.fail('the text ends within a line')
            return [() for _ in overflows]
        self.skip()
        return [
            self._cycles(number, count)
            for number, count in enumerate(overflows)
        ]

    def _cycles(self, number: int, overflow: int) -> tuple[int, ...]:
        line = self.take(f'"# Thread {number}:"')
        match = _CYCLES.fullmatch(line)
        if match is None or int(match[1]) != number:
            self.fail(f'expected "# Thread {number}:"')
        found = tuple(map(int, match[2].split()))
        told = len(found) + int(match[3] or 0)
        if told != overflow:
            self.fail(
                f'{told} cycles of thread {number} went over, and '
                f'{overflow} samples'
            )
        if not self.is_whole and self.peek() is None:
            self.fail('the text ends within a line')
        return found


def _read_columns(text: str, line: int) -> tuple[array[int], list[array[int]]]:
    """Return the buckets, ascending, and the counts of each column."""
    size = len(text.partition('\n')[0].split())
    if size < 2:
        _fail('there is no histogram', line)
    columns = [array('q') for _ in range(size)]
    for block, number in _blocks(text, line):
        words = block.split()
        rows = block.count('\n')
        try:
            found = [array('q', map(int, words[i::size])) for i in range(size)]
        except (OverflowError, ValueError):
            _find_fault(block, number, size)
        if len(words) != rows * size:
            _find_fault(block, number, size)
        for column, values in zip(columns, found, strict=True):
            column.extend(values)
    buckets, *counts = columns
    if any(map(operator.ge, buckets, itertools.islice(buckets, 1, None))):
        _find_fault(text, line, size)
    if min(map(min, columns)) < 0:
        _fail('a number is below nought', line)
    return buckets, counts


def _blocks(text: str, line: int) -> Iterator[tuple[str, int]]:
    """Yield the rows in blocks, each with the number of its first line."""
    start = 0
    while start < len(text):
        stop = text.rfind('\n', start, start + _BLOCK) + 1 or len(text)
        block = text[start:stop]
        yield block if block.endswith('\n') else f'{block}\n', line
        line += block.count('\n')
        start = stop


def _find_fault(text: str, line: int, size: int) -> NoReturn:
    """Raise an error about the first row that is wrong."""
    last = -1
    for number, row in enumerate(text.splitlines(), line):
        words = row.split()
        bucket = whole(words[0]) if words else None
        if len(words) != size:
            _fail(f'{len(words)} numbers in a table of {size} columns', number)
        if any(whole(word) is None for word in words) or bucket is None:
            _fail('expected a bucket and counts, all whole numbers', number)
        if bucket <= last:
            _fail(f'bucket {bucket} comes after bucket {last}', number)
        last = bucket
    _fail('the table is no histogram', line)


def _fail(what: str, line: int) -> NoReturn:
    fail(Tool.CYCLICTEST, what, line)

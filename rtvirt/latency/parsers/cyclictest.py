# SPDX-License-Identifier: Apache-2.0
"""cyclictest: how late a timer wakes a thread, in all of its formats.

It rounds down: its bucket 40 is from 40 to just below 41. What does not fit
into its histogram, it counts as "overflows" in the text and not at all in
JSON; there the cycles that no bucket has are the overflow.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any
from typing import Final

from rtvirt.latency.histogram import Histogram
from rtvirt.latency.parsers.base import LatencyParser
from rtvirt.latency.parsers.base import Lines
from rtvirt.latency.parsers.base import whole
from rtvirt.latency.parsers.cyclictest_table import parse_table
from rtvirt.latency.parsers.rt_tests import Thread
from rtvirt.latency.parsers.rt_tests import has_flag
from rtvirt.latency.parsers.rt_tests import load_document
from rtvirt.latency.parsers.rt_tests import option
from rtvirt.latency.parsers.rt_tests import pinned
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.result import Tool
from rtvirt.latency.result import Unit

_JSON: Final = re.compile(r'\s*\{.*"resolution_in_ns"', re.DOTALL)
_STEER: Final = re.compile(r'\x1b\[[0-9;]*[A-Za-z]')
_STATUS: Final = re.compile(
    r'T: *([0-9]{1,6}) \( *[0-9]+\) P: *[0-9]+ I: *([0-9]{1,12}) '
    r'C: *([0-9]{1,18}) Min: *([0-9]{1,18}) Act:( *-?[0-9]+) '
    r'Avg: *([0-9]{1,18}) Max: *([0-9]{1,18})(?: .*)?'
)
_VALUE: Final = re.compile(r' *([0-9]{1,6}): *([0-9]{1,18}): *([0-9]{1,18})')
_TEXT: Final = re.compile(
    r'^(?:# /dev/cpu_dma_latency set to |# Histogram$|# Total: '
    r'|(?:\x1b\[[0-9;]*[A-Za-z])*T: *[0-9]+ \( *[0-9]+\) P:'
    r'| *[0-9]+: *[0-9]+: *[0-9]+$|# Min Latencies: )',
    re.MULTILINE,
)
_TABLE: Final = re.compile(
    r'^# (?:Histogram|Total:|Min Latencies:)', re.MULTILINE
)
_ACT_NS: Final = 8
"""Characters of "Act:" in nanoseconds; in microseconds they are 5."""


def _recognizes(head: str) -> bool:
    return bool(_JSON.match(head) or _TEXT.search(head))


def _parse(text: str, command: str) -> LatencyResult:
    if text.lstrip()[:1] == '{':
        return _parse_json(text)
    if _TABLE.search(text):
        return parse_table(
            text,
            command=command,
            unit=_unit(command),
            interval_us=_interval(command),
        )
    return _parse_status(text, command)


def _unit(command: str) -> Unit:
    # The table does not say what it counts in: nanoseconds take a flag.
    return Unit.NS if has_flag(command, 'N', '--nsecs') else Unit.US


def _interval(command: str) -> int | None:
    """Return the interval where all threads have the same.

    It is the same under -h and -H, which set the distance to nought.
    """
    distance = option(command, '-d', '--distance')
    if distance != '0' and not option(
        command, '-h', '-H', '--histogram', '--histofall'
    ):
        return None
    return whole(option(command, '-i', '--interval') or '1000')


def _parse_json(text: str) -> LatencyResult:
    document = load_document(text, Tool.CYCLICTEST)
    in_ns = document.data.get('resolution_in_ns')
    if in_ns not in {0, 1}:
        document.fail('resolution_in_ns is neither 0 nor 1', '"resolution')
    command = document.header['command']
    asked = whole(
        option(command, '-h', '-H', '--histogram', '--histofall') or ''
    )
    threads = [
        _json_thread(number, thread, asked)
        for number, thread in document.threads()
    ]
    return LatencyResult(
        tool=Tool.CYCLICTEST,
        unit=Unit.NS if in_ns else Unit.US,
        threads=tuple(threads),
        interval_us=_interval(command),
        **document.header,
    )


def _json_thread(
    number: int, thread: Thread, asked: int | None
) -> ThreadLatency:
    """Return a thread, with what its histogram lacks as overflow."""
    counts = thread.histogram()
    cycles = thread.number('cycles')
    overflow = cycles - sum(counts.values())
    if overflow < 0:
        thread.fail(f'its buckets have {-overflow} samples more than cycles')
    minimum = thread.number('min') if cycles else 0
    first_above = max((b for b, n in counts.items() if n), default=-1) + 1
    if asked is None or asked < first_above or not asked:
        # Where nothing says where the histogram ended: above all it has.
        asked = first_above or minimum
    return ThreadLatency(
        number=number,
        cpu=thread.number('cpu') if 'cpu' in thread.data else None,
        histogram=Histogram.from_counts(
            counts, limit=asked, overflow=overflow
        ),
        minimum=minimum if cycles else None,
        average=thread.mean() if cycles else None,
        maximum=thread.number('max') if cycles else None,
    )


def _parse_status(text: str, command: str) -> LatencyResult:
    """Read the lines of one status per thread, and of -v one per sample."""
    lines = Lines(text, Tool.CYCLICTEST)
    status: dict[int, tuple[int, re.Match[str]]] = {}
    values: dict[int, Counter[int]] = {}
    while (line := lines.peek()) is not None:
        lines.skip()
        line = _STEER.sub('', line)
        if match := _STATUS.fullmatch(line):
            status[int(match[1])] = lines.number - 1, match
        elif match := _VALUE.fullmatch(line):
            counts = values.setdefault(int(match[1]), Counter())
            counts[int(match[3])] += 1
        elif line.lstrip().startswith('T:'):
            lines.fail('this is no whole line of a thread')
    if not lines.is_whole:
        lines.fail('the text ends within a line')
    if not status:
        lines.fail(
            'the text ends without a line "T:" of a thread', lines.number
        )
    found = [match for _, match in status.values()]
    in_ns = any(len(match[5]) >= _ACT_NS for match in found)
    intervals = {int(match[2]) for match in found}
    return LatencyResult(
        tool=Tool.CYCLICTEST,
        command=command,
        unit=Unit.NS if in_ns else Unit.US,
        threads=tuple(
            _status_thread((number, cpu), *status[number], values.get(number))
            for number, cpu in zip(
                sorted(status), pinned(command, len(status)), strict=True
            )
        ),
        interval_us=intervals.pop() if len(intervals) == 1 else None,
    )


def _status_thread(
    place: tuple[int, int | None],
    line: int,
    match: re.Match[str],
    values: Counter[int] | None,
) -> ThreadLatency:
    """Return a thread; without single values all are in the overflow."""
    cycles, minimum, average, maximum = (
        int(match[group]) for group in (3, 4, 6, 7)
    )
    if values is not None and values.total() == cycles:
        histogram = Histogram.from_counts(values)
    else:
        histogram = Histogram.from_counts(limit=minimum, overflow=cycles)
    if cycles and minimum > maximum:
        Lines('', Tool.CYCLICTEST).fail(
            'the minimum is above the maximum', line
        )
    extremes: dict[str, Any] = (
        {'minimum': minimum, 'average': float(average), 'maximum': maximum}
        if cycles
        else {}
    )
    number, cpu = place
    return ThreadLatency(
        number=number, cpu=cpu, histogram=histogram, **extremes
    )


PARSER: Final = LatencyParser(
    tool='cyclictest', recognizes=_recognizes, parse=_parse
)

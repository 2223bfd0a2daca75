# SPDX-License-Identifier: Apache-2.0
"""A latency parser: the log of a home-made tool, one latency a line."""

from __future__ import annotations

from collections import Counter

from rtvirt.exception import LatencyFormatError
from rtvirt.latency.histogram import Histogram
from rtvirt.latency.parsers.base import LatencyParser
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency

TITLE = '# sample-latency 1'


def recognizes(head: str) -> bool:
    """Look at the first line."""
    return head.startswith(TITLE)


def parse(text: str, command: str) -> LatencyResult:
    """Count whole microseconds."""
    counts: Counter[int] = Counter()
    for number, line in enumerate(text.splitlines()[1:], 2):
        if not line.isdecimal():
            raise LatencyFormatError(
                f'line {number}: {line!r:.20} is no latency', line=number
            )
        counts[int(line)] += 1
    thread = ThreadLatency(
        number=0,
        histogram=Histogram.from_counts(counts),
        minimum=min(counts, default=None),
        maximum=max(counts, default=None),
    )
    return LatencyResult(tool='sample', command=command, threads=(thread,))


PARSER = LatencyParser(tool='sample', recognizes=recognizes, parse=parse)

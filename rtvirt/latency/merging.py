# SPDX-License-Identifier: Apache-2.0
"""Several runs as one, and several threads as one. No sample is lost."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from rtvirt.exception import ModelError
from rtvirt.latency.histogram import Histogram
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency

T = TypeVar('T')


def merge_results(results: Sequence[LatencyResult]) -> LatencyResult:
    """Return what several runs of one tool measured together.

    Threads are matched by CPU, or by number where a tool does not tell it.

    :raises ModelError: if they cannot be added up: other tools, units or
        widths of buckets.
    """
    if not results:
        raise ModelError('there are no results to merge')
    first = results[0]
    for name in ('tool', 'unit'):
        found = {str(getattr(result, name)) for result in results}
        if len(found) > 1:
            raise ModelError(
                f'results of different {name}s cannot be merged: '
                f'{", ".join(sorted(found))}'
            )
    groups: dict[tuple[int | None, int, str], list[ThreadLatency]] = {}
    for result in results:
        for thread in result.threads:
            # Threads without a CPU are told apart by number alone.
            number = thread.number if thread.cpu is None else -1
            key = thread.cpu, number, thread.context
            groups.setdefault(key, []).append(thread)
    threads = [pool(group) for group in groups.values()]
    numbers = {(thread.number, thread.context) for thread in threads}
    if len(numbers) < len(threads):
        threads = [replace(t, number=n) for n, t in enumerate(threads)]
    durations = [r.duration_s for r in results if r.duration_s is not None]
    return replace(
        first,
        threads=tuple(threads),
        duration_s=sum(durations) if len(durations) == len(results) else None,
        interval_us=_same(result.interval_us for result in results),
        kernel=_same(result.kernel for result in results) or '',
        is_realtime_kernel=_same(r.is_realtime_kernel for r in results),
        version=_same(result.version for result in results) or '',
        command=_same(result.command for result in results) or '',
    )


def pool(threads: Sequence[ThreadLatency]) -> ThreadLatency:
    """Return several threads as one, with the first's number and CPU.

    The numbers of cycles in the overflow are dropped: they count anew in
    each thread.
    """
    if len(threads) == 1:
        return threads[0]
    first = threads[0]
    minima = [t.minimum for t in threads if t.minimum is not None]
    maxima = [t.maximum for t in threads if t.maximum is not None]
    # A thread with samples but without a maximum leaves it unknown.
    is_known = all(t.maximum is not None for t in threads if t.cycles)
    means = [(t.average, t.cycles) for t in threads if t.average is not None]
    cycles = sum(number for _, number in means)
    return ThreadLatency(
        number=first.number,
        cpu=first.cpu,
        context=first.context,
        histogram=merge_histograms([t.histogram for t in threads]),
        minimum=min(minima, default=None),
        average=sum(a * n for a, n in means) / cycles if cycles else None,
        maximum=max(maxima, default=None) if is_known else None,
    )


def merge_histograms(histograms: Sequence[Histogram]) -> Histogram:
    """Return the sum of histograms with buckets of one width.

    Where one's overflow begins, another's buckets go on: there the order of
    the samples is lost, so these buckets join the overflow. The same holds
    below the largest floor of an underflow.
    """
    widths = {histogram.width for histogram in histograms}
    if len(widths) != 1:
        raise ModelError(
            'histograms with buckets of different widths cannot be merged: '
            f'{", ".join(map(str, sorted(widths)))}'
        )
    limits = [h.limit for h in histograms if h.overflow and h.limit]
    limit = min(limits, default=None)
    floor = max((h.floor for h in histograms if h.underflow), default=0)
    counts = _add(histograms)
    values = array('q', sorted(counts))
    underflow = sum(histogram.underflow for histogram in histograms)
    overflow = sum(histogram.overflow for histogram in histograms)
    width = widths.pop()
    start, stop = 0, len(values)
    while limit is not None and stop and values[stop - 1] >= limit:
        stop -= 1
        overflow += counts[values[stop]]
    while underflow and start < stop and values[start] < floor:
        underflow += counts[values[start]]
        floor = max(floor, values[start] + width)
        start += 1
    kept = values[start:stop]
    return Histogram(
        values=kept,
        counts=array('q', map(counts.__getitem__, kept)),
        width=width,
        floor=floor,
        underflow=underflow,
        limit=limit if overflow else _same(h.limit for h in histograms),
        overflow=overflow,
    )


def _add(histograms: Iterable[Histogram]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for histogram in histograms:
        if not counts:
            counts = dict(histogram.items())
            continue
        get = counts.get
        counts.update(
            (value, get(value, 0) + count)
            for value, count in histogram.items()
        )
    return counts


def _same(values: Iterable[T]) -> T | None:
    """Return the value that all have, None where they differ."""
    found = set(values)
    return found.pop() if len(found) == 1 else None

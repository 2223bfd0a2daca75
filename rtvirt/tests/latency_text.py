# SPDX-License-Identifier: Apache-2.0
"""What latency tools would print of any samples: their formats, written.

The layout is that of rt-tests 2.4 and of the kernel's rtla and hwlatdetect,
which need tracers that distributions rarely build.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence

Samples = Mapping[int, int]
"""Latencies of one thread and how often each occurred."""


def cyclictest_table(
    threads: Sequence[Samples], limit: int, *, with_sum: bool = False
) -> str:
    """Write what ``cyclictest -q -h LIMIT`` prints, or with ``-H``."""
    lines = ['# /dev/cpu_dma_latency set to 0us', '# Histogram']
    for bucket in range(limit):
        row = [samples.get(bucket, 0) for samples in threads]
        row += [sum(row)] * with_sum
        cells = '\t'.join(f'{count:06d}' for count in row)
        lines.append(f'{bucket:06d} {cells}')
    held = [sum(n for v, n in s.items() if v < limit) for s in threads]
    over = [sum(s.values()) - h for s, h in zip(threads, held, strict=True)]
    maxima = [max(s, default=0) for s in threads]
    sums = [[sum(held)], [sum(over)], [max(maxima)]]
    if not with_sum:
        sums = [[], [], []]
    for name, values in (
        ('Total', [f'{n:09d}' for n in held + sums[0]]),
        ('Min Latencies', [f'{min(s, default=1000000):05d}' for s in threads]),
        ('Avg Latencies', [f'{_mean(s):05d}' for s in threads]),
        ('Max Latencies', [f'{n:05d}' for n in maxima + sums[2]]),
        ('Histogram Overflows', [f'{n:05d}' for n in over + sums[1]]),
    ):
        lines.append(f'# {name}: {" ".join(values)}')
    lines.append('# Histogram Overflow at cycle number:')
    for number, count in enumerate(over):
        shown = ''.join(f' {cycle:05d}' for cycle in range(min(count, 60)))
        others = f' # {count - 60:05d} others' if count > 60 else ''
        lines.append(f'# Thread {number}:{shown}{others}')
    return '\n'.join([*lines, '', ''])


def cyclictest_json(
    threads: Sequence[Samples], limit: int, *, nanoseconds: bool = False
) -> str:
    """Write what ``cyclictest -h LIMIT --json`` leaves in its file."""
    return _rt_tests_json(
        f'cyclictest -q -i200 -h {limit}',
        {
            str(number): {
                'histogram': {
                    str(v): n for v, n in sorted(samples.items()) if v < limit
                },
                'cycles': sum(samples.values()),
                'min': min(samples, default=1000000),
                'max': max(samples, default=0),
                'avg': float(_mean(samples)),
                'cpu': number,
                'node': 0,
            }
            for number, samples in enumerate(threads)
        },
        resolution_in_ns=int(nanoseconds),
    )


def oslat_text(threads: Sequence[Samples], size: int) -> str:
    """Write what ``oslat -b SIZE`` prints; its latencies begin at 1."""
    lines = ['oslat V 2.40', 'Test completed.', '']

    def row(name: str, values: Sequence[object], end: str = '') -> None:
        lines.append(f'{name:>12}:\t {" ".join(map(str, values))}{end}')

    row('Core', range(len(threads)))
    row('Counter Freq', [2400] * len(threads), ' (Mhz)')
    for bucket in range(1, size + 1):
        is_last = bucket == size
        row(
            f'{bucket:03d} (us)',
            [_in_bucket(samples, bucket, size) for samples in threads],
            ' (including overflows)' if is_last else '',
        )
    row('Minimum', [min(s, default=0) for s in threads], ' (us)')
    row('Average', [f'{_mean(s):.3f}' for s in threads], ' (us)')
    row('Maximum', [max(s, default=0) for s in threads], ' (us)')
    row('Max-Min', [0 for s in threads], ' (us)')
    row('Duration', ['2.015' for s in threads], ' (sec)')
    return '\n'.join([*lines, '', ''])


def oslat_json(threads: Sequence[Samples], size: int) -> str:
    """Write what ``oslat -b SIZE --json`` leaves in its file."""
    return _rt_tests_json(
        f'oslat -b {size}',
        {
            str(number): {
                'cpu': number,
                'freq': 2400,
                'min': min(samples, default=0),
                'avg': float(_mean(samples)),
                'max': max(samples, default=0),
                'duration': 2.015,
                'histogram': {
                    str(bucket): count
                    for bucket in range(1, size + 1)
                    if (count := _in_bucket(samples, bucket, size))
                },
            }
            for number, samples in enumerate(threads)
        },
    )


def rtla_text(
    columns: Mapping[str, Samples],
    *,
    tool: str = 'timerlat',
    entries: int = 256,
    width: int = 1,
) -> str:
    """Write what ``rtla TOOL hist -E ENTRIES -b WIDTH`` prints.

    :param columns: by heading (``IRQ-000``).
    """
    lines = [
        f'# RTLA {tool} histogram',
        '# Time unit is microseconds (us)',
        '# Duration:   1 00:10:01',
        f'Index{"".join(f"   {name}" for name in columns)}',
    ]

    def row(name: str, values: Sequence[object]) -> None:
        cells = ''.join(f'{value!s:>9} ' for value in values)
        lines.append(f'{name:<6}{cells}')

    binned = []
    for samples in columns.values():
        counts: Counter[int] = Counter()
        for value, count in samples.items():
            counts[min(value // width, entries)] += count
        binned.append(counts)
    for bucket in range(entries):
        if any(counts[bucket] for counts in binned):
            row(str(bucket * width), [counts[bucket] for counts in binned])
    row('over:', [counts[entries] for counts in binned])
    row('count:', [counts.total() for counts in binned])
    every = columns.values()
    row('min:', [min(s, default='-') for s in every])
    row('avg:', [_mean(s) if s else '-' for s in every])
    row('max:', [max(s, default='-') for s in every])
    return '\n'.join([*lines, ''])


def hwlatdetect_text(
    samples: Samples, *, duration: int = 60, threshold: int = 10
) -> str:
    """Write what ``hwlatdetect --duration --threshold`` prints."""
    recorded = [
        value
        for value, count in sorted(samples.items())
        for _ in range(count)
        if value > threshold
    ]
    worst = f'{max(recorded)}us' if recorded else 'Below threshold'
    return '\n'.join(
        [
            f'hwlatdetect:  test duration {duration} seconds',
            '   detector: tracer',
            '   parameters:',
            '        CPU list:          None',
            f'        Latency threshold: {threshold}us',
            '        Sample window:     1000000us',
            '        Sample width:      500000us',
            '     Non-sampling period:  500000us',
            '        Output File:       None',
            '',
            'Starting test',
            'test finished',
            f'Max Latency: {worst}',
            f'Samples recorded: {len(recorded)}',
            f'Samples exceeding threshold: {len(recorded)}',
            *(
                f'ts: {second}.000000001, inner:{value}, outer:0'
                for second, value in enumerate(recorded)
            ),
            '',
        ]
    )


def _mean(samples: Samples) -> int:
    total = sum(value * count for value, count in samples.items())
    return total // (sum(samples.values()) or 1)


def _in_bucket(samples: Samples, bucket: int, size: int) -> int:
    if bucket < size:
        return samples.get(bucket, 0)
    return sum(count for value, count in samples.items() if value >= size)


def _rt_tests_json(
    command: str, threads: Mapping[str, object], **more: object
) -> str:
    return json.dumps(
        {
            'file_version': 1,
            'cmdline:': command,
            'rt_test_version:': '2.40',
            'start_time': 'Sun, 22 Nov 2026 10:38:23 +0000',
            'end_time': 'Sun, 22 Nov 2026 10:38:26 +0000',
            'return_code': 0,
            'sysinfo': {'release': '6.1.0', 'realtime': 1},
            'num_threads': len(threads),
            **more,
            'thread': threads,
        },
        indent=2,
    )

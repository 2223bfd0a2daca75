# SPDX-License-Identifier: Apache-2.0
"""Every sample is counted once, whatever the format; nothing crashes."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from rtvirt.exception import LatencyFormatError
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import Unit
from rtvirt.latency_reader import parse_latency
from rtvirt.tests import latency_text as text

DATA = Path(__file__).parents[2] / 'data' / 'latency'
SAMPLES = sorted(
    path for path in DATA.iterdir() if path.name != 'evidence.json'
)
ONE_LINE_EACH = {
    'cyclictest-N-q.txt',
    'cyclictest-q.txt',
    'cyclictest-screen.txt',
    'cyclictest-v.txt',
}
"""Files without a table, where a line cut away is not missed."""


def read(name: str, command: str = '') -> LatencyResult:
    return parse_latency((DATA / name).read_text(), command=command)


def numbers(result: LatencyResult) -> list[tuple[object, ...]]:
    return [
        (
            thread.cpu,
            thread.cycles,
            thread.histogram.limit,
            thread.histogram.overflow,
            thread.minimum,
            thread.maximum,
        )
        for thread in result.threads
    ]


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        # Total + overflows, as the file says below its table.
        (
            'cyclictest-h.txt',
            [(None, 9981, 60, 216, 10, 1385), (None, 9993, 60, 47, 11, 578)],
        ),
        (
            'cyclictest-H.txt',
            [(None, 4993, 60, 120, 12, 1579), (None, 4964, 60, 166, 12, 1760)],
        ),
        (
            'cyclictest.hist',
            [(None, 4990, 60, 83, 10, 1621), (None, 4996, 60, 22, 10, 288)],
        ),
        # Its cycles; what the buckets lack is found again.
        (
            'cyclictest.json',
            [(0, 4938, 60, 32, 15, 8588), (1, 4952, 60, 32, 17, 8589)],
        ),
        (
            'cyclictest-N.json',
            [
                (0, 4989, 60000, 110, 10914, 1486142),
                (1, 4993, 60000, 120, 21970, 454930),
            ],
        ),
        (
            'cyclictest-b.txt',
            [(None, 1, 60, 0, 44, 44), (None, 1, 60, 0, 33, 33)],
        ),
        # No histogram: every sample is at least the minimum.
        (
            'cyclictest-q.txt',
            [(None, 50, 21, 50, 21, 47), (None, 48, 26, 48, 26, 46)],
        ),
        (
            'cyclictest-screen.txt',
            [(None, 50, 23, 50, 23, 98), (None, 48, 36, 48, 36, 104)],
        ),
        ('oslat.txt', [(1, 28799686, 32, 1035, 1, 377723)]),
        (
            'oslat-z.txt',
            [(0, 22769290, 8, 368, 1, 16062), (1, 21623382, 8, 858, 1, 12129)],
        ),
        (
            'oslat.json',
            [(0, 22769290, 8, 368, 1, 16062), (1, 21623382, 8, 858, 1, 12129)],
        ),
    ],
)
def test_a_real_file_is_read(
    name: str, expected: list[tuple[object, ...]]
) -> None:
    result = read(name)
    assert numbers(result) == expected
    assert result.tool == name.partition('-')[0].partition('.')[0]


def test_json_has_a_header() -> None:
    result = read('cyclictest.json')
    assert result.command == (
        'cyclictest -m -q -p95 -i200 -h60 -D1 -t2 -a --json=ct.json'
    )
    assert (result.version, result.interval_us) == ('2.40', 200)
    assert (result.duration_s, result.is_realtime_kernel) == (1.0, False)
    assert result.kernel.startswith('6.')
    assert result.unit is Unit.US


def test_a_header_may_lose_its_colons() -> None:
    mended = (DATA / 'cyclictest.json').read_text()
    mended = mended.replace('line:":', 'line":').replace('sion:":', 'sion":')
    assert parse_latency(mended) == read('cyclictest.json')


def test_nanoseconds_are_told_by_file_command_or_layout() -> None:
    assert read('cyclictest-N.json').unit is Unit.NS
    assert read('cyclictest-N-q.txt').unit is Unit.NS
    assert read('cyclictest-q.txt').unit is Unit.US
    table = (DATA / 'cyclictest.hist').read_text()
    for command in ('cyclictest -N -h60', 'cyclictest -qmN', 'ct --nsecs'):
        assert parse_latency(table, command=command).unit is Unit.NS
    assert parse_latency(table, command='cyclictest -q').unit is Unit.US


@pytest.mark.parametrize(
    ('command', 'cpus'),
    [
        ('cyclictest -a2-3 -t2', [2, 3]),
        ('cyclictest -a 5 -t2', [5, 5]),
        ('cyclictest --affinity=3,1 -t2', [1, 3]),
        ('cyclictest -a -t2 -h60', [0, 1]),
        ('cyclictest -S', [0, 1]),
        ('cyclictest -t2', [None, None]),
        ('', [None, None]),
    ],
)
def test_the_command_tells_the_cpus(
    command: str, cpus: list[int | None]
) -> None:
    threads = read('cyclictest-h.txt', command).threads
    assert [thread.cpu for thread in threads] == cpus


def test_cycles_in_the_overflow_are_kept() -> None:
    first, second = read('cyclictest-h.txt').threads
    assert first.overflow_cycles[:3] == (2, 52, 102)
    assert len(second.overflow_cycles) == 47


def test_values_line_by_line_are_counted() -> None:
    first, second = read('cyclictest-v.txt').threads
    assert first.histogram.overflow == 0
    assert first.histogram.counted == first.cycles == 20
    assert first.histogram.values[-1] == first.maximum == 60
    # One of its lines was never written: then no single value is trusted.
    assert (second.histogram.counted, second.histogram.overflow) == (0, 20)


def test_a_bias_hides_the_smallest() -> None:
    (thread,) = read('oslat-B.txt').threads
    histogram = thread.histogram
    assert (histogram.floor, histogram.underflow) == (3, 37735325)
    assert (histogram.limit, histogram.overflow) == (33, 592)
    assert thread.cycles == 37736615


def test_a_break_ends_the_table() -> None:
    assert read('cyclictest-b.txt').maximum == 44


SMALL = st.dictionaries(
    st.integers(1, 40), st.integers(1, 200), min_size=1, max_size=12
)
THREADS = st.lists(SMALL, min_size=1, max_size=3)

FORMATS: dict[str, Callable[[list[dict[int, int]]], str]] = {
    'table': lambda threads: text.cyclictest_table(threads, 25),
    'sum': lambda threads: text.cyclictest_table(threads, 25, with_sum=True),
    'cyclictest-json': lambda threads: text.cyclictest_json(threads, 25),
    'oslat': lambda threads: text.oslat_text(threads, 25),
    'oslat-json': lambda threads: text.oslat_json(threads, 25),
    'timerlat': lambda threads: text.rtla_text(
        {f'Thr-{n:03d}': s for n, s in enumerate(threads)}, entries=25
    ),
    'osnoise': lambda threads: text.rtla_text(
        {f'CPU-{n:03d}': s for n, s in enumerate(threads)},
        tool='osnoise',
        entries=25,
    ),
}


@pytest.mark.parametrize('form', FORMATS)
@settings(max_examples=25)
@given(threads=THREADS)
def test_what_is_written_is_read(
    form: str, threads: list[dict[int, int]]
) -> None:
    result = parse_latency(FORMATS[form](threads))
    assert len(result.threads) == len(threads)
    for thread, samples in zip(result.threads, threads, strict=True):
        histogram = thread.histogram
        assert thread.cycles == sum(samples.values())
        assert thread.minimum == min(samples)
        assert thread.maximum == max(samples)
        limit = histogram.limit
        assert not histogram.overflow or (limit is not None and limit <= 25)
        if histogram.width == 1:
            assert dict(histogram.items()) == {
                v: n
                for v, n in samples.items()
                if not histogram.overflow or v < 25
            }


@settings(max_examples=30)
@given(samples=SMALL, width=st.integers(2, 9))
def test_wide_buckets_hold_their_samples(
    samples: dict[int, int], width: int
) -> None:
    written = text.rtla_text({'IRQ-003': samples}, entries=30, width=width)
    for command in ('', f'rtla timerlat hist -b {width} -E 30'):
        (thread,) = parse_latency(written, command=command).threads
        assert (thread.cpu, thread.context) == (3, 'irq')
        assert thread.cycles == sum(samples.values())
        for value, count in thread.histogram.items():
            high = value + thread.histogram.width
            inside = sum(n for v, n in samples.items() if value <= v < high)
            assert inside >= count
            if command:
                assert thread.histogram.width == width
                assert inside == count


def test_hwlatdetect_counts_windows() -> None:
    quiet = text.hwlatdetect_text({3: 60})
    (thread,) = parse_latency(quiet).threads
    assert (thread.cycles, thread.histogram.underflow) == (60, 60)
    assert (thread.histogram.floor, thread.maximum) == (11, None)
    loud = text.hwlatdetect_text({3: 58, 12: 1, 40: 1})
    (thread,) = parse_latency(loud).threads
    assert (thread.cycles, thread.histogram.underflow) == (60, 58)
    assert dict(thread.histogram.items()) == {12: 1, 40: 1}
    assert thread.maximum == 40
    ended = loud.replace('test finished', 'interrupted\ntest finished')
    (thread,) = parse_latency(ended).threads
    assert (thread.cycles, thread.histogram.underflow) == (2, 0)


def test_rtla_without_samples_says_so() -> None:
    empty = (
        '# RTLA osnoise histogram\n# Time unit is microseconds (us)\n'
        '# Duration:   0 00:00:02\nIndex\nover: 0\ncount: 0\nmin: 0\n'
        'avg: 0\nmax: 0\n'
    )
    with pytest.raises(LatencyFormatError, match='line 4: no CPU has'):
        parse_latency(empty)


@pytest.mark.parametrize('counted', ['1', '3'])
def test_rtla_has_to_add_up(counted: str) -> None:
    written = text.rtla_text({'IRQ-000': {5: 2}})
    changed = written.replace('count:        2', f'count:        {counted}')
    assert changed != written
    with pytest.raises(LatencyFormatError) as caught:
        parse_latency(changed)
    assert f'0 went over, and {counted} were counted' in str(caught.value)


def test_rtla_has_dashes_where_nothing_was() -> None:
    written = text.rtla_text({'IRQ-000': {5: 2}, 'Thr-000': {}})
    irq, thread = parse_latency(written).threads
    assert (irq.cycles, thread.cycles) == (2, 0)
    assert (thread.minimum, thread.average, thread.maximum) == (None,) * 3


@pytest.mark.parametrize(
    ('name', 'old', 'new', 'said'),
    [
        ('cyclictest-h.txt', '# Total: 000009765', '# Total: 000009766',
         'line 63: the total of thread 0 is 9766, and its buckets have 9765'),
        ('cyclictest-h.txt', '000005 000000', '000005 00000x', 'line 8: '),
        ('cyclictest-h.txt', '000005 000000\t', '000005 ', 'line 8: 2 num'),
        ('cyclictest-h.txt', '000006 ', '000005 ', 'line 9: bucket 5 comes'),
        ('cyclictest-h.txt', '000006 ', '-00006 ', 'line 9: expected a buck'),
        ('cyclictest-h.txt', '# Max Lat', '# Mix Lat', 'line 66: expected'),
        ('cyclictest-h.txt', 'Overflows: 00216', 'Overflows: 00217',
         'line 69: 216 cycles of thread 0 went over, and 217 samples'),
        ('cyclictest-H.txt', '\t000007\n', '\t000008\n', 'line 63: '),
        ('cyclictest.json', '"58": 1', '"58": 99',
         'its buckets have 66 samples more than cycles'),
        ('cyclictest.json', '"58": 1', '"58": -1', "bucket 58 has -1 samp"),
        ('cyclictest.json', '"58": 1', '"x": 1', "'x' is no bucket"),
        ('cyclictest.json', '"58": 1', '"58": 1, "58": 2', 'twice'),
        ('cyclictest.json', '"max": 8588', '"max": NaN', 'NaN is no number'),
        ('cyclictest.json', '"cycles"', '"cycle"', 'thread 0: cycles is'),
        ('cyclictest.json', '"num_threads": 2', '"num_threads": 3',
         'line 16: num_threads is 3, and there are 2'),
        ('cyclictest.json', '"file_version": 1', '"file_version": 2',
         'line 2: file_version is 2'),
        ('oslat.txt', '    003 (us)', '    002 (us)', 'bucket 2 comes after'),
        ('oslat.txt', 'Minimum', 'Mnimum', "expected the row 'Minimum'"),
        ('oslat.txt', ' (including overflows)', '', 'expected a bucket'),
        ('cyclictest-q.txt', 'Max: ', 'Mix: ', 'line 2: this is no whole'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(
    name: str, old: str, new: str, said: str
) -> None:
    whole = (DATA / name).read_text()
    assert old in whole
    with pytest.raises(LatencyFormatError) as caught:
        parse_latency(whole.replace(old, new, 1))
    assert said in str(caught.value)
    assert str(caught.value).startswith(f'line {caught.value.line}: ')
    assert caught.value.hint


@pytest.mark.parametrize(
    'foreign', ['', '\n\n', 'hello\n', '{}', '[1]', '{"a": 1}', '<html/>\n']
)
def test_a_foreign_file_is_refused(foreign: str) -> None:
    with pytest.raises(LatencyFormatError) as caught:
        parse_latency(foreign)
    assert caught.value.line == 1
    assert 'cyclictest' in caught.value.hint


@functools.cache
def content(path: Path) -> str:
    return path.read_text(encoding='utf-8')


def parse_broken(broken: str) -> LatencyResult | None:
    """Parse what may be refused, and then with a line that is there."""
    try:
        return parse_latency(broken)
    except LatencyFormatError as error:
        if not 1 <= error.line <= broken.count('\n') + 2:
            raise
        return None


@settings(max_examples=80)
@given(path=st.sampled_from(SAMPLES), data=st.data())
def test_a_truncated_file_is_refused_or_whole(
    path: Path, data: st.DataObject
) -> None:
    whole = content(path)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    result = parse_broken(cut)
    if result is None:
        return
    complete = numbers(parse_latency(whole))
    if path.name in ONE_LINE_EACH:
        # Fewer threads, or an earlier status of them.
        assert len(result.threads) <= len(complete)
    else:
        assert numbers(result) == complete


JUNK = st.sampled_from(
    ['0', '9' * 25, '-1', ' ', '\n', '\t', '#', '{', '"', ',', 'x', '\x00',
     '1e5', 'T:', '\x1b[', '٣', '# Total:', 'null', '.', '\ud800']
)  # fmt: skip


@settings(max_examples=120)
@given(path=st.sampled_from(SAMPLES), data=st.data())
def test_junk_is_refused_or_adds_up(path: Path, data: st.DataObject) -> None:
    """Fuzz: no crash, no hang, and no sum that is not the file's own."""
    whole = content(path)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(whole)))
        drop = data.draw(st.integers(0, 4))
        whole = whole[:place] + data.draw(JUNK) + whole[place + drop :]
    result = parse_broken(whole)
    if result is None:
        return
    assert LatencyResult.from_dict(result.to_dict()) == result
    for thread in result.threads:
        histogram = thread.histogram
        counted = sum(histogram.counts)
        assert thread.cycles == (
            histogram.underflow + counted + histogram.overflow
        )
        if whole.lstrip().startswith('{') and result.tool == 'cyclictest':
            named = json.loads(whole)['thread'][str(thread.number)]
            assert thread.cycles == named['cycles']

# SPDX-License-Identifier: Apache-2.0
"""One answer, told to a person and to a program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtvirt.cli.column import CPUGroups
from rtvirt.cli.column import CPUs
from rtvirt.cli.column import KiB
from rtvirt.cli.column import MiB
from rtvirt.cli.column import count
from rtvirt.cli.column import format_kib
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.cli.report import printable
from rtvirt.exception import ConfigError
from rtvirt.model.cpuset import CPUSet

TABLE = Table(
    columns={
        'name': 'Name',
        'cpus': 'pCPUs',
        'cores': 'Cores',
        'memory_mib': 'Memory',
        'page_kib': 'Page size',
    },
    rows=[
        [
            'a\nb',
            CPUs(CPUSet([0, 1, 4]), '(free)'),
            CPUGroups((CPUSet([0, 4]), CPUSet([1]))),
            MiB(4096),
            KiB(2048),
        ],
        [None, CPUs(CPUSet()), CPUGroups(()), MiB(0), None],
    ],
)


def test_a_person_reads_units_and_ranges() -> None:
    assert list(TABLE.for_person()) == [
        ['a\\x0ab', '0-1,4 (free)', '0,4 1', '4 GiB', '2 MiB'],
        ['-', '-', '-', '0', '-'],
    ]


def test_a_shell_reads_numbers_and_ranges() -> None:
    assert list(TABLE.for_shell()) == [
        ['a\\x0ab', '0-1,4', '0,4 1', 4096, 2048],
        ['', '', '', 0, ''],
    ]


def test_other_formatters_read_lists_and_numbers() -> None:
    assert [value.machine_readable() for value in TABLE.rows[0][1:]] == [
        [0, 1, 4],
        [[0, 4], [1]],
        4096,
        2048,
    ]


def test_columns_without_a_value_are_left_out_where_they_may() -> None:
    table = Table(
        columns={'a': 'A', 'b': 'B', 'c': 'C'},
        rows=[[0, 0, CPUs(CPUSet())], [0, 1, CPUs(CPUSet())]],
        optional={'b', 'c'},
    )
    assert list(table.trim().columns) == ['a', 'b']


def test_columns_keep_their_order() -> None:
    chosen = TABLE.select(['page size', 'NAME'])
    assert dict(chosen.columns) == {'name': 'Name', 'page_kib': 'Page size'}
    assert [len(row) for row in chosen.rows] == [2, 2]
    with pytest.raises(ConfigError, match="'nonsense'"):
        TABLE.select(['name', 'nonsense'])


def test_parts_of_a_document() -> None:
    report = Report(document={'a': 1, 'b': 'a'}, tables=())
    assert report.part([]) == {'a': 1, 'b': 'a'}
    assert report.part(['B']) == {'b': 'a'}
    with pytest.raises(ConfigError, match='no such key'):
        report.part(['c'])


@pytest.mark.parametrize(
    ('kib', 'text'),
    [
        (0, '0'),
        (4, '4 KiB'),
        (1023, '1023 KiB'),
        (1024, '1 MiB'),
        (1025, '1025 KiB'),
        (1 << 20, '1 GiB'),
        (1 << 30, '1 TiB'),
        (1 << 40, '1024 TiB'),
    ],
)
def test_sizes_have_the_largest_unit_that_divides(kib: int, text: str) -> None:
    assert format_kib(kib) == text


def test_one_is_no_plural() -> None:
    assert [count(n, 'cell') for n in (0, 1, 2)] == [
        '0 cells',
        '1 cell',
        '2 cells',
    ]


@given(st.text())
def test_what_is_printed_is_one_printable_line(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)

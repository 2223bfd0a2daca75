# SPDX-License-Identifier: Apache-2.0
"""``rtvirt latency compare``: did it get slower, and is that sure?"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any
from typing import Final

from rtvirt.cli.base import Show
from rtvirt.cli.exitcode import ExitCode
from rtvirt.cli.latency_files import read_measurement
from rtvirt.cli.placement import typed
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.latency.comparison import Comparison
from rtvirt.latency.comparison import Direction
from rtvirt.latency.comparison import Group
from rtvirt.latency.comparison import Range
from rtvirt.latency.comparison import compare
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.plain import dump

_SCHEMA_VERSION: Final = 1
_SHIFTS: Final = {
    'group': 'CPUs',
    'percentile': 'Percentile',
    'first_us': 'First',
    'second_us': 'Second',
    'shift_us': 'Shift',
    'interval_us': '95 % of it',
    'direction': 'Second is',
}
_DIFFERENCES: Final = {
    'where': 'Where',
    'name': 'What',
    'first': 'First',
    'second': 'Second',
}
_LONGEST: Final = 60


class CompareLatency(Show):
    """Compare two measurements, and say whether the difference means anything.

    For each percentile that both support: by how many microseconds it moved,
    and where the true shift lies with 95 % confidence. The uncertainty is
    that of both percentiles (order statistics), added up as the root of the
    sum of squares, and one unit of the tool for rounding. A shift means
    something where its uncertainty leaves out 0, and more of them do than
    chance alone explains. A maximum has no uncertainty, and grows with the
    number of samples.
    """

    example = """\
Example: before and after a kernel update; a CI system wants an exit code::

    rtvirt latency compare before.json after.json
    rtvirt latency compare before.json after.json --fail-if-slower
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the two measurements."""
        for name in ('first', 'second'):
            parser.add_argument(
                name,
                metavar=name.upper(),
                help='evidence, or what a tool printed',
            )
        parser.add_argument(
            '--realtime',
            metavar='CPUS',
            type=typed(CPUSet.parse),
            help='which CPUs are real-time in both; default: what the '
            'evidence says, or all',
        )
        parser.add_argument(
            '--by-thread',
            action='store_true',
            help='compare each CPU with itself, too',
        )
        parser.add_argument(
            '--fail-if-slower',
            action='store_true',
            help='exit with 3 if the second is slower',
        )

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Read both and compare."""
        found = compare(
            read_measurement(parsed_args.first, parsed_args.realtime),
            read_measurement(parsed_args.second, parsed_args.realtime),
        )
        if self.app.stdout.isatty():
            parsed_args.fit_width = True
        groups = [*found.roles]
        if parsed_args.by_thread:
            groups += found.threads
        is_worse = (
            any(
                shift.direction is Direction.SLOWER
                for group in found.roles
                for shift in group.shifts
            )
            and not found.is_meaningless
        )
        return Report(
            document={'schema_version': _SCHEMA_VERSION, **dump(found)},
            headline=_headline(found),
            tables=(
                Table(
                    title='Shifts in microseconds',
                    columns=_SHIFTS,
                    rows=[row for group in groups for row in _rows(group)],
                ),
                Table(
                    title='What else differed',
                    columns=_DIFFERENCES,
                    rows=[
                        [
                            one.where,
                            one.name,
                            *map(_cut, (one.first, one.second)),
                        ]
                        for one in found.differences
                    ],
                ),
            ),
            code=ExitCode.FINDINGS
            if is_worse and parsed_args.fail_if_slower
            else ExitCode.DONE,
        )


def _headline(found: Comparison) -> str:
    causes = [
        one.where
        for one in found.differences
        if one.where != 'findings' and one.name not in ('duration', 'target')
    ]
    if found.is_meaningless or not causes:
        return found.conclusion
    return (
        f'{found.conclusion} Besides, {", ".join(dict.fromkeys(causes))} '
        'differed: see below.'
    )


def _rows(group: Group) -> Iterator[list[Any]]:
    for shift in group.shifts:
        yield [
            group.name,
            f'p{shift.percent}',
            _say(shift.before),
            _say(shift.after),
            _say(shift.moved, sign='+'),
            _say_interval(shift.interval),
            str(shift.direction),
        ]
    first, second = group.maxima
    yield [
        group.name,
        'max',
        '-' if first is None else f'{first:g}',
        '-' if second is None else f'{second:g}',
        '-' if first is None or second is None else f'{second - first:+g}',
        f'{group.samples[0]} and {group.samples[1]} samples',
        'not judged',
    ]


def _say(span: Range, sign: str = '') -> str:
    low, high = span.low, span.high
    if low is not None and low == high:
        return f'{low:{sign}g}'
    if low is None and high is None:
        return 'unknown'
    if high is None:
        return f'>= {low:{sign}g}'
    if low is None:
        return f'<= {high:{sign}g}'
    return f'{low:{sign}g} to {high:{sign}g}'


def _say_interval(span: Range) -> str:
    low = 'unbounded' if span.low is None else f'{span.low:+.3g}'
    high = 'unbounded' if span.high is None else f'{span.high:+.3g}'
    return f'{low} to {high}'


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f'{text[: _LONGEST - 3]}...'

# SPDX-License-Identifier: Apache-2.0
"""Parsing a flavor with full validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from rtvirt import Flavor
from rtvirt import parse_guest
from tools.bench import cases
from tools.bench import novaside
from tools.bench.row import Row
from tools.bench.row import timed
from tools.bench.timing import Side
from tools.bench.timing import compare


def _explicit(vcpus: int, cells: int) -> Flavor:
    """Return a flavor that deals out its cells by hand."""
    each = vcpus // cells
    specs = {}
    for cell in range(cells):
        first = cell * each
        specs[f'numa_cpus.{cell}'] = f'{first}-{first + each - 1}'
        specs[f'numa_mem.{cell}'] = str(each * 1024)
    return cases.flavor(vcpus, cells, **specs)


_FLAVORS = (
    (
        '4/1 dedicated',
        Flavor(
            name='plain',
            vcpus=4,
            memory_mib=4096,
            extra_specs={'hw:cpu_policy': 'dedicated'},
        ),
    ),
    ('32/4 dedicated, 1 GiB pages', cases.flavor(32, 4)),
    ('32/4 real-time, isolate', cases.realtime_flavor(32, 4)),
    ('64/8 explicit cpus and memory', _explicit(64, 8)),
    ('128/16 real-time, isolate', cases.realtime_flavor(128, 16)),
    ('512/16 dedicated, 1 GiB pages', cases.flavor(512, 16)),
)


def parse() -> Iterator[Row]:
    """Both parsers, from the flavor that each side is handed."""
    for case, flavor in _FLAVORS:
        ratio = compare(
            Side(
                call=novaside.parse,
                prepare=partial(novaside.to_flavor, flavor),
            ),
            Side(call=parse_guest, prepare=partial(replace, flavor)),
        )
        yield timed('parse a flavor', case, ratio, at_least=8)

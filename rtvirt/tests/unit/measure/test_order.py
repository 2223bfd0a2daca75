# SPDX-License-Identifier: Apache-2.0
"""The command lines are those of the tools as Debian and Red Hat have them."""

from __future__ import annotations

from typing import Any

import pytest

from rtvirt.exception import ModelError
from rtvirt.latency.result import Tool
from rtvirt.measure.order import Order
from rtvirt.measure.order import stress
from rtvirt.model.cpuset import CPUSet

TWO = CPUSet.parse('2-3')
FIRST = CPUSet.parse('0-1')


@pytest.mark.parametrize(
    ('tool', 'command'),
    [
        (
            Tool.CYCLICTEST,
            'cyclictest -m -q -p95 --policy=fifo -h400 -i200 -D60 '  # noqa: ISC004
            '-a2-3 -t2 --mainaffinity=0-1',
        ),
        (Tool.OSLAT, 'oslat -c 2-3 -D 60 -f 95 -b 400 -C 0'),
        (
            Tool.TIMERLAT,
            'rtla timerlat hist -c 2-3 -d 60s -p 200 -P f:95 -E 400',
        ),
    ],
)
def test_a_command_line(tool: Tool, command: str) -> None:
    order = Order(tool=tool, cpus=TWO, main=FIRST)
    assert ' '.join(order.arguments) == command


def test_without_a_place_for_the_main_thread() -> None:
    assert 'affinity' not in ' '.join(Order(cpus=TWO).arguments)
    oslat = Order(tool=Tool.OSLAT, cpus=TWO, histogram_us=9999)
    assert oslat.arguments[-2:] == ('-b', '1024')


@pytest.mark.parametrize(
    ('wrong', 'said'),
    [
        ({'cpus': CPUSet()}, 'no CPUs'),
        ({'tool': Tool.HWLATDETECT}, 'hwlatdetect cannot be run'),
        ({'duration_s': 0}, 'duration_s is 0'),
        ({'interval_us': 1}, 'interval_us is 1'),
        ({'priority': 100}, 'priority is 100'),
    ],
)
def test_what_cannot_be_run_is_said(wrong: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Order(**{'cpus': TWO, **wrong})


def test_the_load_ends_by_itself() -> None:
    words = stress(FIRST, 60)
    assert words[words.index('--timeout') + 1] == '70s'
    assert words[words.index('--taskset') + 1] == '0-1'

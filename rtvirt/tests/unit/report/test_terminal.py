# SPDX-License-Identifier: Apache-2.0
"""The map for a terminal fits it and says the same."""

from __future__ import annotations

import pytest

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.report.occupancy import occupy
from rtvirt.report.occupant import Occupant
from rtvirt.report.terminal import draw_map
from rtvirt.tests.plans import make_plan
from rtvirt.tests.unit.report.test_topology import host_of_plan


def lines(host: HostTopology, *occupants: Occupant, width: int = 80) -> str:
    drawn = [*draw_map(occupy(host, occupants), width)]
    assert max(map(len, drawn)) <= width
    return '\n'.join(str(line).rstrip() for line in drawn)


def test_the_plan_of_the_talk() -> None:
    text = lines(host_of_plan(), Occupant.of_plan(make_plan()))
    assert text == (
        'Host cell 1  8 GiB\n'
        '          0    | 1    | 2    | 3    | 4    | 5    | 6    | 7    '
        '| 8    | 9\n'
        '          ~    | ~    | v0+  | v1+  | v2*  | v3*  | .    | .    '
        '| host | host\n'
        '\n'
        '~ shared set   . dedicated, free   * real-time   '
        '+ emulator or I/O threads, too'
    )


@pytest.mark.parametrize('width', [40, 80, 200])
def test_512_pcpus_fit_any_width(width: int) -> None:
    host = HostTopology.uniform(cells=8, cores=32, threads=2, l3_per_cell=4)
    text = lines(host, width=width)
    assert {str(cpu) for cpu in range(512)} <= set(text.split())


def test_cells_without_a_part_of_the_guest_are_counted() -> None:
    host = HostTopology.uniform(cells=4, cores=4, dedicated=CPUSet(range(16)))
    occupant = Occupant.of_plan(make_plan(2, realtime='1', emulator='0'))
    text = lines(host, occupant)
    assert 'Host cell 0' in text
    assert 'Host cell 2' not in text
    assert '2 more cells without a part of it' in text
    assert '1 GiB   [' in text


def test_a_hostile_name_steers_no_terminal() -> None:
    guests = [
        Occupant(name='\x1b[31m\x07' * 40, held=CPUSet([2])),
        Occupant(name='b', held=CPUSet([3])),
    ]
    text = lines(host_of_plan(), *guests)
    assert '\x1b' not in text
    assert '\x07' not in text

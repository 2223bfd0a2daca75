# SPDX-License-Identifier: Apache-2.0
"""Machines of other shapes, each with a guest that its shape is for."""

from __future__ import annotations

from typing import Final

import pytest

from rtvirt.tests.lab.guests import guest
from tools.lab.machine import emulated_host
from tools.lab.topology import FOUR_CELLS
from tools.lab.topology import SMT
from tools.lab.topology import Topology

_FLAVOR: Final = """\
name: shaped
vcpus: 2
ram: {ram}
disk: 0
properties:
  hw:cpu_policy: dedicated
  hw:cpu_realtime: yes
  hw:cpu_realtime_mask: ^0
  hw:mem_page_size: 1GB
  {more}
"""


@pytest.mark.parametrize(
    ('topology', 'ram', 'more', 'masks', 'nodes'),
    [
        (SMT, 1024, 'hw:cpu_thread_policy: require', ['4', '8'], [0]),
        (FOUR_CELLS, 2048, 'hw:numa_nodes: 2', ['2', '8'], [0, 1]),
    ],
    ids=['siblings', 'two-cells'],
)
def test_a_guest_of_that_shape(
    topology: Topology,
    ram: int,
    more: str,
    masks: list[str],
    nodes: list[int],
) -> None:
    flavor = _FLAVOR.format(ram=ram, more=more).encode()
    sets = (
        f'--dedicated {topology.dedicated} '
        f'--shared {topology.cpus - topology.dedicated}'
    )
    with (
        emulated_host(topology) as host,
        guest(host, 'shaped', flavor=flavor, sets=sets) as shaped,
    ):
        assert shaped.masks() == masks
        assert shaped.schedulers() == [('SCHED_OTHER', 0), ('SCHED_FIFO', 1)]
        assert sorted(pages.node for pages in shaped.pages()) == nodes
        assert shaped.verify(code=0) == []

# SPDX-License-Identifier: Apache-2.0
"""Machines of other shapes, with guests that their shapes are for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from rtvirt.tests.lab.full import defects
from rtvirt.tests.lab.guests import codes_of
from rtvirt.tests.lab.guests import guest
from rtvirt.tests.lab.guests import look
from rtvirt.tests.lab.guests import rtvirt
from tools.lab.machine import EmulatedHost
from tools.lab.machine import emulated_host
from tools.lab.talk import EMULATED
from tools.lab.topology import FOUR_CELLS
from tools.lab.topology import SMT
from tools.lab.topology import Topology

_FLAVOR: Final = """\
name: shaped
vcpus: {vcpus}
ram: {ram}
disk: 0
properties:
  hw:cpu_policy: dedicated
  hw:mem_page_size: 1GB
"""
_REALTIME: Final = """\
  hw:cpu_realtime: yes
  hw:cpu_realtime_mask: ^0
"""
# The emulator threads, which libvirt has fill the pages of all cells, may run
# in each of them then.
_SHARED_EMULATOR: Final = '  hw:emulator_threads_policy: share\n'
_PAIR: Final = _FLAVOR.format(vcpus=2, ram=1024) + _REALTIME


def _sets(topology: Topology) -> str:
    shared = topology.cpus - topology.dedicated
    return f'--dedicated {topology.dedicated} --shared {shared}'


@pytest.fixture(scope='module')
def siblings(tools: None) -> Iterator[EmulatedHost]:
    with emulated_host(SMT) as host:
        yield host


def test_a_guest_on_the_siblings_of_a_core(siblings: EmulatedHost) -> None:
    flavor = f'{_PAIR}  hw:cpu_thread_policy: require\n'.encode()
    with guest(siblings, 'pair', flavor=flavor, sets=_sets(SMT)) as pair:
        assert pair.masks() == ['4', '8']
        assert pair.schedulers() == [('SCHED_OTHER', 0), ('SCHED_FIFO', 1)]
        assert pair.verify(code=0) == []


def test_no_guest_beside_a_sibling_of_another(siblings: EmulatedHost) -> None:
    """Each vCPU has a core of its own, and a cell has one core for guests."""
    flavor = f'{_PAIR}  hw:cpu_thread_policy: isolate\n'
    siblings.write('alone.yaml', flavor.encode())

    found = rtvirt(siblings, f'plan --flavor alone.yaml {_sets(SMT)}', code=4)

    assert {one['code'] for one in found['reasons']} == {'thread-policy'}


def test_cores_that_guests_share(siblings: EmulatedHost) -> None:
    tuned = codes_of(look(siblings))
    assert set(defects.SIBLINGS) - tuned == {'RT-X03'}

    torn = codes_of(look(siblings, f'--dedicated {defects.TORN}'))
    assert set(defects.SIBLINGS) & torn == {'RT-X03'}


@pytest.fixture(scope='module')
def four_cells(tools: None) -> Iterator[EmulatedHost]:
    with emulated_host(FOUR_CELLS) as host:
        yield host


def test_a_host_of_four_cells_is_ready(four_cells: EmulatedHost) -> None:
    """With a page in each, which RT-F01 would say otherwise."""
    four_cells.run('rtvirt', 'host', 'check', '--skip', EMULATED).check()


def test_a_guest_in_two_of_four_cells(four_cells: EmulatedHost) -> None:
    wide = _FLAVOR.format(vcpus=2, ram=2048) + _REALTIME + _SHARED_EMULATOR
    with guest(
        four_cells,
        'across',
        flavor=f'{wide}  hw:numa_nodes: 2\n'.encode(),
        sets=_sets(FOUR_CELLS),
    ) as across:
        nodes = sorted(pages.node for pages in across.pages())
        masks = sorted(int(mask, 16) for mask in across.masks())

        assert len(set(nodes)) == 2
        assert masks == [1 << (2 * node + 1) for node in nodes]
        assert across.verify(code=0) == []

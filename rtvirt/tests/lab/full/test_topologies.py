# SPDX-License-Identifier: Apache-2.0
"""Machines of other shapes, with guests that their shapes are for."""

from __future__ import annotations

import contextlib
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


def test_guests_in_each_of_four_cells(four_cells: EmulatedHost) -> None:
    """One in two cells, one in each of the others, and no room for more."""
    wide = _FLAVOR.format(vcpus=2, ram=2048) + _REALTIME + _SHARED_EMULATOR
    single = _FLAVOR.format(vcpus=1, ram=1024).encode()
    sets = _sets(FOUR_CELLS)
    with contextlib.ExitStack() as stack:

        def create(name: str, flavor: bytes) -> list[int]:
            """Return the nodes of its pages; a vCPU is on each of them."""
            made = stack.enter_context(
                guest(four_cells, name, flavor=flavor, sets=sets)
            )
            assert made.verify(code=0) == []
            nodes = sorted(pages.node for pages in made.pages())
            masks = sorted(int(mask, 16) for mask in made.masks())
            assert masks == [1 << (2 * node + 1) for node in nodes]
            return nodes

        across = create('across', f'{wide}  hw:numa_nodes: 2\n'.encode())
        assert len(across) == 2
        rest = [*create('third', single), *create('fourth', single)]
        assert sorted([*across, *rest]) == [0, 1, 2, 3]

        four_cells.write('fifth.yaml', single)
        line = f'plan --flavor fifth.yaml {sets}'
        reasons = rtvirt(four_cells, line, code=4)['reasons']
        assert {one['code'] for one in reasons} == {'dedicated-cpus'}


def test_a_guest_across_all_four_cells(four_cells: EmulatedHost) -> None:
    across = _FLAVOR.format(vcpus=4, ram=4096) + _REALTIME + _SHARED_EMULATOR
    with guest(
        four_cells,
        'across',
        flavor=f'{across}  hw:numa_nodes: 4\n'.encode(),
        sets=_sets(FOUR_CELLS),
    ) as made:
        assert made.masks() == ['2', '8', '20', '80']
        assert sorted(pages.node for pages in made.pages()) == [0, 1, 2, 3]
        assert made.verify(code=0) == []

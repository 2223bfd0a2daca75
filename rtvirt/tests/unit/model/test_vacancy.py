# SPDX-License-Identifier: Apache-2.0
"""What is free, counted core by core."""

from hypothesis import given

from rtvirt.model.bits import iter_bits
from rtvirt.model.bits import lowest_bits
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.tests.strategies import cpusets
from rtvirt.tests.strategies import hosts


@given(cpusets())
def test_bits(cpus: CPUSet) -> None:
    assert list(iter_bits(cpus.mask)) == list(cpus)
    for number in range(len(cpus) + 1):
        assert list(lowest_bits(cpus.mask, number)) == list(cpus)[:number]


@given(hosts())
def test_a_vacancy_counts_what_the_cell_has(host: HostTopology) -> None:
    for vacancy in host.vacancies:
        cell = vacancy.cell
        layout = vacancy.layout
        assert vacancy.free == cell.free.mask
        assert vacancy.count == len(cell.free)
        cores = [core for core in cell.siblings if core & cell.dedicated]
        assert len(layout.masks) == len(cores)
        for number, core in enumerate(cores):
            free = len(core & cell.free)
            held = [bool(at >> number & 1) for at in vacancy.at_least]
            assert held == [free >= t for t in range(len(held))]
            threads = CPUSet(
                cpu for one in layout.threads[number] for cpu in one
            )
            assert threads == core & cell.dedicated
            first = layout.starts[number]
            assert layout.flat[first : first + len(threads)] == tuple(
                layout.threads[number]
            )
        whole, loose, _, _ = vacancy.stock
        assert vacancy.count == loose + whole * layout.threads_per_core
        assert vacancy.stock == vacancy.stock_within(layout.every)
        assert vacancy.room == vacancy.room_within(layout.every)
        for pool in cell.pages:
            assert vacancy.backing[pool.size_kib] == cell.backing_kib(
                pool.size_kib, overcommit=False
            )


@given(hosts())
def test_the_digest_survives_plain_data(host: HostTopology) -> None:
    copy = HostTopology.from_dict(host.to_dict())
    assert copy == host
    assert copy.digest == host.digest

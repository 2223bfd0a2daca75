# SPDX-License-Identifier: Apache-2.0
"""pCPUs and pages are dealt out by nova's rules."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from rtvirt.exception import ConfigError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.model.partition import ReservedPages
from rtvirt.model.partition import partition

HOST = HostTopology.uniform(cells=2, cores=4)
CPUS = st.frozensets(st.integers(0, 7), min_size=1).map(CPUSet)


@settings(max_examples=50)
@given(first=CPUS, second=CPUS, pinned=CPUS)
def test_sets_are_exact_and_can_be_taken_back(
    first: CPUSet, second: CPUSet, pinned: CPUSet
) -> None:
    shared = second - first or None
    host = partition(
        HOST, dedicated=first, shared=shared, pinned=pinned & first
    )

    union = CPUSet(c for cell in host.cells for c in cell.dedicated)
    assert union == first
    assert host.shared == (shared or CPUSet())
    assert {c for cell in host.cells for c in cell.pinned} == pinned & first
    assert partition(HOST) == HOST


def test_what_is_taken_stays_taken() -> None:
    taken = partition(HOST, pinned=CPUSet([1, 6]))

    kept = partition(taken, dedicated=CPUSet.parse('0-3'), pinned=CPUSet([2]))

    assert kept.cells[0].pinned == {1, 2}
    assert kept.cells[1].pinned == CPUSet()


@pytest.mark.parametrize(
    ('sets', 'message'),
    [
        ({'dedicated': CPUSet()}, 'the dedicated set is empty'),
        ({'shared': CPUSet()}, 'the shared set is empty'),
        ({'dedicated': CPUSet([7, 8])}, 'dedicated set names pCPUs 8'),
        ({'shared': CPUSet([9])}, 'shared set names pCPUs 9'),
        (
            {'dedicated': CPUSet.parse('0-4'), 'shared': CPUSet.parse('4-7')},
            'pCPUs 4 are both',
        ),
        (
            {'dedicated': CPUSet([1]), 'pinned': CPUSet([1, 2])},
            'pinned set names pCPUs 2: not dedicated',
        ),
        ({'shared': CPUSet([1]), 'pinned': CPUSet([1])}, 'not dedicated'),
    ],
)
def test_wrong_sets_are_refused(sets: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        partition(HOST, **sets)


def test_reserved_pages_are_not_free() -> None:
    host = partition(
        HOST, reserved=[ReservedPages(cell=1, size_kib=1048576, count=3)]
    )

    free = [cell.pages[-1].free for cell in host.cells]
    assert free == [8, 5]


@pytest.mark.parametrize(('cell', 'size_kib'), [(2, 4), (0, 2048)])
def test_pages_that_are_not_there_cannot_be_reserved(
    cell: int, size_kib: int
) -> None:
    with pytest.raises(ConfigError, match='has no such pages'):
        partition(
            HOST,
            reserved=[ReservedPages(cell=cell, size_kib=size_kib, count=1)],
        )

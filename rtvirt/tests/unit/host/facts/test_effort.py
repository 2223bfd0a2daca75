# SPDX-License-Identifier: Apache-2.0
"""How many files it takes to read a large host."""

from __future__ import annotations

from collections import Counter

from rtvirt.host.facts import read_tree
from rtvirt.host.facts.tree import LIMIT
from rtvirt.host.facts.tree import Tree
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.tests.tuned_host import Layout
from rtvirt.tests.tuned_host import tuned_host


class _Counter:
    """A tree that counts what is asked of another one."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.reads: Counter[str] = Counter()
        self.listings = 0

    def read(self, path: str, limit: int = LIMIT) -> bytes | Missing:
        self.reads[path] += 1
        return self._tree.read(path, limit)

    def names(self, path: str) -> tuple[str, ...]:
        self.listings += 1
        return self._tree.names(path)


def _count(cores: int) -> _Counter:
    """Read a host of two nodes with so many cores each."""
    layout = Layout(
        nodes=2,
        cores=cores,
        isolated=CPUSet(range(2 * cores)) - {0, cores},
    )
    counter = _Counter(tuned_host(layout).tree())
    read_tree(counter)
    return counter


def test_reading_grows_with_the_pcpus_and_not_faster() -> None:
    """A pCPU more is some twenty files more, most of them of its threads."""
    small, middle, large = (_count(cores) for cores in (8, 32, 128))
    for one, other, cpus in ((small, middle, 48), (middle, large, 192)):
        more = other.reads.total() - one.reads.total()
        assert more / cpus < 20
        assert (other.listings - one.listings) / cpus < 2


def test_hardly_a_file_is_read_twice() -> None:
    counter = _count(32)
    again = {path for path, count in counter.reads.items() if count > 1}
    assert not {path for path in again if '/cpu/cpu' in path}
    assert len(again) < 20

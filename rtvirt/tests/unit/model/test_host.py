# SPDX-License-Identifier: Apache-2.0
import dataclasses
from typing import Any

import pytest

from rtvirt.exception import ModelError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.holder import Holder
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.model.host import choose_sets
from rtvirt.model.pages import PagePool
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank

P = CPUSet.parse


def cell(**changes: Any) -> HostCell:
    return HostCell(**{'id': 0, 'memory_mib': 1024, **changes})


class TestUniform:
    host = HostTopology.uniform(
        cells=2, cores=4, threads=2, l3_per_cell=2, memory_mib=10240
    )

    def test_pcpus_are_numbered_as_linux_does(self) -> None:
        first, second = self.host.cells
        assert [str(c) for c in first.siblings] == [
            '0,8',
            '1,9',
            '2,10',
            '3,11',
        ]
        assert str(second.cpus) == '4-7,12-15'
        assert [str(c) for c in second.l3] == ['4-5,12-13', '6-7,14-15']

    def test_every_pcpu_is_dedicated_and_shared(self) -> None:
        assert self.host.cells[0].dedicated == self.host.cells[0].shared
        assert self.host.shared == P('0-15')

    def test_one_set_leaves_the_other_empty(self) -> None:
        host = HostTopology.uniform(dedicated=P('2-5'))
        assert [str(c.dedicated) for c in host.cells] == ['2-3', '4-5']
        assert not host.shared

    def test_ordinary_pages_take_what_is_left(self) -> None:
        pools = {p.size_kib: p.total for p in self.host.cells[0].pages}
        assert pools == {4: 2 * 262144, 1048576: 8}

    def test_more_pages_than_memory(self) -> None:
        with pytest.raises(ModelError, match='more than the memory'):
            HostTopology.uniform(memory_mib=1024, pages={1048576: 2})

    def test_more_caches_than_cores(self) -> None:
        with pytest.raises(ModelError, match='l3_per_cell is 5'):
            HostTopology.uniform(cores=4, l3_per_cell=5)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'id': -1}, 'id is -1'),
        ({'memory_mib': 1.5}, 'memory_mib is 1.5'),
        (
            {'dedicated': P('0-2'), 'shared': P('2-3')},
            'pCPUs 2 are both dedicated and shared',
        ),
        (
            {'dedicated': P('0-2'), 'pinned': P('3')},
            'pinned pCPUs 3 are not dedicated',
        ),
        ({'siblings': (P('0-1'), P('1-2'))}, 'cores overlap on pCPUs 1'),
        ({'l3': (P('0-1'), P('1-2'))}, 'L3 caches overlap on pCPUs 1'),
        (
            {'pages': (PagePool(size_kib=4, total=1),) * 2},
            'page sizes .4, 4. are not distinct',
        ),
    ],
)
def test_a_cell_that_contradicts_itself_cannot_exist(
    changes: Any, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        cell(**changes)


def test_a_cell_is_put_in_order() -> None:
    made = cell(
        dedicated=P('0-6'),
        siblings=(P('4-5'), P(''), P('0,2')),
        pages=(
            PagePool(size_kib=2048, total=1),
            PagePool(size_kib=4, total=1),
        ),
        pinned=P('1,5'),
    )
    assert [str(c) for c in made.siblings] == ['0,2', '1', '3', '4-5', '6']
    assert [pool.size_kib for pool in made.pages] == [4, 2048]
    assert made.free == P('0,2-4,6')
    assert made.cpus == P('0-6')


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'cells': (cell(), cell())}, 'ids .0, 0. are not distinct'),
        (
            {'cells': (cell(siblings=(P('0'),)), cell(id=1, shared=P('0')))},
            'overlap on pCPUs 0',
        ),
        (
            {
                'cells': (cell(),),
                'holders': (Holder(name='a', holdings=()),) * 2,
            },
            'names of the holders',
        ),
        ({'cells': (cell(),), 'control_groups': -1}, 'control_groups is -1'),
    ],
)
def test_a_host_that_contradicts_itself_cannot_exist(
    changes: Any, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        HostTopology(**changes)


def test_cell_by_id() -> None:
    host = HostTopology(cells=(cell(id=3), cell(id=1)))
    assert host.cell(1) is host.cells[1]
    with pytest.raises(ModelError, match='the host has no cell 0'):
        host.cell(0)


def test_the_digest_is_about_what_does_not_change() -> None:
    host = HostTopology.uniform()
    used = dataclasses.replace(
        host,
        name='other',
        cells=tuple(
            dataclasses.replace(
                one,
                pinned=P(str(min(one.cpus))),
                shared_usage=3,
                memory_used_mib=5,
                pages=tuple(
                    dataclasses.replace(pool, used=1) for pool in one.pages
                ),
            )
            for one in host.cells
        ),
    )
    assert used.digest == host.digest
    assert len(host.digest) == 16
    assert HostTopology.uniform(cores=5).digest != host.digest
    bank = CacheBank(id=0, cpus=P('0'), size_kib=1024)
    assert dataclasses.replace(host, caches=(bank,)).digest != host.digest


def test_plain_data_and_back() -> None:
    host = dataclasses.replace(
        HostTopology.uniform(threads=2),
        caches=(CacheBank(id=0, cpus=P('0'), size_kib=1024),),
        bandwidths=(BandwidthNode(id=0, cpus=P('0')),),
        control_groups=2,
    )
    assert HostTopology.from_dict(host.to_dict()) == host


def test_memory_where_pages_are_unknown() -> None:
    made = cell(memory_used_mib=1000)
    assert made.backing_kib(4, overcommit=False) == 24 * 1024
    assert made.backing_kib(4, overcommit=True) == 1024 * 1024
    assert made.backing_kib(2048, overcommit=False) == -1


@pytest.mark.parametrize(
    ('dedicated', 'shared', 'expected'),
    [
        (None, None, ('0-3', '0-3')),
        (P('1-9'), None, ('1-3', '')),
        (None, P('0'), ('', '0')),
        (P('1-2'), P('0'), ('1-2', '0')),
    ],
)
def test_choose_sets(
    dedicated: CPUSet | None, shared: CPUSet | None, expected: Any
) -> None:
    found = choose_sets(P('0-3'), dedicated, shared)
    assert tuple(map(str, found)) == expected


class TestResctrl:
    def test_steps(self) -> None:
        bank = CacheBank(
            id=0,
            cpus=P('0'),
            size_kib=16384,
            granularity_kib=1024,
            minimum_kib=2048,
        )
        assert bank.to_steps(1) == 2048
        assert bank.to_steps(2049) == 3072
        assert bank.free_kib == 14336
        node = BandwidthNode(id=0, cpus=P('0'), granularity=10, used=80)
        assert node.to_steps(11) == 20
        assert node.free == 10

    def test_what_cannot_be_shared_out(self) -> None:
        bank = CacheBank(id=0, cpus=P('0'), size_kib=16384)
        assert bank.to_steps(1024) == 0
        assert BandwidthNode(id=0, cpus=P('0')).to_steps(10) == 0

    def test_one_group_is_the_hosts(self) -> None:
        host = HostTopology.uniform()
        assert host.max_groups == 0
        bank = CacheBank(
            id=0,
            cpus=P('0'),
            size_kib=16384,
            granularity_kib=1024,
            max_groups=16,
        )
        node = BandwidthNode(id=0, cpus=P('0'), granularity=10, max_groups=8)
        host = dataclasses.replace(host, caches=(bank,), bandwidths=(node,))
        assert host.max_groups == 7

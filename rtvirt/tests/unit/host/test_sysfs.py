# SPDX-License-Identifier: Apache-2.0
"""The files of a kernel become cells."""

import re

import pytest
from hypothesis import given
from hypothesis import settings

from rtvirt.exception import HostError
from rtvirt.host.facts.tree import MappingTree
from rtvirt.host.sysfs import read_topology
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.host import HostTopology
from rtvirt.model.pages import PagePool
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank
from rtvirt.model.resctrl import CacheType
from rtvirt.tests.strategies import regular_hosts

CPU = '/sys/devices/system/cpu'
NODE = '/sys/devices/system/node'
PAGES = '/sys/kernel/mm/hugepages'
INFO = '/sys/fs/resctrl/info'

Files = dict[str, bytes | Missing]


def write(host: HostTopology) -> Files:
    """Write a host as its kernel would show it."""
    online = CPUSet(c for cell in host.cells for c in cell.cpus)
    texts = {f'{CPU}/online': str(online)}
    bank = 0
    for cell in host.cells:
        node = f'{NODE}/node{cell.id}'
        texts[f'{node}/cpulist'] = str(cell.cpus)
        texts[f'{node}/meminfo'] = (
            f'Node {cell.id} MemTotal:    {cell.memory_mib * 1024} kB\n'
            f'Node {cell.id} MemFree:     17 kB'
        )
        for pool in cell.pages[1:]:
            for directory in (node, '/sys/kernel/mm'):
                path = f'{directory}/hugepages/hugepages-{pool.size_kib}kB'
                texts[f'{path}/nr_hugepages'] = str(pool.total)
                texts[f'{path}/free_hugepages'] = str(pool.total - pool.used)
        for core in cell.siblings:
            for cpu in core:
                path = f'{CPU}/cpu{cpu}/topology'
                texts[f'{path}/thread_siblings_list'] = str(core)
                texts[f'{path}/physical_package_id'] = str(cell.socket)
        for cache in cell.l3:
            for cpu in cache:
                path = f'{CPU}/cpu{cpu}/cache'
                texts[f'{path}/index0/level'] = '1'
                texts[f'{path}/index3/level'] = '3'
                texts[f'{path}/index3/id'] = str(bank)
                texts[f'{path}/index3/size'] = '16384K'
                texts[f'{path}/index3/shared_cpu_list'] = str(cache)
            bank += 1
    return {path: f'{text}\n'.encode() for path, text in texts.items()}


def read(files: Files) -> HostTopology:
    return read_topology(MappingTree(files), base_page_kib=4)


@settings(max_examples=40)
@given(regular_hosts())
def test_a_regular_host_comes_back(host: HostTopology) -> None:
    assert read(write(host)).cells == host.cells


def small() -> Files:
    """Two pCPUs of one core on one node with a pool of 2 MiB pages."""
    return write(
        HostTopology.uniform(1, 1, 2, memory_mib=64, pages={2048: 10})
    )


def test_pages_that_are_held_or_promised_are_used() -> None:
    files = small()
    files[f'{PAGES}/hugepages-2048kB/free_hugepages'] = b'7\n'
    files[f'{PAGES}/hugepages-2048kB/resv_hugepages'] = b'2\n'

    assert read(files).cells[0].pages[1] == PagePool(
        size_kib=2048, total=10, used=5
    )


def test_each_of_several_nodes_has_its_own_pages() -> None:
    files = write(
        HostTopology.uniform(2, 1, 1, memory_mib=64, pages={2048: 10})
    )
    files[f'{NODE}/node1/hugepages/hugepages-2048kB/free_hugepages'] = b'3'

    assert [cell.pages[1].used for cell in read(files).cells] == [0, 7]


def test_an_offline_sibling_is_left_out() -> None:
    files = small()
    files[f'{CPU}/online'] = b'0\n'

    (cell,) = read(files).cells

    assert cell.cpus == {0}
    assert cell.l3 == (CPUSet([0]),)


def test_a_kernel_without_numa_is_one_cell() -> None:
    files = {p: t for p, t in small().items() if not p.startswith(NODE)}
    files['/proc/meminfo'] = b'MemTotal: 65536 kB\n'

    assert read(files).cells == read(small()).cells


def test_a_kernel_without_hotplug_has_all_cpus_it_shows() -> None:
    files = small()
    del files[f'{CPU}/online']

    assert read(files) == read(small())


def test_a_node_without_cpus_keeps_its_memory() -> None:
    files = small()
    files[f'{NODE}/node1/cpulist'] = b'\n'
    files[f'{NODE}/node1/meminfo'] = b'Node 1 MemTotal: 1048576 kB\n'

    second = read(files).cells[1]

    assert (second.cpus, second.memory_mib) == (CPUSet(), 1024)
    assert second.socket is None


@pytest.mark.parametrize(
    ('package', 'expected'), [(b'1', None), (b'0', 0), (b'-1', None)]
)
def test_the_socket_is_known_where_it_is_unique(
    package: bytes, expected: int | None
) -> None:
    files = small()
    files[f'{CPU}/cpu1/topology/physical_package_id'] = package

    assert read(files).cells[0].socket == expected


def test_a_machine_without_l3_groups_nothing() -> None:
    files = {p: t for p, t in small().items() if '/cache/' not in p}

    host = read(files)

    assert host.cells[0].l3 == ()
    assert host.caches == ()


def test_caches_without_ids_are_counted() -> None:
    files = write(HostTopology.uniform(2, 2, l3_per_cell=2, memory_mib=9000))
    files = {p: t for p, t in files.items() if not p.endswith('/index3/id')}

    assert [bank.id for bank in read(files).caches] == [0, 1, 2, 3]


def test_what_resctrl_can_share_out_is_read() -> None:
    files = small() | {
        f'{INFO}/L3/cbm_mask': b'ffff\n',
        f'{INFO}/L3/min_cbm_bits': b'2\n',
        f'{INFO}/L3/num_closids': b'15\n',
        f'{INFO}/MB/bandwidth_gran': b'10\n',
        f'{INFO}/MB/min_bandwidth': b'20\n',
        f'{INFO}/MB/num_closids': b'8\n',
    }

    host = read(files)

    both = CPUSet([0, 1])
    assert host.caches == (
        CacheBank(
            id=0,
            cpus=both,
            size_kib=16384,
            granularity_kib=1024,
            minimum_kib=2048,
            max_groups=15,
        ),
    )
    assert host.bandwidths == (
        BandwidthNode(
            id=0, cpus=both, granularity=10, minimum=20, max_groups=8
        ),
    )


def test_code_and_data_may_be_kept_apart() -> None:
    files = small() | {
        f'{INFO}/{kind}/{name}': text
        for kind in ('L3CODE', 'L3DATA')
        for name, text in (
            ('cbm_mask', b'f'),
            ('min_cbm_bits', b'1'),
            ('num_closids', b'4'),
        )
    }

    (bank,) = read(files).caches

    assert bank.types == (CacheType.CODE, CacheType.DATA)
    assert (bank.granularity_kib, bank.minimum_kib) == (4096, 0)


@pytest.mark.parametrize(
    ('path', 'content'),
    [
        (f'{CPU}/online', b'zero'),
        (f'{CPU}/cpu0/topology/thread_siblings_list', b'0-'),
        (f'{CPU}/cpu0/cache/index3/size', b'big'),
        (f'{NODE}/node0/cpulist', b'\xff\xfe'),
        (f'{NODE}/node0/meminfo', b'MemFree: 1 kB'),
        (f'{PAGES}/hugepages-2048kB/nr_hugepages', b'x' * 100),
        (f'{INFO}/L3/cbm_mask', b'many'),
        (
            f'{CPU}/online',
            Missing(
                missing=Why.UNREADABLE, path='', detail='Permission denied'
            ),
        ),
    ],
)
def test_nonsense_is_an_error_that_names_the_file(
    path: str, content: bytes | Missing
) -> None:
    with pytest.raises(HostError, match=re.escape(path)):
        read(small() | {path: content})


def test_what_is_no_machine_is_refused() -> None:
    with pytest.raises(HostError, match='there is no pCPU in /sys') as caught:
        read({'/etc/passwd': b''})
    assert 'a Linux machine' in caught.value.hint


def test_a_node_without_meminfo_is_refused() -> None:
    files = small()
    del files[f'{NODE}/node0/meminfo']

    with pytest.raises(HostError, match=r'there is no .*/node0/meminfo'):
        read(files)

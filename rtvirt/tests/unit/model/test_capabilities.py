# SPDX-License-Identifier: Apache-2.0
"""Capabilities XML becomes cells, or one clear error."""

import tracemalloc
from pathlib import Path

import pytest

from rtvirt.exception import ConfigError
from rtvirt.exception import HostError
from rtvirt.exception import RTVirtError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.model.host_element import MAX_SIZE
from rtvirt.model.pages import PagePool
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank
from rtvirt.model.resctrl import CacheType
from rtvirt.testing import capabilities_xml

TOP = Path(__file__).parents[4]


def capabilities(
    cells: str, *, cache: str = '', bandwidth: str = '', cpu: str = ''
) -> str:
    return (
        '<capabilities>\n<host>\n'
        f'<cpu>{cpu}</cpu>\n'
        f'<topology><cells>{cells}</cells></topology>\n'
        f'<cache>{cache}</cache>\n'
        f'<memory_bandwidth>{bandwidth}</memory_bandwidth>\n'
        '</host>\n</capabilities>'
    )


def cell(
    cpus: str, *, id: int = 0, memory_kib: int = 1 << 20, pages: str = ''
) -> str:
    return (
        f"<cell id='{id}'><memory unit='KiB'>{memory_kib}</memory>{pages}"
        f'<cpus>{cpus}</cpus></cell>'
    )


def cpu(id: int, siblings: str, socket: int = 0) -> str:
    return (
        f"<cpu id='{id}' socket_id='{socket}' die_id='0' core_id='{id}' "
        f"siblings='{siblings}'/>"
    )


TWO = cpu(0, '0') + cpu(1, '1')


@pytest.mark.parametrize(
    ('name', 'cells', 'cores', 'threads', 'caches', 'pages'),
    [
        ('etc/rtvirt/hosts/edge-8.xml', 1, 8, 1, 1, {1048576: 16}),
        (
            'etc/rtvirt/hosts/dual-socket-smt-48.xml',
            *(2, 12, 2, 1),
            {2048: 4096, 1048576: 40},
        ),
        ('etc/rtvirt/hosts/nps4-128.xml', 8, 8, 2, 2, {1048576: 24}),
        ('rtvirt/tests/data/hosts/libvirt-9.0-small.xml', 1, 2, 1, 1, {}),
        (
            'rtvirt/tests/data/hosts/libvirt-9.0-test-driver.xml',
            *(2, 8, 1, 0),
            {},
        ),
    ],
)
def test_what_libvirt_printed_and_the_samples(
    name: str,
    cells: int,
    cores: int,
    threads: int,
    caches: int,
    pages: dict[int, int],
) -> None:
    host = HostTopology.from_capabilities((TOP / name).read_bytes())

    assert len(host.cells) == cells
    for cell in host.cells:
        assert len(cell.siblings) == cores
        assert {len(core) for core in cell.siblings} == {threads}
        assert len(cell.l3) == caches
        assert {
            pool.size_kib: pool.total for pool in cell.pages[1:] if pool.total
        } == pages
        assert sum(pool.size_kib * pool.total for pool in cell.pages) <= (
            (cell.memory_mib + 1) * 1024
        )


def test_bytes_are_read_in_their_own_encoding() -> None:
    text = capabilities(cell(TWO))
    document = f'<?xml version="1.0" encoding="UTF-16"?>{text}'

    host = HostTopology.from_capabilities(document.encode('utf-16'))

    assert host == HostTopology.from_capabilities(text)
    assert host.cells[0].cpus == {0, 1}


def test_an_offline_cpu_is_left_out() -> None:
    (only,) = HostTopology.from_capabilities(
        capabilities(cell(TWO + "<cpu id='7'/>" + cpu(2, '2,7')))
    ).cells

    assert only.dedicated == only.shared == only.cpus == {0, 1, 2}
    assert CPUSet([2]) in only.siblings


def test_a_cell_without_cpus_keeps_its_memory() -> None:
    host = HostTopology.from_capabilities(
        capabilities(cell(TWO) + cell('', id=1, memory_kib=3 << 20))
    )

    assert host.cells[1].cpus == CPUSet()
    assert host.cells[1].memory_mib == 3072
    assert host.cells[1].socket is None


def test_a_cell_without_pages_has_ordinary_ones() -> None:
    host = HostTopology.from_capabilities(
        capabilities(
            cell(TWO, memory_kib=1 << 20),
            cpu="<pages unit='KiB' size='2048'/><pages unit='KiB' size='64'/>"
            "<pages size='0'/>",
        )
    )

    assert host.cells[0].pages == (PagePool(size_kib=64, total=1 << 14),)


@pytest.mark.parametrize(
    'text',
    [
        '<capabilities><host/></capabilities>',
        '<capabilities><host><cpu/><topology/></host></capabilities>',
    ],
)
def test_a_host_that_tells_of_no_cells_has_none(text: str) -> None:
    assert HostTopology.from_capabilities(text).cells == ()


@pytest.mark.parametrize(
    ('sockets', 'expected'), [((1, 1), 1), ((0, 1), None)]
)
def test_the_socket_is_known_where_it_is_unique(
    sockets: tuple[int, int], expected: int | None
) -> None:
    text = capabilities(
        cell(cpu(0, '0', sockets[0]) + cpu(1, '1', sockets[1]))
    )

    assert HostTopology.from_capabilities(text).cells[0].socket == expected


def test_only_l3_banks_group_cpus_and_only_their_own() -> None:
    text = capabilities(
        cell(TWO) + cell(cpu(2, '2') + cpu(3, '3'), id=1),
        cache="<bank id='0' level='2' cpus='0-3' size='1'/>"
        "<bank id='0' level='3' cpus='0-2' size='8'/>"
        "<bank id='1' level='3' cpus='3,9' size='8'/>",
    )

    first, second = HostTopology.from_capabilities(text).cells

    assert first.l3 == (CPUSet([0, 1]),)
    assert second.l3 == (CPUSet([2]), CPUSet([3]))


def test_what_resctrl_can_share_out_is_read() -> None:
    text = capabilities(
        cell(TWO),
        cache="<bank id='4' level='3' type='both' size='24' unit='MiB' "
        "cpus='0-1'><control granularity='2' min='4' unit='MiB' "
        "type='code' maxAllocs='8'/><control granularity='2' unit='MiB' "
        "type='data' maxAllocs='8'/></bank>"
        "<bank id='5' level='3' type='both' size='8' unit='MiB' cpus='2'/>",
        bandwidth="<node id='4' cpus='0-1'>"
        "<control granularity='10' min='20' maxAllocs='7'/></node>"
        "<node id='5' cpus='2'/>",
    )

    host = HostTopology.from_capabilities(text)

    assert host.caches == (
        CacheBank(
            id=4,
            cpus=CPUSet([0, 1]),
            size_kib=24576,
            granularity_kib=2048,
            minimum_kib=4096,
            max_groups=8,
            types=(CacheType.CODE, CacheType.DATA),
        ),
        CacheBank(id=5, cpus=CPUSet([2]), size_kib=8192),
    )
    assert host.bandwidths == (
        BandwidthNode(
            id=4,
            cpus=CPUSet([0, 1]),
            granularity=10,
            minimum=20,
            max_groups=7,
        ),
        BandwidthNode(id=5, cpus=CPUSet([2])),
    )


def test_units_are_converted() -> None:
    text = capabilities(
        "<cell id='0'><memory unit='GiB'>3</memory>"
        "<pages unit='MiB' size='2'>7</pages></cell>"
    )

    (only,) = HostTopology.from_capabilities(text).cells

    assert only.memory_mib == 3072
    assert only.pages == (PagePool(size_kib=2048, total=7),)


def test_sets_are_dealt_out() -> None:
    host = HostTopology.from_capabilities(
        capabilities_xml(HostTopology.uniform()),
        dedicated=CPUSet.parse('2-5'),
        shared=CPUSet([0]),
        pinned=CPUSet([3]),
    )

    assert [c.dedicated for c in host.cells] == [{2, 3}, {4, 5}]
    assert [c.shared for c in host.cells] == [{0}, set()]
    assert [c.free for c in host.cells] == [{2}, {4, 5}]


def test_a_set_that_the_host_has_not_is_refused() -> None:
    with pytest.raises(ConfigError, match='pCPUs 2-4: not online'):
        HostTopology.from_capabilities(
            capabilities(cell(TWO)), dedicated=CPUSet.parse('1-4')
        )


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'no element found'),
        ('not xml', 'line 1'),
        ('<capabilities>', 'no element found: line 1'),
        ('<capabilities>\n<host>\n</capabilities>', 'mismatched tag: line 3'),
        ('<domain/>', 'begins with <domain>'),
        ('<capabilities/>', 'line 1 .* has 0 elements <host>'),
        ('<capabilities>\x00</capabilities>', 'line 1'),
        ('<capabilities>\ud800</capabilities>', 'no XML'),
        ('<?xml version="1.0" encoding="what"?><capabilities/>', 'line 1'),
        (capabilities('<cell/>'), 'line 4 .*<cell> lacks the attribute id'),
        (capabilities("<cell id='-1'/>"), "<cell> has the id '-1'"),
        (capabilities("<cell id='1'/><cell id='1'/>"), 'not distinct'),
        (capabilities(cell("<cpu id='x' siblings='0'/>")), "the id 'x'"),
        (capabilities(cell(cpu(0, '0-'))), 'line 4 .* bad siblings'),
        (capabilities(cell(cpu(0, '0,1') + cpu(1, '1'))), 'overlap'),
        (capabilities(cell(cpu(99999, '0'))), '99999 is no CPU id'),
        (capabilities(cell(cpu(0, f'0-{10**9}'))), 'bad siblings'),
        (
            capabilities(cell(cpu(0, '0', int('9' * 40)))),
            'more than 15 digits',
        ),
        (
            capabilities("<cell id='0'><memory unit='cups'>3</memory></cell>"),
            "<memory> has the unit 'cups': expected one of b,",
        ),
        (
            capabilities('', cache="<bank id='0' level='3'/>"),
            'line 5 .*<bank> lacks the attribute size',
        ),
        (
            capabilities(
                '',
                cache="<bank id='0' level='3' size='1'>"
                "<control granularity='1' type='wood'/></bank>",
            ),
            "<control> has the type 'wood': expected one of both, code, data",
        ),
        (
            capabilities("<cell id='0'><memory>much</memory></cell>"),
            "<memory> has the text 'much'",
        ),
    ],
)
def test_nonsense_is_one_clear_error(text: str, message: str) -> None:
    with pytest.raises(RTVirtError, match=message):
        HostTopology.from_capabilities(text)


ENTITY_BOMB = (
    '<!DOCTYPE capabilities [<!ENTITY a "aaaaaaaaaa">'
    + ''.join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">'
        for a, b in zip('abcdefgh', 'bcdefghi', strict=True)
    )
    + ']><capabilities><host>&i;</host></capabilities>'
)
EXTERNAL = (
    '<!DOCTYPE capabilities [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    '<capabilities><host>&x;</host></capabilities>'
)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (ENTITY_BOMB, 'document type'),
        (EXTERNAL, 'document type'),
        ('<!DOCTYPE c SYSTEM "http://x/"><capabilities/>', 'document type'),
        ('<capabilities>' + ' ' * MAX_SIZE, 'longer than 8 MiB'),
        ('<capabilities><host><topology>' + '<a>' * 50, 'more elements'),
        ('<capabilities><host><cpu>' + '<a/>' * 99999, 'more elements'),
    ],
)
def test_hostile_documents_are_refused_cheaply(
    text: str, message: str
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(HostError, match=message):
            HostTopology.from_capabilities(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 64 << 20


def test_what_is_not_about_topology_is_skipped() -> None:
    text = capabilities(cell(TWO)).replace(
        '</capabilities>',
        '<guest>' * 500 + '</guest>' * 500 + '</capabilities>',
    )

    assert HostTopology.from_capabilities(text).cells[0].cpus == {0, 1}

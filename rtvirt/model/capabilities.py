# SPDX-License-Identifier: Apache-2.0
"""A host's topology from libvirt's capabilities XML."""

from __future__ import annotations

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.model.host_element import Element
from rtvirt.model.host_element import read_host_element
from rtvirt.model.pages import PagePool
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank
from rtvirt.model.resctrl import CacheType


def parse_capabilities(xml: str | bytes) -> HostTopology:
    """Read what ``virsh capabilities`` prints.

    Every online pCPU is both dedicated and shared, and nothing is taken:
    :func:`~rtvirt.model.partition.partition` deals them out.  A document
    without ``<topology>`` gives a host without cells.

    :raises HostError: naming the line and what is wrong there.
    :raises ModelError: if the cells contradict each other.
    """
    host = read_host_element(xml)
    sizes = [pages.kib('size') for pages in host.find('cpu/pages')]
    base_kib = min(filter(None, sizes), default=4)
    caches = tuple(
        _to_bank(element)
        for element in host.find('cache/bank')
        if element.attributes.get('level') == '3'
    )
    return HostTopology(
        cells=tuple(
            _to_cell(element, caches, base_kib)
            for element in host.find('topology/cells/cell')
        ),
        caches=caches,
        bandwidths=tuple(
            _to_bandwidth(element)
            for element in host.find('memory_bandwidth/node')
        ),
    )


def _to_cell(
    element: Element, caches: tuple[CacheBank, ...], base_kib: int
) -> HostCell:
    online, cores, sockets = _read_cpus(element)
    memory_kib = sum(memory.kib() for memory in element.find('memory'))
    return HostCell(
        id=element.number('id'),
        dedicated=online,
        shared=online,
        siblings=cores,
        memory_mib=memory_kib // 1024,
        pages=_read_pages(element, memory_kib, base_kib),
        l3=tuple(bank.cpus & online for bank in caches if bank.cpus & online),
        socket=sockets.pop() if len(sockets) == 1 else None,
    )


def _read_cpus(
    cell: Element,
) -> tuple[CPUSet, tuple[CPUSet, ...], set[int]]:
    """Return the online pCPUs, the cores and the packages of a cell.

    libvirt gives an offline pCPU its ``id`` alone.
    """
    online = []
    named = []
    sockets = set()
    for cpu in cell.find('cpus/cpu'):
        if 'siblings' in cpu.attributes:
            online.append(cpu.number('id'))
            named.append(cpu.cpus('siblings'))
            if 'socket_id' in cpu.attributes:
                sockets.add(cpu.number('socket_id'))
    cpus = CPUSet(online)
    cores = dict.fromkeys(core & cpus for core in named)
    return cpus, tuple(cores), sockets


def _read_pages(
    cell: Element, memory_kib: int, base_kib: int
) -> tuple[PagePool, ...]:
    """Return the pools of a cell.

    libvirt before 1.2.8 names none: then all memory is ordinary pages.
    """
    pools = tuple(
        PagePool(
            size_kib=pages.kib('size'),
            total=pages.count(),
        )
        for pages in cell.find('pages')
    )
    return pools or (
        PagePool(size_kib=base_kib, total=memory_kib // base_kib),
    )


def _to_bank(element: Element) -> CacheBank:
    """Read a cache; where it cannot be shared out it has no <control>.

    Code and data kept apart (CDP) have a <control> each, and equal steps.
    """
    controls = element.find('control')
    first = controls[0] if controls else Element('control', {}, 0)
    types = dict.fromkeys(
        control.word('type', CacheType, CacheType.BOTH) for control in controls
    )
    return CacheBank(
        id=element.number('id'),
        level=element.number('level'),
        cpus=element.cpus('cpus'),
        size_kib=element.kib('size'),
        granularity_kib=first.kib('granularity') if controls else 0,
        minimum_kib=first.kib('min') if 'min' in first.attributes else 0,
        max_groups=first.number('maxAllocs', 0),
        types=tuple(types) or (CacheType.BOTH,),
    )


def _to_bandwidth(element: Element) -> BandwidthNode:
    controls = element.find('control')
    control = controls[0] if controls else Element('control', {}, 0)
    return BandwidthNode(
        id=element.number('id'),
        cpus=element.cpus('cpus'),
        granularity=control.number('granularity', 0),
        minimum=control.number('min', 0),
        max_groups=control.number('maxAllocs', 0),
    )

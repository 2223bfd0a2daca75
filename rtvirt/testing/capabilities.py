# SPDX-License-Identifier: Apache-2.0
"""A host as libvirt's capabilities tell it."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

import rtvirt
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank

_L3_KIB = 16384
_MACHINES = ('pc', 'q35')


def capabilities_xml(host: rtvirt.HostTopology) -> str:
    """Return what ``virsh capabilities`` would print on a host.

    It is what :meth:`rtvirt.HostTopology.from_capabilities` reads: the
    cells with their pages, pCPUs, cores and caches. What is taken and how
    the pCPUs are dealt out, no capabilities tell. An L3 of unknown size has
    16 MiB.

    >>> from rtvirt.testing import edge_host
    >>> xml = capabilities_xml(edge_host())
    >>> rtvirt.HostTopology.from_capabilities(xml).cells[0].cpus
    CPUSet.parse('0-7')
    """
    root = etree.Element('capabilities')
    element = etree.SubElement(root, 'host')
    cpu = etree.SubElement(element, 'cpu')
    etree.SubElement(cpu, 'arch').text = 'x86_64'
    topology = etree.SubElement(element, 'topology')
    cells = etree.SubElement(topology, 'cells', num=str(len(host.cells)))
    for cell in host.cells:
        _add_cell(cells, cell)
    caches = etree.SubElement(element, 'cache')
    for bank in host.caches or _plain_banks(host.cells):
        _add_bank(caches, bank)
    if host.bandwidths:
        bandwidths = etree.SubElement(element, 'memory_bandwidth')
        for node in host.bandwidths:
            _add_bandwidth(bandwidths, node)
    _add_guest(root)
    etree.indent(root)
    return etree.tostring(root, encoding='unicode') + '\n'


def _add_cell(parent: etree._Element, cell: rtvirt.HostCell) -> None:
    element = etree.SubElement(parent, 'cell', id=str(cell.id))
    memory = etree.SubElement(element, 'memory', unit='KiB')
    memory.text = str(cell.memory_mib * 1024)
    for pool in cell.pages:
        pages = etree.SubElement(
            element, 'pages', unit='KiB', size=str(pool.size_kib)
        )
        pages.text = str(pool.total)
    cores = {cpu: core for core in cell.siblings for cpu in core}
    cpus = etree.SubElement(element, 'cpus', num=str(len(cores)))
    for cpu, core in sorted(cores.items()):
        element = etree.SubElement(cpus, 'cpu', id=str(cpu))
        # Where the package is not known, none is named.
        if cell.socket is not None:
            element.set('socket_id', str(cell.socket))
        element.set('die_id', '0')
        element.set('core_id', str(min(core)))
        element.set('siblings', str(core))


def _plain_banks(cells: Iterable[rtvirt.HostCell]) -> list[CacheBank]:
    """Return the L3 caches that only the cells tell of."""
    known = [cpus for cell in cells for cpus in cell.l3]
    return [
        CacheBank(id=number, cpus=cpus, size_kib=_L3_KIB)
        for number, cpus in enumerate(known)
    ]


def _add_bank(parent: etree._Element, bank: CacheBank) -> None:
    element = etree.SubElement(
        parent,
        'bank',
        id=str(bank.id),
        level=str(bank.level),
        type='both',
        size=str(bank.size_kib),
        unit='KiB',
        cpus=str(bank.cpus),
    )
    if bank.granularity_kib:
        for kind in bank.types:
            etree.SubElement(
                element,
                'control',
                granularity=str(bank.granularity_kib),
                min=str(bank.minimum_kib),
                unit='KiB',
                type=str(kind),
                maxAllocs=str(bank.max_groups),
            )


def _add_bandwidth(parent: etree._Element, node: BandwidthNode) -> None:
    element = etree.SubElement(
        parent, 'node', id=str(node.id), cpus=str(node.cpus)
    )
    if node.granularity:
        etree.SubElement(
            element,
            'control',
            granularity=str(node.granularity),
            min=str(node.minimum),
            maxAllocs=str(node.max_groups),
        )


def _add_guest(root: etree._Element) -> None:
    """Say which guests there may be: KVM's and QEMU's own."""
    guest = etree.SubElement(root, 'guest')
    etree.SubElement(guest, 'os_type').text = 'hvm'
    arch = etree.SubElement(guest, 'arch', name='x86_64')
    etree.SubElement(arch, 'wordsize').text = '64'
    emulator = etree.SubElement(arch, 'emulator')
    emulator.text = '/usr/bin/qemu-system-x86_64'
    for name in _MACHINES:
        etree.SubElement(arch, 'machine', maxCpus='255').text = name
    for kind in ('qemu', 'kvm'):
        etree.SubElement(arch, 'domain', type=kind)

# SPDX-License-Identifier: Apache-2.0
"""Domain XML: nova's configuration objects, rtvirt, and bare lxml."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from typing import TypeVar

from lxml import etree
from nova.virt.libvirt import config as vconfig

from rtvirt import Flavor
from rtvirt import HostTopology
from rtvirt import Plan
from rtvirt import fit
from rtvirt import parse_guest
from rtvirt.domain import Disk
from rtvirt.domain import Network
from rtvirt.domain import domain_xml
from tools.bench import cases
from tools.bench import novaside
from tools.bench.row import Row
from tools.bench.row import timed
from tools.bench.timing import Side
from tools.bench.timing import compare

T = TypeVar('T')

_UUID = '5b0a7d43-6f2f-4b4b-8f53-0a1f8a2f7c11'
_DISK = '/var/lib/nova/instances/disk'
_MAC = '52:54:00:12:34:56'

# (host cells, pCPUs a cell, vCPUs, guest cells)
_SIZES = ((2, 32, 4, 1), (8, 32, 64, 4), (16, 64, 512, 16))


def documents() -> Iterator[Row]:
    """The XML alone, and all of it from the flavor on."""
    for cells, cpus, vcpus, guest_cells in _SIZES:
        host = cases.empty_host(cells, cpus)
        flavor = cases.realtime_flavor(vcpus, guest_cells)
        plan = fit(parse_guest(flavor), host)
        ours = _rtvirt_xml(plan)
        size = f'{vcpus} vCPUs, {guest_cells} cells'
        yield timed(
            'XML alone, against nova',
            size,
            compare(
                Side(call=_nova_xml, prepare=partial(_given, plan)),
                Side(call=_rtvirt_xml, prepare=partial(_given, plan)),
            ),
            at_least=1.7,
        )
        tree = _recipe(etree.fromstring(ours.encode()))
        ratio = compare(
            Side(call=_rtvirt_xml, prepare=partial(_given, plan)),
            Side(call=_bare_xml, prepare=partial(_given, tree)),
        )
        yield Row(
            section='XML alone, against bare lxml',
            case=size,
            value=ratio.median,
            at_most=1.3,
            ratio=ratio,
        )
        yield _whole_way(size, flavor, host)


def _whole_way(size: str, flavor: Flavor, host: HostTopology) -> Row:
    flavor_object = novaside.to_flavor(flavor)
    host_object = novaside.to_host(host)

    def nova_way(_: object) -> str:
        fitted = novaside.fit(host_object, novaside.parse(flavor_object))
        realtime = novaside.find_realtime(flavor_object)
        return str(_nova_from_fitted(flavor, fitted, realtime).to_xml())

    def rtvirt_way(_: object) -> str:
        return _rtvirt_xml(fit(parse_guest(flavor), host))

    return timed(
        'flavor to domain XML',
        size,
        compare(Side(call=nova_way), Side(call=rtvirt_way)),
        at_least=3,
    )


def _given(value: T) -> T:
    return value


def _nova_xml(plan: Plan) -> str:
    return str(_nova_document(plan).to_xml())


def _rtvirt_xml(plan: Plan) -> str:
    return domain_xml(
        plan,
        name='instance-0000002a',
        uuid=_UUID,
        disks=(Disk(path=_DISK, format='qcow2'),),
        network=Network(bridge='br-int', mac=_MAC),
    )


def _recipe(element: Any) -> tuple[Any, ...]:
    """Return a tree as bare data, so that building it is all that is timed."""
    return (
        element.tag,
        dict(element.attrib),
        element.text,
        [_recipe(child) for child in element],
    )


def _bare_xml(recipe: tuple[Any, ...]) -> str:
    tag, attributes, text, children = recipe
    root = etree.Element(tag, attributes)
    root.text = text
    for child in children:
        _bare_child(root, child)
    made: str = etree.tostring(root, encoding='unicode')
    return made


def _bare_child(parent: Any, recipe: tuple[Any, ...]) -> None:
    tag, attributes, text, children = recipe
    made = etree.SubElement(parent, tag, attributes)
    if text:
        made.text = text
    for child in children:
        _bare_child(made, child)


def _nova_from_fitted(
    flavor: Flavor, fitted: Any, realtime: set[int]
) -> vconfig.LibvirtConfigGuest:
    """Return nova's document for what nova fitted."""
    pins = {}
    cells = []
    emulator: set[int] = set()
    for cell in fitted.cells:
        pins.update({v: {p} for v, p in cell.cpu_pinning.items()})
        emulator |= cell.cpuset_reserved or set()
        cells.append((cell.id, cell.pcpuset, cell.memory, cell.pagesize))
    return _nova_guest(flavor.vcpus, pins, cells, emulator, realtime)


def _nova_document(plan: Plan) -> vconfig.LibvirtConfigGuest:
    """Return nova's document with the values of one of rtvirt's plans."""
    pins = {vcpu: set(cpus) for vcpu, cpus in plan.pins.items()}
    cells = [
        (cell.host_cell, set(cell.pins), cell.memory_mib, cell.page_size_kib)
        for cell in plan.cells
    ]
    return _nova_guest(
        plan.guest.vcpus, pins, cells, set(plan.emulator), set(plan.realtime)
    )


def _nova_guest(
    vcpus: int,
    pins: dict[int, set[int]],
    cells: list[tuple[int, set[int], int, int]],
    emulator: set[int],
    realtime: set[int],
) -> vconfig.LibvirtConfigGuest:
    """Build the objects that LibvirtDriver._get_guest_config builds."""
    guest = vconfig.LibvirtConfigGuest()
    guest.virt_type = 'kvm'
    guest.name = 'instance-0000002a'
    guest.uuid = _UUID
    guest.memory = 1024 * sum(cell[2] for cell in cells)
    guest.vcpus = vcpus
    guest.iothreads = 1
    guest.os_type = 'hvm'
    guest.os_mach_type = 'q35'
    guest.membacking = _nova_membacking(cells)
    guest.numatune = _nova_numatune(cells)
    guest.cputune = _nova_cputune(pins, emulator, realtime)
    guest.cpu = _nova_cpu(vcpus, cells)
    guest.features = [
        vconfig.LibvirtConfigGuestFeatureACPI(),
        vconfig.LibvirtConfigGuestFeatureAPIC(),
        vconfig.LibvirtConfigGuestFeatureVMCoreInfo(),
    ]
    guest.clock = _nova_clock()
    for device in _nova_devices():
        guest.add_device(device)
    return guest


def _nova_cputune(
    pins: dict[int, set[int]], emulator: set[int], realtime: set[int]
) -> vconfig.LibvirtConfigGuestCPUTune:
    tune = vconfig.LibvirtConfigGuestCPUTune()
    tune.emulatorpin = vconfig.LibvirtConfigGuestCPUTuneEmulatorPin()
    tune.emulatorpin.cpuset = emulator
    iothread = vconfig.LibvirtConfigGuestCPUTuneIOThreadPin()
    iothread.iothread = 1
    iothread.cpuset = emulator
    tune.iothreadpin.append(iothread)
    for vcpu, cpus in sorted(pins.items()):
        pin = vconfig.LibvirtConfigGuestCPUTuneVCPUPin()
        pin.id = vcpu
        pin.cpuset = cpus
        tune.vcpupin.append(pin)
    scheduler = vconfig.LibvirtConfigGuestCPUTuneVCPUSched()
    scheduler.vcpus = realtime
    scheduler.scheduler = 'fifo'
    scheduler.priority = 1
    tune.vcpusched.append(scheduler)
    return tune


def _nova_membacking(
    cells: list[tuple[int, set[int], int, int]],
) -> vconfig.LibvirtConfigGuestMemoryBacking:
    backing = vconfig.LibvirtConfigGuestMemoryBacking()
    page = vconfig.LibvirtConfigGuestMemoryBackingPage()
    page.size_kb = cells[0][3]
    page.nodeset = list(range(len(cells)))
    backing.hugepages = [page]
    backing.sharedpages = False
    backing.locked = True
    return backing


def _nova_numatune(
    cells: list[tuple[int, set[int], int, int]],
) -> vconfig.LibvirtConfigGuestNUMATune:
    tune = vconfig.LibvirtConfigGuestNUMATune()
    tune.memory = vconfig.LibvirtConfigGuestNUMATuneMemory()
    tune.memory.nodeset = [cell[0] for cell in cells]
    for index, cell in enumerate(cells):
        node = vconfig.LibvirtConfigGuestNUMATuneMemNode()
        node.cellid = index
        node.nodeset = [cell[0]]
        tune.memnodes.append(node)
    return tune


def _nova_cpu(
    vcpus: int, cells: list[tuple[int, set[int], int, int]]
) -> vconfig.LibvirtConfigGuestCPU:
    cpu = vconfig.LibvirtConfigGuestCPU()
    cpu.mode = 'host-model'
    cpu.sockets, cpu.cores, cpu.threads = vcpus, 1, 1
    cpu.numa = vconfig.LibvirtConfigGuestCPUNUMA()
    for index, (_, cpus, memory_mib, _) in enumerate(cells):
        cell = vconfig.LibvirtConfigGuestCPUNUMACell()
        cell.id = index
        cell.cpus = cpus
        cell.memory = memory_mib * 1024
        cell.memAccess = 'shared'
        cpu.numa.cells.append(cell)
    return cpu


def _nova_clock() -> vconfig.LibvirtConfigGuestClock:
    clock = vconfig.LibvirtConfigGuestClock()
    for name, policy in (('pit', 'delay'), ('rtc', 'catchup')):
        timer = vconfig.LibvirtConfigGuestTimer()
        timer.name = name
        timer.tickpolicy = policy
        clock.add_timer(timer)
    hpet = vconfig.LibvirtConfigGuestTimer()
    hpet.name = 'hpet'
    hpet.present = False
    clock.add_timer(hpet)
    return clock


def _nova_devices() -> Iterator[vconfig.LibvirtConfigGuestDevice]:
    disk = vconfig.LibvirtConfigGuestDisk()
    disk.source_type = 'file'
    disk.source_path = _DISK
    disk.driver_name = 'qemu'
    disk.driver_format = 'qcow2'
    disk.driver_cache = 'none'
    disk.target_dev = 'vda'
    disk.target_bus = 'virtio'
    yield disk
    interface = vconfig.LibvirtConfigGuestInterface()
    interface.net_type = 'bridge'
    interface.mac_addr = _MAC
    interface.source_dev = 'br-int'
    interface.model = 'virtio'
    yield interface
    serial = vconfig.LibvirtConfigGuestSerial()
    serial.target_port = 0
    yield serial
    console = vconfig.LibvirtConfigGuestConsole()
    console.target_type = 'serial'
    console.target_port = 0
    yield console
    balloon = vconfig.LibvirtConfigMemoryBalloon()
    balloon.model = 'virtio'
    balloon.period = 10
    yield balloon

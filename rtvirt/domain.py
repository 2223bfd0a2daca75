# SPDX-License-Identifier: Apache-2.0
"""Domain XML from plans: from scratch, or into a document that exists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rtvirt.configurators.base import Configurator
from rtvirt.configurators.builder import build
from rtvirt.configurators.builder import check
from rtvirt.configurators.clock import TIMERS
from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml.boot import Boot
from rtvirt.libvirtxml.boot import OSType
from rtvirt.libvirtxml.clock import Clock
from rtvirt.libvirtxml.console import Console
from rtvirt.libvirtxml.console import PortTarget
from rtvirt.libvirtxml.console import Serial
from rtvirt.libvirtxml.cpu import CPU
from rtvirt.libvirtxml.devices import Devices
from rtvirt.libvirtxml.disk import Controller
from rtvirt.libvirtxml.disk import Disk as DiskElement
from rtvirt.libvirtxml.disk import DiskSource
from rtvirt.libvirtxml.disk import DiskTarget
from rtvirt.libvirtxml.disk import Driver
from rtvirt.libvirtxml.document import FORMAT
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.libvirtxml.features import Features
from rtvirt.libvirtxml.interface import Interface
from rtvirt.libvirtxml.interface import InterfaceSource
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.model.check import shown
from rtvirt.model.plan import Plan

__all__ = [
    'Disk',
    'Network',
    'apply_plan',
    'domain_xml',
    'parse_domain',
    'plan_of',
]

_VIRT_TYPES: Final = ('kvm', 'qemu')
_FORMATS: Final = ('raw', 'qcow2')
_UUID: Final = re.compile(
    r'[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'
)
_MAC: Final = re.compile(r'[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}')
_NAME: Final = re.compile(r'[^/\x00-\x1f\x7f]{1,255}')
_A_NAME: Final = 'a text without / and control characters'
_MACHINE: Final = re.compile(r'[a-zA-Z0-9._-]{1,80}')


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk of the guest, served by virtio.

    :ivar path: absolute, of a file, or of a block device below ``/dev/``.
    :ivar format: ``raw`` or ``qcow2``. It is never guessed: a guest can
        write anything at the beginning of a raw image.
    """

    path: str
    format: str = 'raw'

    def __post_init__(self) -> None:
        _require_path('the path of a disk', self.path)
        _require_word('the format of a disk', self.format, _FORMATS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A virtio network card.

    :ivar network: a network of libvirt, or None.
    :ivar bridge: a bridge of the host, or None. With neither, the card is
        behind QEMU's own address translation.
    :ivar mac: its address; libvirt makes one where None.
    """

    network: str | None = None
    bridge: str | None = None
    mac: str | None = None

    def __post_init__(self) -> None:
        _require('the network', self.network, _NAME, _A_NAME)
        _require('the bridge', self.bridge, _NAME, _A_NAME)
        if self.network and self.bridge:
            raise DomainXMLError(
                f'a network card is plugged into network '
                f'{shown(self.network)} and into bridge {shown(self.bridge)}: '
                'expected one of them',
                hint='leave one of the two out',
            )
        expected = 'six bytes, as in 52:54:00:12:34:56'
        _require('the MAC address', self.mac, _MAC, expected)


def domain_xml(
    plan: Plan,
    *,
    name: str,
    uuid: str | None = None,
    virt_type: str = 'kvm',
    machine: str = 'q35',
    disks: Iterable[Disk | str] = (),
    kernel: str | None = None,
    initrd: str | None = None,
    cmdline: str | None = None,
    network: Network | str | None = None,
    console: str | None = 'pty',
    emulator: str | None = None,
    configurators: Sequence[Configurator] | None = None,
) -> str:
    """Return the XML of a bootable domain for a plan.

    :param uuid: libvirt makes one where None.
    :param virt_type: ``kvm``, or ``qemu`` for software emulation.
    :param machine: QEMU's machine type: ``q35``, ``pc``, or a versioned one.
    :param disks: a text is the path of a raw disk.
    :param kernel: for a direct boot: a path on the host, as is ``initrd``.
    :param network: a text is the name of a network of libvirt.
    :param console: ``pty``, or the absolute path of a file that the serial
        console is written to; None for none.
    :param emulator: path of QEMU on the host; libvirt's choice where None.
    :param configurators: those installed, where None.
    :raises DomainXMLError: naming the argument that is wrong.
    :raises PluginError: if a configurator is broken, or two are in conflict.
    """
    check_identity(name or '', uuid)
    _require('the machine type', machine, _MACHINE, 'a word, as in q35')
    _require_word('the type', virt_type, _VIRT_TYPES)
    for what, path in (
        ('the kernel', kernel),
        ('the initrd', initrd),
        ('the emulator', emulator),
        ('the console', None if console == 'pty' else console),
    ):
        if path is not None:
            _require_path(what, path)
    if kernel is None and (initrd is not None or cmdline is not None):
        raise DomainXMLError(
            'an initrd or a command line needs a kernel',
            hint='name the kernel, too, or leave both to the boot loader',
        )
    domain = Domain(
        virt_type=virt_type,
        name=name,
        uuid=uuid,
        boot=Boot(
            type=OSType(arch='x86_64', machine=machine),
            kernel=kernel,
            initrd=initrd,
            cmdline=cmdline,
        ),
        features=_EMULATED_FEATURES if virt_type == 'qemu' else _FEATURES,
        cpu=_EMULATED_CPU if virt_type == 'qemu' else _CPU,
        clock=_CLOCK,
        devices=_to_devices(disks, network, console, emulator),
    )
    build(plan, domain, _chosen(configurators))
    return domain.to_xml()


def check_identity(name: str | None, uuid: str | None) -> None:
    """Check what libvirt is to know a domain by; None is left to it.

    :raises DomainXMLError: naming which of the two is wrong.
    """
    _require('the name', name, _NAME, _A_NAME)
    _require('the uuid', uuid, _UUID, '32 hexadecimal digits, 8-4-4-4-12')


def apply_plan(
    plan: Plan,
    xml: str | bytes,
    configurators: Sequence[Configurator] | None = None,
) -> str:
    """Return a domain document with the tuning of a plan merged into it.

    What no configurator owns stays byte for byte; doing it again changes
    nothing.

    :param xml: a domain document, whoever made it.
    :param configurators: those installed, where None.
    :raises DomainXMLError: naming the line and what is wrong there.
    :raises PluginError: if a configurator is broken, or two are in conflict.
    """
    domain = parse_domain(xml)
    build(plan, domain, _chosen(configurators))
    return domain.to_xml()


_FEATURES: Final = Features(acpi=True, apic=True, vmcoreinfo=True)
# Emulation keeps what it translates, by default up to 1 GiB of it, and a
# locked guest keeps that in RAM too.
_EMULATED_FEATURES: Final = Features(
    acpi=True, apic=True, vmcoreinfo=True, tb_cache_kib=64 << 10
)
_CPU: Final = CPU(mode='host-model')
_EMULATED_CPU: Final = CPU(mode='maximum')
_CLOCK: Final = Clock(offset='utc', timers=TIMERS)
_PORT: Final = PortTarget(port=0)
_CONSOLE_PORT: Final = PortTarget(type='serial', port=0)
_PTY_SERIALS: Final = (Serial(type='pty', target=_PORT),)
_PTY_CONSOLES: Final = (Console(type='pty', target=_CONSOLE_PORT),)
# libvirt adds a USB controller to every domain that names none; polling it
# wakes the emulator up.
_NO_USB: Final = (Controller(type='usb', model='none'),)


def _chosen(
    configurators: Sequence[Configurator] | None,
) -> Sequence[Configurator]:
    if configurators is not None:
        check(configurators)
        return configurators
    # Here, for it brings stevedore in: `import rtvirt` must not.
    from rtvirt import plugins  # noqa: PLC0415

    return plugins.configurators()


def _to_devices(
    disks: Iterable[Disk | str],
    network: Network | str | None,
    console: str | None,
    emulator: str | None,
) -> Devices:
    serials: tuple[Serial, ...] = ()
    consoles: tuple[Console, ...] = ()
    if console == 'pty':
        serials, consoles = _PTY_SERIALS, _PTY_CONSOLES
    elif console is not None:
        serials = (Serial(type='file', path=console, target=_PORT),)
        consoles = (Console(type='file', path=console, target=_CONSOLE_PORT),)
    return Devices(
        emulator=emulator,
        disks=tuple(_to_disk(index, disk) for index, disk in enumerate(disks)),
        controllers=_NO_USB,
        interfaces=() if network is None else (_to_interface(network),),
        serials=serials,
        consoles=consoles,
    )


def _to_disk(index: int, disk: Disk | str) -> DiskElement:
    if not isinstance(disk, Disk):
        disk = Disk(path=disk)
    is_block = disk.path.startswith('/dev/')
    return DiskElement(
        type='block' if is_block else 'file',
        driver=Driver(name='qemu', type=disk.format),
        source=DiskSource(dev=disk.path)
        if is_block
        else DiskSource(file=disk.path),
        target=DiskTarget(dev=_to_letters(index), bus='virtio'),
    )


def _to_letters(index: int) -> str:
    """Return vda for 0, vdz for 25, vdaa for 26."""
    letters = ''
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord('a') + letter) + letters
    return f'vd{letters}'


def _to_interface(network: Network | str) -> Interface:
    if not isinstance(network, Network):
        network = Network(network=network)
    kind = 'network' if network.network else 'user'
    return Interface(
        type='bridge' if network.bridge else kind,
        mac=network.mac,
        source=InterfaceSource(network=network.network, bridge=network.bridge),
        model='virtio',
    )


def _require(
    what: str, value: str | None, pattern: re.Pattern[str], expected: str
) -> None:
    if value is None:
        return
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise DomainXMLError(
            f'{what} is {shown(value)}: expected {expected}', hint=FORMAT
        )


def _require_word(what: str, value: str, words: tuple[str, ...]) -> None:
    if value not in words:
        raise DomainXMLError(
            f'{what} is {shown(value)}: expected {" or ".join(words)}',
            hint=FORMAT,
        )


def _require_path(what: str, path: str) -> None:
    if not isinstance(path, str) or not path.startswith('/'):
        raise DomainXMLError(
            f'{what} is {shown(path)}: expected an absolute path',
            hint='write it from / on: libvirt looks for it from another '
            'directory than yours',
        )

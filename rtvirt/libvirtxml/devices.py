# SPDX-License-Identifier: Apache-2.0
"""``<devices>``: those that rtvirt makes or changes."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated
from typing import ClassVar

from rtvirt.libvirtxml.console import Console
from rtvirt.libvirtxml.console import Serial
from rtvirt.libvirtxml.disk import Controller
from rtvirt.libvirtxml.disk import Disk
from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Leaf
from rtvirt.libvirtxml.interface import Interface
from rtvirt.libvirtxml.kind import BODY
from rtvirt.libvirtxml.memballoon import MemBalloon
from rtvirt.libvirtxml.nested import Nested
from rtvirt.libvirtxml.nested import Repeated


@element('devices')
class Devices(Element):
    """The devices that rtvirt makes or changes.

    Comparison leaves out what libvirt adds to every domain.

    :ivar emulator: path of QEMU on the host; None lets libvirt choose.
    """

    ORDER: ClassVar[tuple[str, ...]] = (
        'emulator',
        'disk',
        'controller',
        'lease',
        'filesystem',
        'interface',
        'smartcard',
        'serial',
        'parallel',
        'console',
        'channel',
        'input',
        'tpm',
        'graphics',
        'sound',
        'audio',
        'video',
        'hostdev',
        'redirdev',
        'redirfilter',
        'hub',
        'watchdog',
        'memballoon',
        'rng',
        'nvram',
        'panic',
        'shmem',
        'memory',
        'iommu',
        'vsock',
        'crypto',
        'pstore',
    )

    emulator: Annotated[str | None, Leaf('emulator', BODY)] = field(
        default=None, compare=False
    )
    disks: Annotated[
        tuple[Disk, ...],
        Repeated(Disk, identity=lambda disk: disk.target.dev),
    ] = ()
    controllers: Annotated[
        tuple[Controller, ...],
        Repeated(Controller, identity=lambda it: (it.type, it.index)),
    ] = field(default=(), compare=False)
    interfaces: Annotated[tuple[Interface, ...], Repeated(Interface)] = field(
        default=(), compare=False
    )
    serials: Annotated[tuple[Serial, ...], Repeated(Serial)] = ()
    consoles: Annotated[tuple[Console, ...], Repeated(Console)] = ()
    memballoon: Annotated[
        MemBalloon | None,
        Nested(MemBalloon, identity=lambda balloon: balloon.model),
    ] = None

# SPDX-License-Identifier: Apache-2.0
"""``<disk>`` and ``<controller>``, and the I/O threads that serve them."""

from __future__ import annotations

from typing import Annotated
from typing import ClassVar

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.field import Flag
from rtvirt.libvirtxml.kind import INT
from rtvirt.libvirtxml.kind import TEXT
from rtvirt.libvirtxml.nested import Group
from rtvirt.libvirtxml.nested import Nested


@element('driver')
class Driver(Element):
    """How QEMU serves a disk or a controller; None is unset.

    :ivar type: format of the image, ``raw`` or ``qcow2``.
    :ivar iothread: id of the I/O thread that does it.
    :ivar iothreads: whether several do, as child elements tell.
    """

    name: Annotated[str | None, Attribute('name', TEXT)] = None
    type: Annotated[str | None, Attribute('type', TEXT)] = None
    cache: Annotated[str | None, Attribute('cache', TEXT)] = None
    io: Annotated[str | None, Attribute('io', TEXT)] = None
    iothread: Annotated[int | None, Attribute('iothread', INT)] = None
    iothreads: Annotated[bool, Flag('iothreads')] = False


@element('source')
class DiskSource(Element):
    """Where a disk's content is: a file or a block device."""

    file: Annotated[str | None, Attribute('file', TEXT)] = None
    dev: Annotated[str | None, Attribute('dev', TEXT)] = None


@element('target')
class DiskTarget(Element):
    """What the guest sees of a disk.

    :ivar dev: a name, unique in the domain.
    :ivar bus: ``virtio``, ``scsi``, ``sata``, ...
    """

    dev: Annotated[str, Attribute('dev', TEXT)]
    bus: Annotated[str | None, Attribute('bus', TEXT)] = None


@element('disk')
class Disk(Element):
    """One disk.

    :ivar type: ``file``, ``block``, ``network``, ``volume``, ...
    :ivar device: ``disk``, ``cdrom``, ``lun`` or ``floppy``.
    """

    ORDER: ClassVar[tuple[str, ...]] = (
        'driver',
        'auth',
        'source',
        'backingStore',
        'backenddomain',
        'geometry',
        'blockio',
        'mirror',
        'target',
        'iotune',
        'readonly',
        'shareable',
        'transient',
        'serial',
        'wwn',
        'vendor',
        'product',
        'encryption',
        'boot',
        'alias',
        'address',
    )

    type: Annotated[str, Attribute('type', TEXT, always=True)] = 'file'
    device: Annotated[str, Attribute('device', TEXT, always=True)] = 'disk'
    driver: Annotated[Driver, Group(Driver)] = Driver()
    source: Annotated[DiskSource, Group(DiskSource)] = DiskSource()
    target: Annotated[DiskTarget, Nested(DiskTarget)]
    readonly: Annotated[bool, Flag('readonly')] = False


@element('controller')
class Controller(Element):
    """One controller of other devices.

    :ivar type: ``scsi``, ``usb``, ``pci``, ...
    """

    type: Annotated[str, Attribute('type', TEXT)]
    index: Annotated[int | None, Attribute('index', INT)] = None
    model: Annotated[str | None, Attribute('model', TEXT)] = None
    driver: Annotated[Driver, Group(Driver)] = Driver()

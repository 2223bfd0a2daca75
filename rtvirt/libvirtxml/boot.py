# SPDX-License-Identifier: Apache-2.0
"""``<os>``: the machine type and what it boots."""

from __future__ import annotations

from typing import Annotated
from typing import ClassVar

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.field import Content
from rtvirt.libvirtxml.field import Leaf
from rtvirt.libvirtxml.kind import BODY
from rtvirt.libvirtxml.kind import TEXT
from rtvirt.libvirtxml.nested import Nested


@element('type')
class OSType(Element):
    """The machine.

    :ivar type: ``hvm`` for a whole emulated machine.
    """

    arch: Annotated[str | None, Attribute('arch', TEXT)] = None
    machine: Annotated[str | None, Attribute('machine', TEXT)] = None
    type: Annotated[str, Content(BODY)] = 'hvm'


@element('os')
class Boot(Element):
    """The machine type and what it boots.

    :ivar kernel: of a direct boot: a path on the host, as is ``initrd``.
    :ivar cmdline: the kernel's arguments.
    """

    ORDER: ClassVar[tuple[str, ...]] = (
        'type',
        'firmware',
        'init',
        'initarg',
        'initenv',
        'initdir',
        'inituser',
        'initgroup',
        'loader',
        'nvram',
        'kernel',
        'initrd',
        'cmdline',
        'dtb',
        'root',
        'acpi',
        'boot',
        'bootmenu',
        'bios',
        'smbios',
    )

    type: Annotated[OSType, Nested(OSType)]
    kernel: Annotated[str | None, Leaf('kernel', BODY)] = None
    initrd: Annotated[str | None, Leaf('initrd', BODY)] = None
    cmdline: Annotated[str | None, Leaf('cmdline', BODY)] = None

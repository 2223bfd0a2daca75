# SPDX-License-Identifier: Apache-2.0
"""``<serial>`` and ``<console>``: where the guest's text goes."""

from __future__ import annotations

from typing import Annotated

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.field import Leaf
from rtvirt.libvirtxml.kind import INT
from rtvirt.libvirtxml.kind import TEXT
from rtvirt.libvirtxml.nested import Nested


@element('target')
class PortTarget(Element):
    """Which port the guest sees.

    :ivar type: of a console: ``serial``.
    """

    type: Annotated[str | None, Attribute('type', TEXT)] = None
    port: Annotated[int | None, Attribute('port', INT)] = None


@element('serial')
class Serial(Element):
    """A serial port.

    :ivar type: ``pty`` or ``file``.
    :ivar path: of the file.
    """

    type: Annotated[str, Attribute('type', TEXT)]
    path: Annotated[str | None, Leaf('source', TEXT, 'path')] = None
    target: Annotated[PortTarget | None, Nested(PortTarget)] = None


@element('console')
class Console(Element):
    """The console: here, the first serial port again."""

    type: Annotated[str, Attribute('type', TEXT)]
    path: Annotated[str | None, Leaf('source', TEXT, 'path')] = None
    target: Annotated[PortTarget | None, Nested(PortTarget)] = None

# SPDX-License-Identifier: Apache-2.0
"""``<memballoon>``: the device that takes memory back from the guest."""

from __future__ import annotations

from typing import Annotated

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.field import Leaf
from rtvirt.libvirtxml.kind import INT
from rtvirt.libvirtxml.kind import ON_OFF
from rtvirt.libvirtxml.kind import TEXT


@element('memballoon')
class MemBalloon(Element):
    """The device that takes memory back from the guest.

    :ivar model: ``virtio``, or ``none``; libvirt adds a virtio one where
        a document has no such element.
    :ivar stats_period: seconds between two questions for statistics.
    """

    model: Annotated[str, Attribute('model', TEXT)]
    autodeflate: Annotated[bool | None, Attribute('autodeflate', ON_OFF)] = (
        None
    )
    free_page_reporting: Annotated[
        bool | None, Attribute('freePageReporting', ON_OFF)
    ] = None
    stats_period: Annotated[int | None, Leaf('stats', INT, 'period')] = None

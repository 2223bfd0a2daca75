# SPDX-License-Identifier: Apache-2.0
"""``<interface>``: the guest's network cards."""

from __future__ import annotations

from typing import Annotated
from typing import ClassVar

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.field import Leaf
from rtvirt.libvirtxml.kind import TEXT
from rtvirt.libvirtxml.nested import Group


@element('source')
class InterfaceSource(Element):
    """What a network card is plugged into.

    :ivar network: a network of libvirt.
    :ivar bridge: a bridge of the host.
    """

    network: Annotated[str | None, Attribute('network', TEXT)] = None
    bridge: Annotated[str | None, Attribute('bridge', TEXT)] = None


@element('interface')
class Interface(Element):
    """One network card.

    :ivar type: ``network``, ``bridge``, ``user``, ...
    :ivar model: what the guest sees, ``virtio``.
    """

    ORDER: ClassVar[tuple[str, ...]] = ('mac', 'source', 'target', 'model')

    type: Annotated[str, Attribute('type', TEXT)]
    mac: Annotated[str | None, Leaf('mac', TEXT, 'address')] = None
    source: Annotated[InterfaceSource, Group(InterfaceSource)] = (
        InterfaceSource()
    )
    model: Annotated[str | None, Leaf('model', TEXT, 'type')] = None

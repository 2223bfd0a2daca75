# SPDX-License-Identifier: Apache-2.0
"""``<memoryBacking>``: the pages that back the guest's memory."""

from __future__ import annotations

from typing import Annotated
from typing import ClassVar

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Amount
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.field import Flag
from rtvirt.libvirtxml.kind import CPUS
from rtvirt.libvirtxml.kind import INT
from rtvirt.libvirtxml.nested import Repeated
from rtvirt.libvirtxml.nested import Wrapped
from rtvirt.model.cpuset import CPUSet


@element('page')
class HugePage(Element):
    """Huge pages of one size.

    :ivar nodeset: guest cells; None means all that no other entry names.
    """

    size_kib: Annotated[int, Amount('size', INT)]
    nodeset: Annotated[CPUSet | None, Attribute('nodeset', CPUS)] = None


@element('memoryBacking')
class MemoryBacking(Element):
    """The pages that back the guest's memory.

    :ivar hugepages: empty means those of the host's default size; None
        means ordinary pages.
    :ivar nosharepages: whether KSM must not merge them.
    :ivar locked: whether they must stay in RAM.
    """

    ORDER: ClassVar[tuple[str, ...]] = (
        'hugepages',
        'nosharepages',
        'locked',
        'source',
        'access',
        'allocation',
        'discard',
    )

    hugepages: Annotated[
        tuple[HugePage, ...] | None,
        Wrapped(
            'hugepages',
            Repeated(HugePage, identity=lambda page: page.nodeset),
            meaning=True,
        ),
    ] = None
    nosharepages: Annotated[bool, Flag('nosharepages')] = False
    locked: Annotated[bool, Flag('locked')] = False

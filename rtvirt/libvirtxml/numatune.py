# SPDX-License-Identifier: Apache-2.0
"""``<numatune>``: the host cells that memory comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.kind import CPUS
from rtvirt.libvirtxml.kind import INT
from rtvirt.libvirtxml.kind import TEXT
from rtvirt.libvirtxml.nested import Keyed
from rtvirt.libvirtxml.nested import Nested
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict


@element('memory')
class NUMAMemory(Element):
    """The rule for all memory of the guest.

    :ivar mode: ``strict``, ``preferred``, ``interleave``, ``restrictive``.
    :ivar placement: ``static``, or ``auto`` where numad chooses.
    :ivar nodeset: host cells.
    """

    mode: Annotated[str, Attribute('mode', TEXT, always=True)] = 'strict'
    placement: Annotated[str, Attribute('placement', TEXT)] = 'static'
    nodeset: Annotated[CPUSet | None, Attribute('nodeset', CPUS)] = None


@element('memnode')
class MemNode(Element):
    """The rule for the memory of one guest cell.

    :ivar nodeset: host cells.
    """

    mode: Annotated[str, Attribute('mode', TEXT)]
    nodeset: Annotated[CPUSet, Attribute('nodeset', CPUS)]


@element('numatune')
class NUMATune(Element):
    """The host cells that memory comes from.

    :ivar memnodes: by id of the guest cell.
    """

    memory: Annotated[NUMAMemory | None, Nested(NUMAMemory)] = None
    memnodes: Annotated[
        Mapping[int, MemNode], Keyed(MemNode, 'cellid', INT)
    ] = FrozenDict()

    def __post_init__(self) -> None:
        if type(self.memnodes) is not FrozenDict:
            object.__setattr__(self, 'memnodes', FrozenDict(self.memnodes))

# SPDX-License-Identifier: Apache-2.0
"""``<cpu>``: the CPU the guest sees, its topology and its NUMA cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from typing import ClassVar

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Amount
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.field import Table
from rtvirt.libvirtxml.kind import CPUS
from rtvirt.libvirtxml.kind import INT
from rtvirt.libvirtxml.kind import TEXT
from rtvirt.libvirtxml.nested import Nested
from rtvirt.libvirtxml.nested import Numbered
from rtvirt.libvirtxml.nested import Wrapped
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict


@element('topology')
class Topology(Element):
    """Sockets, dies of a socket, cores of a die, threads of a core."""

    sockets: Annotated[int, Attribute('sockets', INT)]
    dies: Annotated[int, Attribute('dies', INT)] = 1
    cores: Annotated[int, Attribute('cores', INT)]
    threads: Annotated[int, Attribute('threads', INT)]


@element('cell')
class NUMACell(Element):
    """One guest cell.

    :ivar cpus: its vCPUs.
    :ivar mem_access: ``shared`` or ``private``; None leaves it to
        ``<memoryBacking>``.
    :ivar distances: how far other guest cells are, by their ids; 10 is
        here.
    """

    cpus: Annotated[CPUSet | None, Attribute('cpus', CPUS)] = None
    memory_kib: Annotated[int, Amount('memory', INT)]
    mem_access: Annotated[str | None, Attribute('memAccess', TEXT)] = None
    distances: Annotated[
        Mapping[int, int],
        Wrapped('distances', Table('sibling', ('id', INT), ('value', INT))),
    ] = FrozenDict()

    def __post_init__(self) -> None:
        if type(self.distances) is not FrozenDict:
            object.__setattr__(self, 'distances', FrozenDict(self.distances))


@element('cpu')
class CPU(Element):
    """The CPU the guest sees.

    :ivar mode: ``host-model``, ``host-passthrough``, ``maximum``, or
        ``custom``, which is what None means too.
    :ivar features: policies (``require``, ``disable``, ...) of flags.
    :ivar cells: the guest's NUMA cells, by id.
    """

    ORDER: ClassVar[tuple[str, ...]] = (
        'arch',
        'model',
        'vendor',
        'topology',
        'cache',
        'maxphysaddr',
        'feature',
        'numa',
    )

    mode: Annotated[str | None, Attribute('mode', TEXT)] = None
    topology: Annotated[Topology | None, Nested(Topology)] = None
    features: Annotated[
        Mapping[str, str], Table('feature', ('name', TEXT), ('policy', TEXT))
    ] = FrozenDict()
    cells: Annotated[
        Mapping[int, NUMACell],
        Wrapped('numa', Numbered(NUMACell, 'id', INT)),
    ] = FrozenDict()

    def __post_init__(self) -> None:
        for name in ('features', 'cells'):
            if type(mapping := getattr(self, name)) is not FrozenDict:
                object.__setattr__(self, name, FrozenDict(mapping))

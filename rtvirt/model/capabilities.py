# SPDX-License-Identifier: Apache-2.0
"""A host's topology from libvirt's capabilities XML.

Read with expat alone: no entity is ever declared, because a document type
is refused; nothing outside the document is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import Final
from xml.parsers import expat

from rtvirt.exception import HostError
from rtvirt.exception import RTVirtError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.model.pages import PagePool
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank
from rtvirt.model.resctrl import CacheType

MAX_SIZE: Final = 1 << 23
"""Bytes of a document; a host with 16384 pCPUs takes about 2 MiB."""

_MAX_ELEMENTS: Final = 1 << 16
_MAX_DEPTH: Final = 16
_MAX_DIGITS: Final = 15
_KEPT: Final = frozenset({'cpu', 'topology', 'cache', 'memory_bandwidth'})
"""The children of <host> that say something about its topology."""

_BYTES: Final = {
    'b': 1,
    'bytes': 1,
    'KB': 1000,
    'k': 1024,
    'KiB': 1024,
    'MiB': 1 << 20,
    'GiB': 1 << 30,
    'TiB': 1 << 40,
}
_SHOWN: Final = 60


@dataclass(slots=True)
class _Element:
    """One element of the part that is kept."""

    name: str
    attributes: dict[str, str]
    line: int
    text: str = ''
    children: list[_Element] = field(default_factory=list)

    def find(self, path: str) -> list[_Element]:
        """Return the descendants under a path of names."""
        found = [self]
        for name in path.split('/'):
            found = [c for e in found for c in e.children if c.name == name]
        return found

    def wrong(self, why: str) -> HostError:
        return HostError(
            f'line {self.line} of the capabilities: <{self.name}> {why}'
        )

    def number(self, attribute: str, default: int | None = None) -> int:
        """Return a whole number; without a default it must be there."""
        text = self.attributes.get(attribute)
        if text is not None:
            return self._to_int(text, attribute)
        if default is None:
            raise self.wrong(f'lacks the attribute {attribute}')
        return default

    def kib(self, attribute: str = '') -> int:
        """Return an attribute, or the text, in KiB by ``unit``."""
        number = self.number(attribute) if attribute else self.count()
        unit = self.attributes.get('unit', 'KiB')
        if unit not in _BYTES:
            raise self.wrong(
                f'has the unit {unit!r:.{_SHOWN}}: expected one of '
                f'{", ".join(_BYTES)}'
            )
        return number * _BYTES[unit] // 1024

    def cache_type(self) -> CacheType:
        """Return the attribute ``type``: what an allocation holds."""
        text = self.attributes.get('type', 'both')
        try:
            return CacheType(text)
        except ValueError:
            raise self.wrong(
                f'has the type {text!r:.{_SHOWN}}: expected one of '
                f'{", ".join(CacheType)}'
            ) from None

    def count(self) -> int:
        """Return the text as a whole number."""
        return self._to_int(self.text.strip(), 'text')

    def cpus(self, attribute: str) -> CPUSet:
        """Return a list of CPUs; the empty set where there is none."""
        try:
            return CPUSet.parse(self.attributes.get(attribute, ''))
        except RTVirtError as error:
            raise self.wrong(f'has a bad {attribute}: {error}') from None

    def _to_int(self, text: str, what: str) -> int:
        if not text.isascii() or not text.isdigit():
            raise self.wrong(
                f'has the {what} {text!r:.{_SHOWN}}: expected a whole number'
            )
        if len(text) > _MAX_DIGITS:
            raise self.wrong(f'has a {what} of more than {_MAX_DIGITS} digits')
        return int(text)


class _Builder:
    """Makes the tree of the elements that matter and skips the rest."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.root: _Element | None = None
        self._open: list[_Element] = []
        self._depth = 0
        self._elements = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > len(self._open) + 1 or not self._wanted(name):
            return
        line = self.parser.CurrentLineNumber
        self._elements += 1
        if self._elements > _MAX_ELEMENTS or self._depth > _MAX_DEPTH:
            raise HostError(
                f'line {line} of the capabilities: more elements than any '
                'host has'
            )
        element = _Element(name, attributes, line)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _wanted(self, name: str) -> bool:
        if self._depth == 2:
            return name == 'host'
        return self._depth != 3 or name in _KEPT

    def _end(self, _name: str) -> None:
        if self._depth == len(self._open):
            self._open.pop()
        self._depth -= 1

    def _characters(self, text: str) -> None:
        if self._depth == len(self._open):
            self._open[-1].text += text

    def _doctype(self, *_details: object) -> None:
        raise HostError(
            f'line {self.parser.CurrentLineNumber} of the capabilities: a '
            'document type is not allowed',
            hint='libvirt writes none; take the <!DOCTYPE ...> out',
        )


def parse_capabilities(xml: str | bytes) -> HostTopology:
    """Read what ``virsh capabilities`` prints.

    Every online pCPU is both dedicated and shared, and nothing is taken:
    :func:`~rtvirt.model.partition.partition` deals them out.  A document
    without ``<topology>`` gives a host without cells.

    :raises HostError: naming the line and what is wrong there.
    :raises ModelError: if the cells contradict each other.
    """
    host = _parse(xml)
    base_kib = min(
        (pages.kib('size') for pages in host.find('cpu/pages')), default=4
    )
    caches = tuple(
        _to_bank(element)
        for element in host.find('cache/bank')
        if element.attributes.get('level') == '3'
    )
    return HostTopology(
        cells=tuple(
            _to_cell(element, caches, base_kib)
            for element in host.find('topology/cells/cell')
        ),
        caches=caches,
        bandwidths=tuple(
            _to_bandwidth(element)
            for element in host.find('memory_bandwidth/node')
        ),
    )


def _parse(xml: str | bytes) -> _Element:
    """Return the element <host>."""
    if len(xml) > MAX_SIZE:
        raise HostError(
            f'the capabilities are longer than {MAX_SIZE >> 20} MiB',
            hint='give what `virsh capabilities` prints',
        )
    builder = _Builder()
    try:
        builder.parser.Parse(xml, True)
    except (expat.ExpatError, UnicodeError, LookupError) as error:
        raise HostError(
            f'these capabilities are no XML: {error}',
            hint='give what `virsh capabilities` prints',
        ) from None
    root = builder.root
    if root is None or root.name != 'capabilities':
        raise HostError(
            f'the XML begins with <{root.name if root else ""}>: expected '
            '<capabilities>',
            hint='give what `virsh capabilities` prints',
        )
    hosts = root.find('host')
    if len(hosts) != 1:
        raise root.wrong(f'has {len(hosts)} elements <host>: expected one')
    return hosts[0]


def _to_cell(
    element: _Element, caches: tuple[CacheBank, ...], base_kib: int
) -> HostCell:
    online, cores, sockets = _read_cpus(element)
    memory_kib = sum(memory.kib() for memory in element.find('memory'))
    return HostCell(
        id=element.number('id'),
        dedicated=online,
        shared=online,
        siblings=cores,
        memory_mib=memory_kib // 1024,
        pages=_read_pages(element, memory_kib, base_kib),
        l3=tuple(bank.cpus & online for bank in caches if bank.cpus & online),
        socket=sockets.pop() if len(sockets) == 1 else None,
    )


def _read_cpus(
    cell: _Element,
) -> tuple[CPUSet, tuple[CPUSet, ...], set[int]]:
    """Return the online pCPUs, the cores and the packages of a cell.

    libvirt gives an offline pCPU its ``id`` alone.
    """
    online = []
    named = []
    sockets = set()
    for cpu in cell.find('cpus/cpu'):
        if 'siblings' in cpu.attributes:
            online.append(cpu.number('id'))
            named.append(cpu.cpus('siblings'))
            if 'socket_id' in cpu.attributes:
                sockets.add(cpu.number('socket_id'))
    cpus = CPUSet(online)
    cores = dict.fromkeys(core & cpus for core in named)
    return cpus, tuple(cores), sockets


def _read_pages(
    cell: _Element, memory_kib: int, base_kib: int
) -> tuple[PagePool, ...]:
    """Return the pools of a cell.

    libvirt before 1.2.8 names none: then all memory is ordinary pages.
    """
    pools = tuple(
        PagePool(
            size_kib=pages.kib('size'),
            total=pages.count(),
        )
        for pages in cell.find('pages')
    )
    return pools or (
        PagePool(size_kib=base_kib, total=memory_kib // base_kib),
    )


def _to_bank(element: _Element) -> CacheBank:
    """Read a cache; where it cannot be shared out it has no <control>.

    Code and data kept apart (CDP) have a <control> each, and equal steps.
    """
    controls = element.find('control')
    first = controls[0] if controls else _Element('control', {}, 0)
    types = dict.fromkeys(control.cache_type() for control in controls)
    return CacheBank(
        id=element.number('id'),
        level=element.number('level'),
        cpus=element.cpus('cpus'),
        size_kib=element.kib('size'),
        granularity_kib=first.kib('granularity') if controls else 0,
        minimum_kib=first.kib('min') if 'min' in first.attributes else 0,
        max_groups=first.number('maxAllocs', 0),
        types=tuple(types) or (CacheType.BOTH,),
    )


def _to_bandwidth(element: _Element) -> BandwidthNode:
    controls = element.find('control')
    control = controls[0] if controls else _Element('control', {}, 0)
    return BandwidthNode(
        id=element.number('id'),
        cpus=element.cpus('cpus'),
        granularity=control.number('granularity', 0),
        minimum=control.number('min', 0),
        max_groups=control.number('maxAllocs', 0),
    )

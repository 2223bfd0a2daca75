# SPDX-License-Identifier: Apache-2.0
"""``<domain>``: a typed view of a document that keeps all of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import field
from typing import Annotated
from typing import ClassVar
from typing import Self

from rtvirt.libvirtxml.boot import Boot
from rtvirt.libvirtxml.clock import Clock
from rtvirt.libvirtxml.codec import codec_of
from rtvirt.libvirtxml.cpu import CPU
from rtvirt.libvirtxml.cputune import CPUTune
from rtvirt.libvirtxml.devices import Devices
from rtvirt.libvirtxml.document import Document
from rtvirt.libvirtxml.edit import Edits
from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.features import Features
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.field import Leaf
from rtvirt.libvirtxml.field import Quantity
from rtvirt.libvirtxml.iothreads import IOThread
from rtvirt.libvirtxml.kind import BODY
from rtvirt.libvirtxml.kind import INT
from rtvirt.libvirtxml.kind import TEXT
from rtvirt.libvirtxml.memory_backing import MemoryBacking
from rtvirt.libvirtxml.metadata import NAMESPACE
from rtvirt.libvirtxml.nested import Group
from rtvirt.libvirtxml.nested import Keyed
from rtvirt.libvirtxml.nested import Nested
from rtvirt.libvirtxml.nested import Wrapped
from rtvirt.libvirtxml.numatune import NUMATune
from rtvirt.libvirtxml.vcpu import VCPU
from rtvirt.libvirtxml.vcpu import VCPUState
from rtvirt.model.frozendict import FrozenDict


@element('domain', frozen=False)
class Domain(Element):
    """A domain: typed where rtvirt has a word in it, kept to the letter else.

    Fields are assigned; their values are frozen. Two domains are equal
    where all typed fields are, whatever else stands in their documents.

    :ivar virt_type: ``kvm`` or ``qemu`` (software emulation), or another
        hypervisor's.
    :ivar plan: what it was made from, as JSON; see
        :func:`rtvirt.plan_of`.
    :ivar memory_kib: of the guest; ``current_memory_kib`` is what the
        balloon leaves of it.
    :ivar vcpus: whether each vCPU is plugged in, where the document says.
    :ivar iothreads: how many I/O threads there are.
    :ivar iothreadids: those whose id somebody chose; libvirt gives the
        others the lowest ids that are free.
    :ivar boot: ``<os>``.
    """

    ORDER: ClassVar[tuple[str, ...]] = (
        'name',
        'uuid',
        'genid',
        'title',
        'description',
        'metadata',
        'maxMemory',
        'memory',
        'currentMemory',
        'blkiotune',
        'memtune',
        'memoryBacking',
        'vcpu',
        'vcpus',
        'iothreads',
        'iothreadids',
        'defaultiothread',
        'cputune',
        'numatune',
        'resource',
        'sysinfo',
        'bootloader',
        'bootloader_args',
        'os',
        'idmap',
        'features',
        'cpu',
        'clock',
        'on_poweroff',
        'on_reboot',
        'on_crash',
        'on_lockfailure',
        'pm',
        'perf',
        'devices',
        'seclabel',
        'keywrap',
        'launchSecurity',
    )

    virt_type: Annotated[str, Attribute('type', TEXT)]
    name: Annotated[str, Leaf('name', BODY)]
    uuid: Annotated[str | None, Leaf('uuid', BODY)] = None
    plan: Annotated[
        str | None,
        Wrapped(
            'metadata', Leaf(f'{{{NAMESPACE}}}plan', BODY, prefix='rtvirt')
        ),
    ] = None
    memory_kib: Annotated[int | None, Quantity('memory', INT)] = None
    current_memory_kib: Annotated[
        int | None, Quantity('currentMemory', INT)
    ] = None
    memory_backing: Annotated[MemoryBacking, Group(MemoryBacking)] = (
        MemoryBacking()
    )
    vcpu: Annotated[VCPU | None, Nested(VCPU)] = None
    vcpus: Annotated[
        Mapping[int, VCPUState],
        Wrapped('vcpus', Keyed(VCPUState, 'id', INT)),
    ] = FrozenDict()
    iothreads: Annotated[int | None, Leaf('iothreads', INT)] = None
    iothreadids: Annotated[
        Mapping[int, IOThread],
        Wrapped('iothreadids', Keyed(IOThread, 'id', INT)),
    ] = FrozenDict()
    cputune: Annotated[CPUTune, Group(CPUTune)] = CPUTune()
    numatune: Annotated[NUMATune, Group(NUMATune)] = NUMATune()
    boot: Annotated[Boot | None, Nested(Boot)] = None
    features: Annotated[Features, Group(Features)] = Features()
    cpu: Annotated[CPU, Group(CPU)] = CPU()
    clock: Annotated[Clock | None, Nested(Clock)] = None
    devices: Annotated[Devices, Group(Devices)] = Devices()
    _document: Document | None = field(default=None, compare=False, repr=False)
    _parsed: Domain | None = field(default=None, compare=False, repr=False)

    @classmethod
    def from_xml(cls, text: str | bytes) -> Self:
        """Read a domain document.

        :raises DomainXMLError: naming the line and what is wrong there.
        """
        document = Document(text)
        root = document.root
        if root.tag != cls.TAG:
            raise root.error(f'is the root: expected <{cls.TAG}>')
        domain: Self = codec_of(cls).read(root)
        domain._document = document
        domain._parsed = copy.copy(domain)
        return domain

    def to_xml(self) -> str:
        """Return the document: as it was read, but for what has changed.

        :raises DomainXMLError: for a value that XML cannot hold.
        """
        codec = codec_of(type(self))
        if self._document is None:
            return codec.write(self, '\n')[1:] + '\n'
        edits = Edits(self._document)
        codec.edit(edits, self._document.root, self._parsed, self)
        return edits.apply().decode()


def parse_domain(text: str | bytes) -> Domain:
    """Read a libvirt domain document, whoever made it.

    :param text: a document; bytes must be UTF-8.
    :raises DomainXMLError: naming the line and what is wrong there. A
        document type definition is refused, so that no entity is expanded
        and nothing outside is read; so is a document larger than
        :mod:`rtvirt.libvirtxml.document` allows.
    """
    return Domain.from_xml(text)


def with_name(text: str) -> str:
    """Return a template with an empty ``<name>`` if it has none at all.

    :raises DomainXMLError: if it is no XML, or has two names.
    """
    document = Document(text)
    root = document.root
    if root.tag != Domain.TAG or root.only('name') is not None:
        return text
    edits = Edits(document)
    edits.insert(root, [(0, f'{edits.pad(root)}<name></name>')], {'name': 0})
    return edits.apply().decode()

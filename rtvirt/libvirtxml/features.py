# SPDX-License-Identifier: Apache-2.0
"""``<features>``: what the hypervisor shows to the guest."""

from __future__ import annotations

from typing import Annotated
from typing import ClassVar

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Flag
from rtvirt.libvirtxml.field import Leaf
from rtvirt.libvirtxml.field import Quantity
from rtvirt.libvirtxml.kind import INT
from rtvirt.libvirtxml.kind import ON_OFF
from rtvirt.libvirtxml.nested import Group
from rtvirt.libvirtxml.nested import Wrapped


@element('kvm')
class KVM(Element):
    """What KVM tells the guest about itself; None is unset.

    :ivar hidden: whether it does not show itself.
    :ivar hint_dedicated: KVM_HINTS_REALTIME: vCPUs are never preempted.
    :ivar poll_control: whether the guest may end the host's polling.
    """

    hidden: Annotated[bool | None, Leaf('hidden', ON_OFF, 'state')] = None
    hint_dedicated: Annotated[
        bool | None, Leaf('hint-dedicated', ON_OFF, 'state')
    ] = None
    poll_control: Annotated[
        bool | None, Leaf('poll-control', ON_OFF, 'state')
    ] = None


@element('features')
class Features(Element):
    """What the hypervisor shows to the guest; None is unset.

    :ivar pmu: the performance monitoring unit.
    :ivar vmport: VMware's I/O port.
    :ivar vmcoreinfo: where a guest's kernel tells about its crash dump.
    :ivar tb_cache_kib: of software emulation: room for translated code.
    """

    ORDER: ClassVar[tuple[str, ...]] = (
        'acpi',
        'apic',
        'pae',
        'hap',
        'viridian',
        'privnet',
        'hyperv',
        'kvm',
        'xen',
        'pvspinlock',
        'pmu',
        'vmport',
        'gic',
        'smm',
        'ioapic',
        'hpt',
        'vmcoreinfo',
        'htm',
        'nested-hv',
        'msrs',
        'ccf-assist',
        'cfpc',
        'sbbc',
        'ibs',
        'tcg',
        'async-teardown',
        'ras',
        'ps2',
        'aia',
    )

    acpi: Annotated[bool, Flag('acpi')] = False
    apic: Annotated[bool, Flag('apic')] = False
    kvm: Annotated[KVM, Group(KVM)] = KVM()
    pmu: Annotated[bool | None, Leaf('pmu', ON_OFF, 'state', absent=True)] = (
        None
    )
    vmport: Annotated[
        bool | None, Leaf('vmport', ON_OFF, 'state', absent=True)
    ] = None
    vmcoreinfo: Annotated[
        bool | None, Leaf('vmcoreinfo', ON_OFF, 'state', absent=True)
    ] = None
    tb_cache_kib: Annotated[
        int | None, Wrapped('tcg', Quantity('tb-cache', INT))
    ] = None

# SPDX-License-Identifier: Apache-2.0
"""``<cputune>``: where threads run, under which scheduler, with how much."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Annotated
from typing import ClassVar
from typing import TypeVar

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Amount
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.field import Leaf
from rtvirt.libvirtxml.field import Table
from rtvirt.libvirtxml.kind import CPUS
from rtvirt.libvirtxml.kind import INT
from rtvirt.libvirtxml.kind import TEXT
from rtvirt.libvirtxml.nested import Nested
from rtvirt.libvirtxml.nested import Repeated
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict


@element('vcpusched')
class VCPUSched(Element):
    """The scheduler of some vCPU threads.

    :ivar scheduler: ``fifo``, ``rr``, ``batch`` or ``idle``.
    :ivar priority: of ``fifo`` and ``rr``.
    """

    cpus: Annotated[CPUSet, Attribute('vcpus', CPUS)]
    scheduler: Annotated[str, Attribute('scheduler', TEXT)]
    priority: Annotated[int | None, Attribute('priority', INT)] = None


@element('iothreadsched')
class IOThreadSched(Element):
    """The scheduler of some I/O threads.

    :ivar cpus: ids of I/O threads, not of CPUs.
    """

    cpus: Annotated[CPUSet, Attribute('iothreads', CPUS)]
    scheduler: Annotated[str, Attribute('scheduler', TEXT)]
    priority: Annotated[int | None, Attribute('priority', INT)] = None


@element('emulatorsched')
class EmulatorSched(Element):
    """The scheduler of the emulator threads."""

    scheduler: Annotated[str, Attribute('scheduler', TEXT)]
    priority: Annotated[int | None, Attribute('priority', INT)] = None


@element('cache')
class Cache(Element):
    """A part of one cache of the host.

    :ivar id: the cache's, as in libvirt's capabilities.
    :ivar type: ``both``, ``code`` or ``data``.
    """

    id: Annotated[int, Attribute('id', INT)]
    level: Annotated[int, Attribute('level', INT)]
    type: Annotated[str, Attribute('type', TEXT)]
    size_kib: Annotated[int, Amount('size', INT, unit='B')]


@element('monitor')
class Monitor(Element):
    """A group of vCPUs whose cache or bandwidth is counted.

    :ivar level: of the cache; None in ``<memorytune>``.
    """

    level: Annotated[int | None, Attribute('level', INT)] = None
    vcpus: Annotated[CPUSet, Attribute('vcpus', CPUS)]


@element('cachetune')
class CacheTune(Element):
    """Cache that only these vCPUs use."""

    vcpus: Annotated[CPUSet, Attribute('vcpus', CPUS)]
    caches: Annotated[tuple[Cache, ...], Repeated(Cache)] = ()
    monitors: Annotated[tuple[Monitor, ...], Repeated(Monitor)] = ()


@element('node')
class BandwidthNode(Element):
    """Memory bandwidth on one node.

    :ivar bandwidth: percent of it.
    """

    id: Annotated[int, Attribute('id', INT)]
    bandwidth: Annotated[int, Attribute('bandwidth', INT)]


@element('memorytune')
class MemoryTune(Element):
    """Memory bandwidth that these vCPUs have at most."""

    vcpus: Annotated[CPUSet, Attribute('vcpus', CPUS)]
    nodes: Annotated[tuple[BandwidthNode, ...], Repeated(BandwidthNode)] = ()
    monitors: Annotated[tuple[Monitor, ...], Repeated(Monitor)] = ()


@element('cputune')
class CPUTune(Element):
    """Where threads run, under which scheduler, with how much.

    :ivar period: of the vCPUs' CFS limits, in microseconds.
    :ivar quota: runtime per period in microseconds; -1 is unlimited.
    :ivar vcpupins: of each vCPU, the pCPUs it may run on.
    :ivar emulatorpin: pCPUs of the emulator threads.
    :ivar iothreadpins: of each I/O thread, its pCPUs.
    :ivar vcpuscheds: kept with one entry per scheduler and priority, by
        ascending vCPU, as are ``iothreadscheds``.
    """

    ORDER: ClassVar[tuple[str, ...]] = (
        'shares',
        'period',
        'quota',
        'global_period',
        'global_quota',
        'emulator_period',
        'emulator_quota',
        'iothread_period',
        'iothread_quota',
        'vcpupin',
        'emulatorpin',
        'iothreadpin',
        'emulatorsched',
        'vcpusched',
        'iothreadsched',
        'cachetune',
        'memorytune',
    )

    shares: Annotated[int | None, Leaf('shares', INT)] = None
    period: Annotated[int | None, Leaf('period', INT)] = None
    quota: Annotated[int | None, Leaf('quota', INT)] = None
    vcpupins: Annotated[
        Mapping[int, CPUSet],
        Table('vcpupin', ('vcpu', INT), ('cpuset', CPUS)),
    ] = FrozenDict()
    emulatorpin: Annotated[
        CPUSet | None, Leaf('emulatorpin', CPUS, 'cpuset')
    ] = None
    iothreadpins: Annotated[
        Mapping[int, CPUSet],
        Table('iothreadpin', ('iothread', INT), ('cpuset', CPUS)),
    ] = FrozenDict()
    emulatorsched: Annotated[EmulatorSched | None, Nested(EmulatorSched)] = (
        None
    )
    vcpuscheds: Annotated[tuple[VCPUSched, ...], Repeated(VCPUSched)] = ()
    iothreadscheds: Annotated[
        tuple[IOThreadSched, ...], Repeated(IOThreadSched)
    ] = ()
    cachetunes: Annotated[tuple[CacheTune, ...], Repeated(CacheTune)] = ()
    memorytunes: Annotated[tuple[MemoryTune, ...], Repeated(MemoryTune)] = ()

    def __post_init__(self) -> None:
        assign = object.__setattr__
        if type(self.vcpupins) is not FrozenDict:
            assign(self, 'vcpupins', FrozenDict(self.vcpupins))
        if type(self.iothreadpins) is not FrozenDict:
            assign(self, 'iothreadpins', FrozenDict(self.iothreadpins))
        if len(self.vcpuscheds) > 1:
            assign(self, 'vcpuscheds', _group(self.vcpuscheds))
        if len(self.iothreadscheds) > 1:
            assign(self, 'iothreadscheds', _group(self.iothreadscheds))


S = TypeVar('S', VCPUSched, IOThreadSched)


def _group(scheds: Iterable[S]) -> tuple[S, ...]:
    """Return as few entries as say the same, by ascending thread."""
    groups: dict[tuple[str, int | None], S] = {}
    for sched in scheds:
        key = (sched.scheduler, sched.priority)
        known = groups.get(key)
        groups[key] = (
            known.but(cpus=known.cpus | sched.cpus) if known else sched
        )
    return tuple(sorted(groups.values(), key=lambda sched: min(sched.cpus)))

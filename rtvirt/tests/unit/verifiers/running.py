# SPDX-License-Identifier: Apache-2.0
"""A running domain as its document and the kernel have it."""

from __future__ import annotations

import dataclasses
from typing import Final

from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.libvirtxml.metadata import keep_plan
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedPages
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import Stranger
from rtvirt.model.observed import ThreadRole
from rtvirt.tests.unit.verifiers import test_proof

UUID: Final = 'u'
XML: Final = """\
<domain type="kvm">
  <name>rt</name>
  <uuid>u</uuid>
  <memory unit="KiB">524288</memory>
  <memoryBacking>
    <hugepages><page size="2048" unit="KiB" nodeset="0"/></hugepages>
    <nosharepages/>
    <locked/>
  </memoryBacking>
  <vcpu placement="static">2</vcpu>
  <iothreads>1</iothreads>
  <cputune>
    <vcpupin vcpu="0" cpuset="2"/>
    <vcpupin vcpu="1" cpuset="3"/>
    <emulatorpin cpuset="2"/>
    <iothreadpin iothread="1" cpuset="2"/>
    <vcpusched vcpus="1" scheduler="rr" priority="7"/>
  </cputune>
  <numatune>
    <memory mode="strict" nodeset="1"/>
    <memnode cellid="0" mode="strict" nodeset="1"/>
  </numatune>
  <cpu><numa><cell id="0" cpus="0-1" memory="524288" unit="KiB"/></numa></cpu>
</domain>
"""
PAGES: Final = ObservedPages(node=1, size_kib=2048, count=256, policy='bind:1')
STRANGER: Final = Stranger(
    pid=99,
    tid=99,
    name='CPU 0/KVM',
    process='qemu-system-x86',
    guest='other',
    role=ThreadRole.VCPU,
    scheduling=Scheduling(cpus=CPUSet([3])),
)
HIDDEN: Final = Missing(
    missing=Why.UNREADABLE, path='/proc/70/numa_maps', detail='not for you'
)


def document(*changes: tuple[str, str], planned: bool = True) -> Domain:
    """Return the document with these texts replaced, and its plan."""
    xml = XML
    for old, new in changes:
        assert old in xml, old
        xml = xml.replace(old, new)
    domain = parse_domain(xml)
    if planned:
        plan = test_proof.plan()
        guest = dataclasses.replace(plan.guest, iothreads=1)
        keep_plan(domain, dataclasses.replace(plan, guest=guest))
    return domain


def memory(*pages: ObservedPages, locked_kib: int = 1 << 19) -> ObservedMemory:
    return ObservedMemory(
        huge=pages or (PAGES,), locked_kib=locked_kib, resident_kib=1 << 16
    )


def observed(
    memory: ObservedMemory | Missing = memory(),  # noqa: B008 - it is frozen
    /,
    **changes: ObservedThread | None,
) -> ObservedDomain:
    """Return what the kernel shows, with these threads changed."""
    return dataclasses.replace(
        test_proof.domain(**changes),
        memory=memory,
        uuid=UUID,
        strangers=(),
    )

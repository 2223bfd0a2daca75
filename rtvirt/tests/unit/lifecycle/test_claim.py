# SPDX-License-Identifier: Apache-2.0
"""What changes of a domain that migrates, and what does not."""

from __future__ import annotations

import dataclasses

import pytest

from rtvirt.domain import domain_xml
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.fitting.engine import fit
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.lifecycle.claim import retune
from rtvirt.lifecycle.claim import with_its_pages
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.flavor import Flavor
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.model.host_cell import HostCell
from rtvirt.model.pages import PagePool
from rtvirt.model.partition import partition

GIB = 1 << 20


def host(first: int, *sizes: int) -> HostTopology:
    """Return a host of two cells with four pCPUs each."""
    return HostTopology(
        cells=tuple(
            HostCell(
                id=cell,
                dedicated=(cpus := CPUSet(range(4 * cell, 4 * cell + 4))),
                shared=cpus,
                memory_mib=16384,
                pages=tuple(
                    PagePool(
                        size_kib=size,
                        total=16 * GIB // size if cell >= first else 0,
                    )
                    for size in (4, *sizes)
                ),
            )
            for cell in range(2)
        )
    )


def guest(**specs: str) -> GuestRequirement:
    return parse_guest(
        Flavor(
            name='f',
            vcpus=2,
            memory_mib=2048,
            extra_specs={k.replace('__', ':'): v for k, v in specs.items()},
        )
    )


REALTIME = {
    'hw__cpu_policy': 'dedicated',
    'hw__cpu_realtime': 'yes',
    'hw__cpu_realtime_mask': '^0',
}


def test_what_the_guest_sees_stays() -> None:
    small = guest(**REALTIME, hw__mem_page_size='2048')
    here = fit(small, host(0, 2048))
    there = fit(small, host(1, 2048))
    assert here.pins != there.pins
    xml = domain_xml(here, name='a')

    document = parse_domain(retune(there, xml))

    assert document.cputune.vcpupins == there.pins
    assert document.numatune.memnodes[0].nodeset == {1}
    assert plan_of(document) == there
    before = parse_domain(xml)
    for name in ('cpu', 'features', 'clock', 'devices', 'memory_backing'):
        assert getattr(document, name) == getattr(before, name)
    assert document.memory_kib == before.memory_kib
    # It has come to where it was, and is what it was.
    assert retune(here, document.to_xml()) == xml


def test_one_that_floats_floats_there() -> None:
    one, other = host(0), host(0)
    here = fit(guest(), partition(one, shared=CPUSet([0, 1])))
    there = fit(guest(), partition(other, shared=CPUSet([2, 3])))

    document = parse_domain(retune(there, domain_xml(here, name='a')))

    assert document.vcpu is not None
    assert document.vcpu.cpuset == {2, 3}
    assert document.vcpu.count == 2


@pytest.mark.parametrize('word', ['any', 'large'])
def test_its_pages_are_of_the_size_that_they_have(word: str) -> None:
    wants = guest(**REALTIME, hw__mem_page_size=word)
    here = fit(wants, host(0, 2048))
    more = host(0, 2048, GIB)
    assert {c.page_size_kib for c in fit(wants, more).cells} == {GIB}

    there = fit(with_its_pages(here), more)

    assert {c.page_size_kib for c in there.cells} == {2048}
    kept = dataclasses.replace(there, guest=wants)
    assert kept.guest.cells[0].page_size == wants.cells[0].page_size

# SPDX-License-Identifier: Apache-2.0
"""A host with all of its domains on it, from what libvirt tells."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rtvirt.domain import domain_xml
from rtvirt.exception import DomainXMLError
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.fitting.engine import fit
from rtvirt.host.live import STARTING
from rtvirt.host.live import Survey
from rtvirt.host.live import survey
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.flavor import Flavor
from rtvirt.model.host import HostTopology
from rtvirt.model.plan import Plan
from rtvirt.testing import FakeDomain
from rtvirt.testing import FakeLibvirt

HOSTS = Path(__file__).parents[4] / 'etc' / 'rtvirt' / 'hosts'
EDGE = HostTopology.from_capabilities((HOSTS / 'edge-8.xml').read_bytes())
POOLS = EDGE.cells[0].pages
RUNNING = (1, 1)
OFF = (5, 0)

DOMAIN = """\
<domain type='kvm'><name>{name}</name><memory unit='MiB'>{memory}</memory>
{backing}<vcpu{cpuset}>{vcpus}</vcpu><cputune>{tune}</cputune>{numa}
<os><type arch='x86_64'>hvm</type></os></domain>
"""
HUGE = '<memoryBacking><hugepages>{}</hugepages></memoryBacking>'


def document(
    name: str = 'd',
    *,
    memory: int = 64,
    vcpus: int = 1,
    cpuset: str = '',
    backing: str = '',
    tune: str = '',
    numa: str = '',
) -> str:
    return DOMAIN.format(
        name=name,
        memory=memory,
        vcpus=vcpus,
        cpuset=f" cpuset='{cpuset}'" if cpuset else '',
        backing=backing,
        tune=tune,
        numa=numa,
    )


@pytest.fixture
def libvirt() -> Iterator[FakeLibvirt]:
    """One on a host with one cell of eight pCPUs."""
    with FakeLibvirt(dataclasses.replace(EDGE, name='edge')) as libvirt:
        yield libvirt


def put(
    libvirt: FakeLibvirt,
    text: str,
    at: tuple[int, int] = RUNNING,
    later: str = '',
) -> None:
    """Make a domain.

    :param later: its document of the next start, where it is to run then.
    """
    if at == OFF:
        libvirt.connection.defineXML(text)
        return
    domain = libvirt.connection.createXML(text)
    if later:
        uuid = f'</name><uuid>{domain.UUIDString()}</uuid>'
        libvirt.connection.defineXML(later.replace('</name>', uuid))
    libvirt.set_state(domain.name(), *at)


def read(libvirt: FakeLibvirt, kernel_uses: int | None = None) -> HostTopology:
    """Read the host.

    :param kernel_uses: pages of each size by the kernel's count; None means
        what it would count.
    """
    return look(libvirt, kernel_uses).host


def look(libvirt: FakeLibvirt, kernel_uses: int | None = None) -> Survey:
    if kernel_uses is None:
        return survey(libvirt.connection)
    free = {pool.size_kib: pool.total - kernel_uses for pool in POOLS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            libvirt.connection, 'getFreePages', lambda *_args: {0: free}
        )
        return survey(libvirt.connection)


def huge_pools(host: HostTopology) -> dict[int, int]:
    return {p.size_kib: p.used for p in host.cells[0].pages[1:]}


@pytest.fixture
def size() -> int:
    """The huge pages that the sample host has."""
    return POOLS[-1].size_kib


@pytest.mark.parametrize(
    ('kwargs', 'held'),
    [
        ({}, ''),
        ({'cpuset': '4-5'}, '4-5'),
        ({'cpuset': '0-7'}, ''),
        ({'tune': "<vcpupin vcpu='0' cpuset='3'/>"}, '3'),
        ({'tune': "<vcpupin vcpu='0' cpuset='3-4'/>"}, '3-4'),
        ({'tune': "<vcpupin vcpu='0' cpuset='0-7'/>"}, ''),
        ({'tune': "<emulatorpin cpuset='6'/>"}, '6'),
        # Not plugged in yet, it has its pCPU nevertheless.
        ({'tune': "<vcpupin vcpu='5' cpuset='2'/>"}, '2'),
        (
            {
                'cpuset': '4-5',
                'tune': "<vcpupin vcpu='0' cpuset='1'/>"
                "<emulatorpin cpuset='2'/>",
            },
            '1-2',
        ),
    ],
)
@pytest.mark.parametrize('at', [RUNNING, OFF])
def test_pcpus_that_a_thread_is_confined_to_are_taken(
    libvirt: FakeLibvirt,
    kwargs: dict[str, Any],
    held: str,
    at: tuple[int, int],
) -> None:
    put(libvirt, document(**kwargs), at)
    host = read(libvirt)

    assert host.cells[0].pinned == CPUSet.parse(held)
    assert host.name == 'edge'


def test_those_of_an_io_thread_too(libvirt: FakeLibvirt) -> None:
    text = document(tune="<iothreadpin iothread='1' cpuset='7'/>").replace(
        '<cputune>', '<iothreads>1</iothreads><cputune>'
    )
    put(libvirt, text)
    assert read(libvirt).cells[0].pinned == {7}


def test_a_running_domain_holds_those_of_its_next_start_too(
    libvirt: FakeLibvirt,
) -> None:
    pin = "<vcpupin vcpu='0' cpuset='{}'/>".format
    put(libvirt, document(tune=pin(2)), later=document(tune=pin(3)))
    host = read(libvirt)

    assert host.cells[0].pinned == {2, 3}
    (holder,) = host.holders
    assert CPUSet(c for h in holder.holdings for c in h.cpus) == {2, 3}


def test_pages_of_one_that_does_not_run_are_used(
    libvirt: FakeLibvirt, size: int
) -> None:
    """The kernel knows those of domains that run, and of everybody else."""
    memory = 4 * size // 1024
    backing = HUGE.format(f"<page size='{size}' unit='KiB'/>")
    text = document(memory=memory, backing=backing)

    put(libvirt, text, OFF)
    assert huge_pools(read(libvirt))[size] == 4
    domain = libvirt.connection.lookupByName('d')
    domain.create()
    assert huge_pools(read(libvirt))[size] == 4
    # Not all of its pages have been touched.
    assert huge_pools(read(libvirt, kernel_uses=1))[size] == 4
    # Somebody else has the others.
    assert huge_pools(read(libvirt, kernel_uses=6))[size] == 6
    put(libvirt, text.replace('<name>d', '<name>e'), OFF)
    assert huge_pools(read(libvirt))[size] == 8


def test_one_that_starts_counts_in_full(
    libvirt: FakeLibvirt, size: int
) -> None:
    """How many of its pages the kernel has counted nobody knows."""
    backing = HUGE.format(f"<page size='{size}' unit='KiB'/>")
    put(libvirt, document(memory=4 * size // 1024, backing=backing), STARTING)
    seen = look(libvirt, kernel_uses=2)

    assert seen.starting == ('d',)
    assert huge_pools(seen.host)[size] == 6
    libvirt.set_state('d', *RUNNING)
    assert look(libvirt).starting == ()


def test_ordinary_memory_is_used_too(libvirt: FakeLibvirt) -> None:
    put(libvirt, document(memory=64))
    cell = read(libvirt).cells[0]

    assert cell.memory_used_mib == 64
    assert cell.pages[0].used == 64 * 1024 // cell.pages[0].size_kib


def test_one_domain_can_be_left_out(libvirt: FakeLibvirt) -> None:
    put(libvirt, document(tune="<vcpupin vcpu='0' cpuset='3'/>"))
    connection = libvirt.connection

    assert survey(connection, without='d').host.cells[0].pinned == CPUSet()
    assert survey(connection, without='e').host.cells[0].pinned == {3}


def test_caches_and_bandwidth_are_taken(libvirt: FakeLibvirt) -> None:
    tune = (
        "<cachetune vcpus='0'><cache id='0' level='3' type='both' "
        "size='3' unit='MiB'/></cachetune>"
        "<memorytune vcpus='0'><node id='0' bandwidth='60'/></memorytune>"
    )
    put(libvirt, document(tune=tune))
    host = read(libvirt)

    assert host.control_groups == 1
    assert [bank.used_kib for bank in host.caches if bank.id == 0] == [3072]


def test_what_cannot_be_read_is_not_taken_for_nothing(
    libvirt: FakeLibvirt, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(libvirt, document())
    text = "<domain><name>d</name><vcpu cpuset='x'>1</vcpu>"
    monkeypatch.setattr(FakeDomain, 'XMLDesc', lambda *_args: text)
    with pytest.raises(DomainXMLError, match='cannot be told'):
        read(libvirt)


def test_one_that_ends_meanwhile_holds_nothing(libvirt: FakeLibvirt) -> None:
    put(libvirt, document('a', tune="<vcpupin vcpu='0' cpuset='3'/>"))
    put(libvirt, document('b', tune="<vcpupin vcpu='0' cpuset='4'/>"))
    libvirt.fail('XMLDesc', 'Domain not found', code=42)
    assert read(libvirt).cells[0].pinned == {4}


def test_pages_that_libvirt_cannot_count(
    libvirt: FakeLibvirt, size: int
) -> None:
    """What domains hold is known all the same."""
    backing = HUGE.format(f"<page size='{size}' unit='KiB'/>")
    put(libvirt, document(memory=4 * size // 1024, backing=backing))
    libvirt.fail('getFreePages', 'this function is not supported', times=0)
    assert huge_pools(read(libvirt))[size] == 4


def test_a_planned_guest_holds_what_a_claim_would_take(
    libvirt: FakeLibvirt,
) -> None:
    """The same host, by its document or by its plan."""
    guest = parse_guest(
        Flavor(
            name='f',
            vcpus=2,
            memory_mib=1024,
            extra_specs={'hw:cpu_policy': 'dedicated'},
        )
    )
    bare = read(libvirt)
    plan: Plan = fit(guest, bare)
    claimed = bare.claim(plan, 'p')

    put(libvirt, domain_xml(plan, name='p'), OFF)
    host = read(libvirt)

    assert host.cells[0].pinned == claimed.cells[0].pinned
    assert host.cells[0].memory_used_mib == claimed.cells[0].memory_used_mib
    assert host.cells[0].pages == claimed.cells[0].pages
    assert host.holders == claimed.holders

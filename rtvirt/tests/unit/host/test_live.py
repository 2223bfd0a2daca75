# SPDX-License-Identifier: Apache-2.0
"""A host with all of its domains on it, from what libvirt tells."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from rtvirt.domain import domain_xml
from rtvirt.exception import DomainXMLError
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.fitting.engine import fit
from rtvirt.host.live import STARTING
from rtvirt.host.live import survey
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.flavor import Flavor
from rtvirt.model.host import HostTopology
from rtvirt.model.plan import Plan

EDGE = Path(__file__).parents[4] / 'etc' / 'rtvirt' / 'hosts' / 'edge-8.xml'
RUNNING = (1, 1)
OFF = (5, 0)
TWO_MIB = 2048

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


@dataclasses.dataclass
class Domain:
    """What libvirt-python has of a domain."""

    text: str
    at: tuple[int, int] = RUNNING
    later: str | None = None

    def name(self) -> str:
        return self.text.partition('<name>')[2].partition('<')[0]

    def isActive(self) -> int:  # noqa: N802
        return int(self.at != OFF)

    def isPersistent(self) -> int:  # noqa: N802
        return int(self.later is not None)

    def state(self) -> list[int]:
        return list(self.at)

    def XMLDesc(self, flags: int = 0) -> str:  # noqa: N802
        return self.later if flags and self.later else self.text


@dataclasses.dataclass
class Connection:
    """What libvirt-python has of a host with one cell of eight pCPUs."""

    domains: list[Domain]
    used: int = 0

    def getHostname(self) -> str:  # noqa: N802
        return 'edge'

    def getCapabilities(self) -> str:  # noqa: N802
        return EDGE.read_text()

    def listAllDomains(self) -> list[Domain]:  # noqa: N802
        return self.domains

    def getFreePages(  # noqa: N802
        self, sizes: list[int], cell: int, _count: int
    ) -> dict[int, dict[int, int]]:
        return {cell: {s: total(s) - self.used for s in sizes}}


def total(size_kib: int) -> int:
    host = HostTopology.from_capabilities(EDGE.read_text())
    pools = {p.size_kib: p.total for p in host.cells[0].pages}
    return pools.get(size_kib, 0)


def read(*domains: Domain, used: int = 0) -> HostTopology:
    return survey(Connection([*domains], used)).host


def huge_pools(host: HostTopology) -> dict[int, int]:
    return {p.size_kib: p.used for p in host.cells[0].pages[1:]}


@pytest.fixture
def size() -> int:
    """The huge pages that the sample host has."""
    host = HostTopology.from_capabilities(EDGE.read_text())
    return host.cells[0].pages[-1].size_kib


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
    kwargs: dict[str, Any], held: str, at: tuple[int, int]
) -> None:
    host = read(Domain(document(**kwargs), at))

    assert host.cells[0].pinned == CPUSet.parse(held)
    assert host.name == 'edge'


def test_those_of_an_io_thread_too() -> None:
    text = document(tune="<iothreadpin iothread='1' cpuset='7'/>").replace(
        '<cputune>', '<iothreads>1</iothreads><cputune>'
    )
    assert read(Domain(text)).cells[0].pinned == {7}


def test_a_running_domain_holds_those_of_its_next_start_too() -> None:
    pin = "<vcpupin vcpu='0' cpuset='{}'/>".format
    host = read(
        Domain(document(tune=pin(2)), later=document(tune=pin(3))),
    )

    assert host.cells[0].pinned == {2, 3}
    (holder,) = host.holders
    assert CPUSet(c for h in holder.holdings for c in h.cpus) == {2, 3}


def test_pages_of_one_that_does_not_run_are_used(size: int) -> None:
    """The kernel knows those of domains that run, and of everybody else."""
    memory = 4 * size // 1024
    backing = HUGE.format(f"<page size='{size}' unit='KiB'/>")
    text = document(memory=memory, backing=backing)

    assert huge_pools(read(Domain(text, OFF)))[size] == 4
    assert huge_pools(read(Domain(text), used=4))[size] == 4
    # Not all of its pages have been touched.
    assert huge_pools(read(Domain(text), used=1))[size] == 4
    # Somebody else has the others.
    assert huge_pools(read(Domain(text), used=6))[size] == 6
    other = text.replace('<name>d', '<name>e')
    both = read(Domain(text), Domain(other, OFF), used=4)
    assert huge_pools(both)[size] == 8


def test_one_that_starts_counts_in_full(size: int) -> None:
    """How many of its pages the kernel has counted nobody knows."""
    backing = HUGE.format(f"<page size='{size}' unit='KiB'/>")
    text = document(memory=4 * size // 1024, backing=backing)
    seen = survey(Connection([Domain(text, STARTING)], used=2))

    assert seen.starting == ('d',)
    assert huge_pools(seen.host)[size] == 6
    assert survey(Connection([Domain(text)], used=4)).starting == ()


def test_ordinary_memory_is_used_too() -> None:
    cell = read(Domain(document(memory=64))).cells[0]

    assert cell.memory_used_mib == 64
    assert cell.pages[0].used == 64 * 1024 // cell.pages[0].size_kib


def test_one_domain_can_be_left_out() -> None:
    pinned = document(tune="<vcpupin vcpu='0' cpuset='3'/>")
    connection = Connection([Domain(pinned)])

    assert survey(connection, without='d').host.cells[0].pinned == CPUSet()
    assert survey(connection, without='e').host.cells[0].pinned == {3}


def test_caches_and_bandwidth_are_taken() -> None:
    tune = (
        "<cachetune vcpus='0'><cache id='0' level='3' type='both' "
        "size='3' unit='MiB'/></cachetune>"
        "<memorytune vcpus='0'><node id='0' bandwidth='60'/></memorytune>"
    )
    host = read(Domain(document(tune=tune)))

    assert host.control_groups == 1
    assert [bank.used_kib for bank in host.caches if bank.id == 0] == [3072]


def test_what_cannot_be_read_is_not_taken_for_nothing() -> None:
    with pytest.raises(DomainXMLError, match='cannot be told'):
        read(Domain("<domain><name>d</name><vcpu cpuset='x'>1</vcpu>"))


def test_a_planned_guest_holds_what_a_claim_would_take() -> None:
    """The same host, by its document or by its plan."""
    guest = parse_guest(
        Flavor(
            name='f',
            vcpus=2,
            memory_mib=1024,
            extra_specs={'hw:cpu_policy': 'dedicated'},
        )
    )
    bare = read()
    plan: Plan = fit(guest, bare)
    claimed = bare.claim(plan, 'p')

    host = read(Domain(domain_xml(plan, name='p'), OFF))

    assert host.cells[0].pinned == claimed.cells[0].pinned
    assert host.cells[0].memory_used_mib == claimed.cells[0].memory_used_mib
    assert host.cells[0].pages == claimed.cells[0].pages
    assert host.holders == claimed.holders

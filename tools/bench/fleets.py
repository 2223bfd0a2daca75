# SPDX-License-Identifier: Apache-2.0
"""Yes or no over a fleet, against NUMATopologyFilter."""

from __future__ import annotations

import dataclasses
import itertools
import random
import time
from collections.abc import Iterator
from typing import Any
from typing import Final
from unittest import mock

from nova import objects
from nova.scheduler import host_manager
from nova.scheduler.filters import numa_topology_filter

from rtvirt import CPUSet
from rtvirt import Flavor
from rtvirt import HostTopology
from rtvirt import fleet
from rtvirt import parse_guest
from tools.bench import cases
from tools.bench import novaside
from tools.bench.row import Row
from tools.bench.timing import Ratio

_HOSTS: Final = 1000
_NOVA_SECONDS: Final = 4.0
_DISTINCT: Final = 100

# (host cells, pCPUs a cell, vCPUs, guest cells, share taken)
_ROWS: Final = (
    (2, 64, 8, 1, 0.6),
    (2, 64, 16, 2, 0.8),
    (8, 32, 8, 1, 0.6),
    (8, 32, 16, 2, 0.8),
    (8, 32, 32, 4, 0.6),
    (8, 32, 64, 4, 0.8),
    (8, 32, 64, 8, 0.6),
    (16, 16, 8, 1, 0.6),
    (16, 16, 32, 4, 0.8),
    (32, 8, 8, 2, 0.8),
    (32, 8, 16, 4, 0.9),
)


def fleets() -> Iterator[Row]:
    """1,000 hosts, of which a hundred differ, with state on both sides."""
    for cells, cpus, vcpus, guest_cells, taken in _ROWS:
        draw = random.Random(7)
        hosts = [busy_host(cells, cpus, taken, draw) for _ in range(_DISTINCT)]
        flavor = cases.flavor(vcpus, guest_cells)
        answers, nova_us, checked = _nova_screen(flavor, hosts)
        ours, rtvirt_us = _rtvirt_screen(flavor, hosts)
        differ = sum(a != b for a, b in zip(answers, ours, strict=False))
        share = sum(ours) / len(ours)
        value = nova_us / rtvirt_us
        yield Row(
            section='yes/no over 1,000 hosts',
            case=f'{cells}x{cpus}, {vcpus}/{guest_cells}, {taken:.0%} full',
            value=value,
            at_least=50,
            ratio=Ratio(
                median=value,
                low=value,
                high=value,
                slow_us=nova_us,
                fast_us=rtvirt_us,
                pairs=1,
            ),
            note=f'fits {share:.0%}; nova on {checked} hosts',
            problem=f'{differ} answers differ' if differ else '',
        )


def busy_host(
    cells: int, cpus: int, taken: float, draw: random.Random
) -> HostTopology:
    """Return a host on which each cell is about as full as asked."""
    host = cases.empty_host(cells, cpus)
    busy = []
    for cell in host.cells:
        share = min(1.0, max(0.0, draw.gauss(taken, 0.2)))
        number = round(share * len(cell.dedicated))
        pinned = CPUSet(draw.sample(sorted(cell.dedicated), number))
        pages = tuple(
            dataclasses.replace(pool, used=min(pool.total, number))
            if pool.size_kib == cases.GIB_PAGE_KIB
            else pool
            for pool in cell.pages
        )
        busy.append(dataclasses.replace(cell, pinned=pinned, pages=pages))
    return dataclasses.replace(host, cells=tuple(busy))


def _rtvirt_screen(
    flavor: Flavor, hosts: list[HostTopology]
) -> tuple[list[bool], float]:
    """Return the answers, and microseconds a host over the whole fleet."""
    guest = parse_guest(flavor)
    # State loaded: what is derived from a host is derived once.
    answers = list(fleet.screen(guest, hosts))
    everyone = list(itertools.islice(itertools.cycle(hosts), _HOSTS))
    best = float('inf')
    for _ in range(3):
        fresh = dataclasses.replace(guest)
        start = time.process_time_ns()
        for _ in fleet.screen(fresh, everyone):
            pass
        best = min(best, time.process_time_ns() - start)
    return answers, best / _HOSTS / 1000


def _nova_screen(
    flavor: Flavor, hosts: list[HostTopology]
) -> tuple[list[bool], float, int]:
    """Ask nova's filter for as many hosts as a few seconds allow."""
    topology_filter = numa_topology_filter.NUMATopologyFilter()
    states = [host_state(host) for host in hosts]
    spec = request_spec(flavor)
    answers = []
    spent = 0
    for state in states:
        start = time.process_time_ns()
        answer = topology_filter.host_passes(state, spec)
        spent += time.process_time_ns() - start
        answers.append(answer)
        if spent > _NOVA_SECONDS * 1e9:
            break
    return answers, spent / len(answers) / 1000, len(answers)


def request_spec(flavor: Flavor) -> Any:
    """Return what nova's scheduler is asked."""
    return objects.RequestSpec(
        numa_topology=novaside.to_request(flavor),
        pci_requests=objects.InstancePCIRequests(requests=[]),
        instance_uuid='5b0a7d43-6f2f-4b4b-8f53-0a1f8a2f7c11',
        flavor=novaside.to_flavor(flavor),
        image=novaside.IMAGE,
        scheduler_hints={},
    )


def host_state(host: HostTopology) -> Any:
    """Return a host as nova's scheduler knows it."""
    state = host_manager.HostState('host', 'node', mock.sentinel.cell)
    state.numa_topology = novaside.to_host(host)
    state.pci_stats = None
    state.cpu_allocation_ratio = 1.0
    state.ram_allocation_ratio = 1.0
    state.allocation_candidates = [{'mappings': {}}]
    return state

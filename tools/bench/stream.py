# SPDX-License-Identifier: Apache-2.0
"""Guests that come and go on one host: how full each allocator keeps it."""

from __future__ import annotations

import copy
import dataclasses
import heapq
import random
import statistics
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any
from typing import Final
from typing import Protocol

import nova.conf

from rtvirt import Flavor
from rtvirt import HostTopology
from rtvirt import fit
from rtvirt import parse_guest
from rtvirt.exception import FitError
from rtvirt.fitting.catalog import catalog_strategy
from rtvirt.fitting.strategy import DEFAULT_STRATEGY
from tools.bench import cases
from tools.bench import novaside
from tools.bench.row import Row

_LOAD: Final = 1.15
# Half a point tells allocators apart only over as many as these.
_SEEDS: Final = (1, 2, 3)
_ARRIVALS: Final = 1500
_SECTION: Final = 'packing: mean CPU use'


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A host and the flavors that are asked for on it.

    :ivar legacy: every pCPU is dedicated and shared, as nova has it where
        neither set is configured; nova grants ``isolate`` only there.
    :ivar flavors: each with its weight among the arrivals.
    """

    name: str
    cells: int
    cpus: int
    legacy: bool = False
    flavors: tuple[tuple[float, Flavor], ...]

    def host(self) -> HostTopology:
        """Return the empty host."""
        host = cases.empty_host(self.cells, self.cpus)
        if not self.legacy:
            return host
        return dataclasses.replace(
            host,
            cells=tuple(
                dataclasses.replace(cell, shared=cell.dedicated)
                for cell in host.cells
            ),
        )


def _prefer(weight: float, vcpus: int, cells: int = 1) -> tuple[float, Flavor]:
    return weight, cases.flavor(vcpus, cells)


def _threads(weight: float, vcpus: int, policy: str) -> tuple[float, Flavor]:
    return weight, cases.flavor(vcpus, cpu_thread_policy=policy)


WORKLOADS: Final = (
    Workload(
        name='W1 even guests, prefer (8x32)',
        cells=8,
        cpus=32,
        flavors=(
            _prefer(0.35, 2),
            _prefer(0.30, 4),
            _prefer(0.20, 8),
            _prefer(0.10, 16),
            _prefer(0.05, 64, 4),
        ),
    ),
    Workload(
        name='W2 odd guests and require (8x32)',
        cells=8,
        cpus=32,
        flavors=(
            _prefer(0.20, 1),
            _prefer(0.20, 3),
            _prefer(0.15, 5),
            _threads(0.15, 2, 'require'),
            _threads(0.15, 6, 'require'),
            _threads(0.10, 12, 'require'),
            _prefer(0.05, 40, 2),
        ),
    ),
    Workload(
        name='W3 small and whole-cell guests (8x32)',
        cells=8,
        cpus=32,
        flavors=(
            _prefer(0.45, 1),
            _prefer(0.25, 2),
            _prefer(0.15, 4),
            _prefer(0.15, 32),
        ),
    ),
    Workload(
        name='W4 emulator isolate, require (4x16)',
        cells=4,
        cpus=16,
        flavors=(
            (0.30, cases.realtime_flavor(3)),
            (0.20, cases.realtime_flavor(4)),
            _threads(0.25, 2, 'require'),
            _threads(0.15, 4, 'require'),
            _threads(0.10, 8, 'require'),
        ),
    ),
    Workload(
        name='W6 isolate and prefer, legacy sets (4x16)',
        cells=4,
        cpus=16,
        legacy=True,
        flavors=(
            _threads(0.25, 1, 'isolate'),
            _threads(0.20, 2, 'isolate'),
            _prefer(0.25, 2),
            _prefer(0.20, 4),
            _prefer(0.10, 8),
        ),
    ),
)


class Allocator(Protocol):
    """Places guests on one host and takes them off again."""

    def place(self, flavor: Flavor) -> object | None:
        """Return a handle, or None where the guest does not fit."""

    def remove(self, handle: Any) -> None:
        """Take a placed guest off."""


class NovaAllocator:
    """nova's fit and usage, spreading or packing."""

    def __init__(self, workload: Workload, *, pack: bool) -> None:
        self._host = novaside.to_host(workload.host())
        self._pack = pack
        self._requests = {
            flavor: novaside.to_request(flavor)
            for _, flavor in workload.flavors
        }

    def place(self, flavor: Flavor) -> object | None:
        """Fit and claim."""
        nova.conf.CONF.set_override(
            'packing_host_numa_cells_allocation_strategy',
            self._pack,
            'compute',
        )
        fitted = novaside.fit(
            self._host, copy.deepcopy(self._requests[flavor])
        )
        if fitted is not None:
            self._host = novaside.claim(self._host, fitted)
        return fitted

    def remove(self, handle: Any) -> None:
        """Release."""
        self._host = novaside.release(self._host, handle)


class RTVirtAllocator:
    """rtvirt's fit and claims under one strategy."""

    def __init__(self, workload: Workload, strategy: Any) -> None:
        self._host = workload.host()
        self._strategy = strategy
        self._guests = {
            flavor: parse_guest(flavor) for _, flavor in workload.flavors
        }

    def place(self, flavor: Flavor) -> object | None:
        """Fit and claim."""
        try:
            plan = fit(
                self._guests[flavor], self._host, strategy=self._strategy
            )
        except FitError:
            return None
        self._host = self._host.claim(plan)
        return plan

    def remove(self, handle: Any) -> None:
        """Release."""
        self._host = self._host.release(handle)


def cost(flavor: Flavor) -> int:
    """Return the pCPUs that a guest works with: vCPUs and emulator."""
    isolates = flavor.extra_specs.get('hw:emulator_threads_policy')
    return flavor.vcpus + (isolates == 'isolate')


def mean_use(
    workload: Workload, allocator: Allocator, seed: int, arrivals: int
) -> float:
    """Return the time-weighted share of the host's pCPUs in use, percent.

    Exponential gaps and lifetimes; the load offered is 115 % of the host.
    """
    draw = random.Random(seed)
    weights = [weight for weight, _ in workload.flavors]
    flavors = [flavor for _, flavor in workload.flavors]
    total = workload.cells * workload.cpus
    mean_cost = sum(w * cost(f) for w, f in workload.flavors) / sum(weights)
    rate = _LOAD * total / mean_cost
    now = busy = 0.0
    leaving: list[tuple[float, int, object, Flavor]] = []
    used = 0
    for number in range(arrivals):
        arrival = now + draw.expovariate(rate)
        flavor = draw.choices(flavors, weights)[0]
        life = draw.expovariate(1)
        while leaving and leaving[0][0] <= arrival:
            end, _, handle, gone = heapq.heappop(leaving)
            busy += used * (end - now)
            now = end
            used -= cost(gone)
            allocator.remove(handle)
        busy += used * (arrival - now)
        now = arrival
        handle = allocator.place(flavor)
        if handle is not None:
            used += cost(flavor)
            heapq.heappush(leaving, (now + life, number, handle, flavor))
    return 100 * busy / (now * total)


def allocator(name: str, workload: Workload) -> Allocator:
    """Return an allocator by its name on an empty host."""
    if name.startswith('nova '):
        return NovaAllocator(workload, pack=name == 'nova pack')
    if name == 'catalog':
        sold = [parse_guest(flavor) for _, flavor in workload.flavors]
        return RTVirtAllocator(workload, catalog_strategy(sold))
    return RTVirtAllocator(workload, name)


_ALLOCATORS: Final = (
    'nova default',
    'nova pack',
    'spread',
    'pack',
    'best-fit',
    'catalog',
)


def _stream(workload: str, name: str, seed: int) -> float:
    """Return the use of one stream, in a process of its own."""
    (asked,) = (each for each in WORKLOADS if each.name == workload)
    return mean_use(asked, allocator(name, asked), seed, _ARRIVALS)


def packing() -> Iterator[Row]:
    """rtvirt's default against nova's two orders on every workload.

    The other strategies are shown without a gate. Nothing is timed here, so
    the streams run beside each other.
    """
    with ProcessPoolExecutor(mp_context=get_context('fork')) as pool:
        streams = {
            (workload.name, name): [
                pool.submit(_stream, workload.name, name, seed)
                for seed in _SEEDS
            ]
            for workload in WORKLOADS
            for name in _ALLOCATORS
        }
        for workload in WORKLOADS:
            use = {
                name: statistics.mean(
                    each.result() for each in streams[workload.name, name]
                )
                for name in _ALLOCATORS
            }
            yield from _rows(workload.name, use)


def _rows(workload: str, use: dict[str, float]) -> Iterator[Row]:
    ours = use[DEFAULT_STRATEGY]
    yield Row(
        section=_SECTION,
        case=f'{workload} against nova pack',
        value=ours - use['nova pack'],
        at_least=-0.5,
        unit=' points',
        note=', '.join(f'{name} {value:.1f}' for name, value in use.items()),
    )
    yield Row(
        section=_SECTION,
        case=f'{workload} against nova default',
        value=ours - use['nova default'],
        at_least=2,
        unit=' points',
    )

# SPDX-License-Identifier: Apache-2.0
"""The hosts and flavors that both sides are given; nothing is random."""

from __future__ import annotations

import dataclasses

from rtvirt import CPUSet
from rtvirt import Flavor
from rtvirt import HostTopology
from rtvirt import PagePool

GIB_PAGE_KIB = 1048576


def empty_host(cells: int, cpus: int, threads: int = 2) -> HostTopology:
    """Return an empty host: ``cpus`` dedicated pCPUs and as many GiB a cell.

    Every pCPU is dedicated; the memory is in 1 GiB pages but for 2 GiB.
    """
    every = CPUSet(range(cells * cpus))
    return HostTopology.uniform(
        cells=cells,
        cores=cpus // threads,
        threads=threads,
        memory_mib=(2 * cpus + 2) * 1024,
        pages={2048: 0, GIB_PAGE_KIB: 2 * cpus},
        dedicated=every,
    )


def flavor(vcpus: int, cells: int = 1, **specs: str) -> Flavor:
    """Return a dedicated flavor on 1 GiB pages, one GiB for each vCPU.

    :param specs: more extra specs; ``cpu_realtime`` stands for
        ``hw:cpu_realtime``.
    """
    return Flavor(
        name=f'bench-{vcpus}-{cells}',
        vcpus=vcpus,
        memory_mib=vcpus * 1024,
        extra_specs={
            'hw:cpu_policy': 'dedicated',
            'hw:mem_page_size': '1GB',
            'hw:numa_nodes': str(cells),
            **{f'hw:{name}': value for name, value in specs.items()},
        },
    )


def realtime_flavor(vcpus: int, cells: int = 1) -> Flavor:
    """Return a real-time flavor whose emulator threads are isolated."""
    return flavor(
        vcpus,
        cells,
        cpu_realtime='yes',
        cpu_realtime_mask='^0',
        emulator_threads_policy='isolate',
    )


def with_pages_on(host: HostTopology, ids: set[int]) -> HostTopology:
    """Return the host with free huge pages on these cells alone."""
    return dataclasses.replace(
        host,
        cells=tuple(
            cell
            if cell.id in ids
            else dataclasses.replace(
                cell, pages=tuple(_spent(pool) for pool in cell.pages)
            )
            for cell in host.cells
        ),
    )


def _spent(pool: PagePool) -> PagePool:
    if pool.size_kib < GIB_PAGE_KIB:
        return pool
    return dataclasses.replace(pool, used=pool.total)

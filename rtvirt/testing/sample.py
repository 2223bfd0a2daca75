# SPDX-License-Identifier: Apache-2.0
"""Flavors and hosts to start from."""

from __future__ import annotations

from collections.abc import Mapping

import rtvirt


def realtime_flavor(
    *,
    name: str = 'rt1.small',
    vcpus: int = 4,
    memory_mib: int = 4096,
    extra_specs: Mapping[str, str | None] | None = None,
) -> rtvirt.Flavor:
    """Return a flavor of a guest whose second half of vCPUs is real-time.

    Without arguments it is the sample flavor ``rt1.small``: 4 vCPUs with a
    pCPU each, 4 GiB in pages of 1 GiB.

    :param extra_specs: put over those there are; None takes one away.

    >>> flavor = realtime_flavor(
    ...     extra_specs={
    ...         'hw:cpu_realtime_mask': None,
    ...         'hw:emulator_threads_policy': 'isolate',
    ...     }
    ... )
    >>> str(rtvirt.parse_guest(flavor).realtime)
    '0-3'
    """
    specs: dict[str, str | None] = {
        'hw:cpu_policy': 'dedicated',
        'hw:cpu_realtime': 'yes',
        'hw:cpu_realtime_mask': f'^0-{vcpus // 2 - 1}',
        'hw:mem_page_size': '1GB',
        **(extra_specs or {}),
    }
    return rtvirt.Flavor(
        name=name,
        vcpus=vcpus,
        memory_mib=memory_mib,
        disk_gib=20,
        extra_specs={k: v for k, v in specs.items() if v is not None},
    )


def edge_host(*, dedicated: str = '2-7') -> rtvirt.HostTopology:
    """Return a small server: one socket, 8 cores without SMT.

    It has 32 GiB, of which sixteen pages of 1 GiB; one L3 cache.

    :param dedicated: pCPUs for dedicated vCPUs; the others are shared.
    """
    return _host(dedicated, cells=1)


def nps4_host(*, dedicated: str = '8-63,72-127') -> rtvirt.HostTopology:
    """Return a large server: 8 cells of 8 cores with SMT, 2 L3 caches each.

    Each cell has 32 GiB, of which sixteen pages of 1 GiB. pCPU ``n`` and
    pCPU ``n + 64`` are siblings.

    :param dedicated: pCPUs for dedicated vCPUs; the others, by default the
        cores of cell 0, are shared.
    """
    return _host(dedicated, cells=8, threads=2, l3_per_cell=2)


def _host(
    dedicated: str, *, cells: int, threads: int = 1, l3_per_cell: int = 1
) -> rtvirt.HostTopology:
    cores = 8
    taken = rtvirt.CPUSet.parse(dedicated)
    every = rtvirt.CPUSet(range(cells * cores * threads))
    return rtvirt.HostTopology.uniform(
        cells=cells,
        cores=cores,
        threads=threads,
        l3_per_cell=l3_per_cell,
        memory_mib=32768,
        pages={1048576: 16},
        dedicated=taken,
        shared=every - taken,
    )

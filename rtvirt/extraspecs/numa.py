# SPDX-License-Identifier: Apache-2.0
"""Rules: the guest's NUMA cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

from rtvirt.extraspecs.request import Request
from rtvirt.extraspecs.spec import MAX_CELLS
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import GuestCell
from rtvirt.model.pages import PageSize

_NODES: Final = 'hw:numa_nodes'
_IMAGE_NODES: Final = 'hw_numa_nodes'
_CPUS: Final = tuple(f'hw:numa_cpus.{cell}' for cell in range(MAX_CELLS))
_MEM: Final = tuple(f'hw:numa_mem.{cell}' for cell in range(MAX_CELLS))
_IMAGE_CPUS: Final = tuple(f'hw_numa_cpus.{cell}' for cell in range(MAX_CELLS))
_IMAGE_MEM: Final = tuple(f'hw_numa_mem.{cell}' for cell in range(MAX_CELLS))


def cell_count(request: Request) -> int | None:
    """Return how many cells are asked for, None where nothing is said.

    As nova's ``_get_numa_node_count_constraint``.

    :raises ExtraSpecError: if flavor and image both say it, or the image
        says less than one.
    """
    flavor: int | None = request.specs.get(_NODES)
    image: int | None = request.properties.get(_IMAGE_NODES)
    if flavor and image:
        raise request.conflict(
            'flavor and image both give a number of NUMA cells',
            _IMAGE_NODES,
            _NODES,
            hint=f'remove {_IMAGE_NODES} from the image',
        )
    if flavor:
        return flavor
    if image is not None and image < 1:
        raise request.invalid(_IMAGE_NODES, 'a whole number of at least 1')
    return image


def cells(
    request: Request,
    count: int,
    dedicated: int,
    page_size: int | PageSize | None,
) -> tuple[GuestCell, ...]:
    """Return the guest's cells.

    :param dedicated: the dedicated vCPUs, as a mask.
    :raises ExtraSpecError: if vCPUs or memory cannot be divided as asked.
    """
    cpus = _listed(request, _CPUS, _IMAGE_CPUS)
    memory = _listed(request, _MEM, _IMAGE_MEM)
    if cpus is None and memory is None:
        return _even(request, count, dedicated, page_size)
    if cpus is None or memory is None or not len(cpus) == len(memory) == count:
        raise request.conflict(
            f'hw:numa_cpus.N name {len(cpus or ())} cells, hw:numa_mem.N '
            f'{len(memory or ())}, hw:numa_nodes says {count}',
            _CPUS[0] if cpus is None else _MEM[0],
            _NODES,
            hint='give hw:numa_cpus.N and hw:numa_mem.N for every cell, from '
            '0 on without a gap, and hw:numa_nodes',
        )
    _check_vcpus(request, cpus)
    if sum(memory) != request.flavor.memory_mib:
        raise request.conflict(
            f'the cells have {sum(memory)} MiB in all, the flavor '
            f'{request.flavor.memory_mib}',
            _name(request, _MEM, _IMAGE_MEM, 0),
            hint='make the sum of hw:numa_mem.N equal to the memory',
        )
    return tuple(
        GuestCell(
            id=cell,
            shared=CPUSet.from_mask(cpus[cell].mask & ~dedicated),
            dedicated=CPUSet.from_mask(cpus[cell].mask & dedicated),
            memory_mib=memory[cell],
            page_size=page_size,
        )
        for cell in range(count)
    )


def _even(
    request: Request,
    count: int,
    dedicated: int,
    page_size: int | PageSize | None,
) -> tuple[GuestCell, ...]:
    """Divide vCPUs and memory evenly (nova's ``_get_numa_topology_auto``)."""
    flavor = request.flavor
    each, odd = divmod(flavor.vcpus, count)
    memory_mib, rest = divmod(flavor.memory_mib, count)
    if odd or rest:
        raise request.conflict(
            f'{flavor.vcpus} vCPUs and {flavor.memory_mib} MiB cannot be '
            f'divided evenly among {count} NUMA cells',
            _NODES if _NODES in request.specs else _IMAGE_NODES,
            hint='give hw:numa_cpus.N and hw:numa_mem.N for every cell',
        )
    ones = (1 << each) - 1
    return tuple(
        GuestCell(
            id=cell,
            shared=CPUSet.from_mask(ones << start & ~dedicated),
            dedicated=CPUSet.from_mask(ones << start & dedicated),
            memory_mib=memory_mib,
            page_size=page_size,
        )
        for cell, start in enumerate(range(0, flavor.vcpus, each))
    )


def _listed(
    request: Request, names: tuple[str, ...], image_names: tuple[str, ...]
) -> list[Any] | None:
    """Return the values of cells 0, 1, ... up to the first gap, or None."""
    flavor = _until_gap(request.specs, names)
    image = _until_gap(request.properties, image_names)
    if flavor and image:
        raise request.conflict(
            f'flavor and image both give {names[0]}',
            image_names[0],
            names[0],
            hint=f'remove {image_names[0]} and what follows from the image',
        )
    return flavor or image


def _until_gap(
    values: Mapping[str, Any], names: tuple[str, ...]
) -> list[Any] | None:
    if names[0] not in values:
        return None
    found = []
    for name in names:
        if name not in values:
            break
        found.append(values[name])
    return found


def _name(
    request: Request,
    names: tuple[str, ...],
    image_names: tuple[str, ...],
    cell: int,
) -> str:
    return (names if names[0] in request.specs else image_names)[cell]


def _check_vcpus(request: Request, cpus: list[CPUSet]) -> None:
    """Refuse a vCPU in two cells, in none, or that the flavor lacks."""
    everything = (1 << request.flavor.vcpus) - 1
    seen = 0
    for cell, vcpus in enumerate(cpus):
        key = _name(request, _CPUS, _IMAGE_CPUS, cell)
        if beyond := vcpus.mask & ~everything:
            raise request.invalid(
                key,
                f'vCPUs from 0 to {request.flavor.vcpus - 1}',
                f'the flavor has no vCPU {CPUSet.from_mask(beyond)}',
            )
        if twice := vcpus.mask & seen:
            raise request.invalid(
                key,
                'vCPUs that are in no other cell',
                f'vCPU {CPUSet.from_mask(twice)} is in an earlier cell',
            )
        seen |= vcpus.mask
    if missing := everything & ~seen:
        raise request.conflict(
            f'vCPUs {CPUSet.from_mask(missing)} are in no NUMA cell',
            _name(request, _CPUS, _IMAGE_CPUS, 0),
            hint='name every vCPU in one hw:numa_cpus.N',
        )

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
from rtvirt.model.guest import make_cell
from rtvirt.model.pages import PageSize

_NODES: Final = 'hw:numa_nodes'
_IMAGE_NODES: Final = 'hw_numa_nodes'


def _names(stem: str) -> tuple[str, ...]:
    return tuple(f'{stem}.{cell}' for cell in range(MAX_CELLS))


_CPUS: Final = _names('hw:numa_cpus')
_IMAGE_CPUS: Final = _names('hw_numa_cpus')
_MEM: Final = _names('hw:numa_mem')
_IMAGE_MEM: Final = _names('hw_numa_mem')
_LISTS: Final = frozenset(_CPUS + _IMAGE_CPUS + _MEM + _IMAGE_MEM)


def cell_count(request: Request) -> int | None:
    """Return how many cells are asked for, None where nothing is said.

    As nova's ``_get_numa_node_count_constraint``.

    :raises ExtraSpecError: if flavor and image both say it, or the image
        says less than one.
    """
    flavor: int | None = request.specs.get(_NODES)
    image: int | None = request.properties.get(_IMAGE_NODES)
    if image is None:
        return flavor
    if flavor and image:
        raise request.conflict(
            'flavor and image both give a number of cells',
            _IMAGE_NODES,
            _NODES,
            expected='one or the other',
            hint=f'remove {_IMAGE_NODES} from the image',
        )
    if flavor is None and image < 1:
        raise request.invalid(_IMAGE_NODES)
    return flavor or image


def guest_cells(
    request: Request,
    count: int,
    dedicated: int,
    page_size: int | PageSize | None,
) -> tuple[GuestCell, ...]:
    """Return the guest's cells.

    :param dedicated: the dedicated vCPUs, as a mask.
    :raises ExtraSpecError: if vCPUs or memory cannot be divided as asked.
    """
    listed = _combine(request, count) if has_lists(request) else None
    masks, sizes = listed or _divide(request, count)
    return tuple(
        [
            make_cell(
                cell,
                mask & ~dedicated,
                mask & dedicated,
                memory_mib,
                page_size,
            )
            for cell, (mask, memory_mib) in enumerate(
                zip(masks, sizes, strict=True)
            )
        ]
    )


def _divide(request: Request, count: int) -> tuple[list[int], list[int]]:
    """Return the cells' vCPUs and memory, divided evenly.

    As nova's ``_get_numa_topology_auto``.
    """
    vcpus = request.flavor.vcpus
    memory_mib = request.flavor.memory_mib
    if vcpus % count or memory_mib % count:
        raise request.conflict(
            f'{vcpus} vCPUs and {memory_mib} MiB cannot be divided evenly '
            f'among {count} cells',
            _NODES,
            _IMAGE_NODES,
            expected='a number that divides vCPUs and memory',
            hint='give hw:numa_cpus.N and hw:numa_mem.N for every cell',
        )
    each = vcpus // count
    ones = (1 << each) - 1
    masks = [ones << start for start in range(0, vcpus, each)]
    return masks, [memory_mib // count] * count


def _combine(
    request: Request, count: int
) -> tuple[list[int], list[int]] | None:
    """Return the cells' vCPUs and memory as listed, None if nothing is.

    As nova's ``_get_numa_topology_manual``.
    """
    cpus: list[CPUSet] = _listed(request, _CPUS, _IMAGE_CPUS)
    memory: list[int] = _listed(request, _MEM, _IMAGE_MEM)
    warn_of_lists(request, len(cpus) + len(memory))
    if not (cpus or memory):
        return None
    if not len(cpus) == len(memory) == count:
        raise request.conflict(
            f'there are {count} cells, the vCPUs of {len(cpus)} and the '
            f'memory of {len(memory)} are given',
            *_first(_CPUS, _IMAGE_CPUS),
            *_first(_MEM, _IMAGE_MEM),
            _NODES,
            _IMAGE_NODES,
            expected='vCPUs and memory of every cell',
            hint=(
                'give hw:numa_nodes, and hw:numa_cpus.N and hw:numa_mem.N '
                'from 0 on without a gap'
            ),
        )
    _check_vcpus(request, cpus)
    if sum(memory) != request.flavor.memory_mib:
        raise request.conflict(
            f'the cells have {sum(memory)} MiB together, the flavor '
            f'{request.flavor.memory_mib} MiB',
            *_first(_MEM, _IMAGE_MEM),
            expected=f'{request.flavor.memory_mib} MiB in all',
            hint='make the hw:numa_mem.N add up to the memory',
        )
    return [vcpus.mask for vcpus in cpus], memory


def _check_vcpus(request: Request, cpus: list[CPUSet]) -> None:
    """Refuse a vCPU in two cells, in none, or that the flavor lacks."""
    vcpus = request.flavor.vcpus
    seen = 0
    for cell, listed in enumerate(cpus):
        if beyond := listed.mask >> vcpus << vcpus:
            raise request.invalid(
                _cpus_key(request, cell),
                f'vCPUs from 0 to {vcpus - 1}',
                f'the flavor has no vCPU {CPUSet.from_mask(beyond)}',
            )
        if twice := listed.mask & seen:
            raise request.invalid(
                _cpus_key(request, cell),
                'vCPUs that are in no other cell',
                f'vCPU {CPUSet.from_mask(twice)} is in a cell before',
            )
        seen |= listed.mask
    if missing := (1 << vcpus) - 1 & ~seen:
        raise request.conflict(
            f'vCPUs {CPUSet.from_mask(missing)} are in no cell',
            *_first(_CPUS, _IMAGE_CPUS),
            expected='every vCPU in one cell',
            hint='name them in one of the hw:numa_cpus.N',
        )


def _cpus_key(request: Request, cell: int) -> str:
    return request.present(_CPUS[cell], _IMAGE_CPUS[cell])[0]


def _listed(
    request: Request, names: tuple[str, ...], image_names: tuple[str, ...]
) -> list[Any]:
    """Return the values of cells 0, 1, ... up to the first gap."""
    flavor = _until_gap(request.specs, names)
    image = _until_gap(request.properties, image_names)
    if flavor and image:
        raise request.conflict(
            'flavor and image both list what is in the cells',
            image_names[0],
            names[0],
            expected='one or the other',
            hint='remove the lists from the image',
        )
    return flavor or image


def _until_gap(values: Mapping[str, Any], names: tuple[str, ...]) -> list[Any]:
    found = []
    for name in names:
        if name not in values:
            break
        found.append(values[name])
    return found


def _first(*names: tuple[str, ...]) -> list[str]:
    return [those[0] for those in names]


def has_lists(request: Request) -> bool:
    """Return whether vCPUs or memory of any cell are listed."""
    if request.properties and not _LISTS.isdisjoint(request.properties):
        return True
    return not _LISTS.isdisjoint(request.specs)


def warn_of_lists(request: Request, used: int) -> None:
    """Warn of what is listed and not used, which nova ignores.

    :param used: how many of the lists are used.
    """
    given = [
        *_LISTS.intersection(request.specs),
        *_LISTS.intersection(request.properties),
    ]
    if len(given) > used:
        request.warn(
            f'{max(given)} has no effect: the guest has no cells, or the one '
            'before is missing'
        )

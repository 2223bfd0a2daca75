# SPDX-License-Identifier: Apache-2.0
"""Which pCPUs and pages of a host guests may have, and which are taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from rtvirt.exception import ConfigError
from rtvirt.model.check import require_int
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.model.host import choose_sets
from rtvirt.model.pages import PagePool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedPages:
    """Pages kept from guests (nova's ``reserved_huge_pages``).

    :ivar cell: the host cell's id.
    :ivar size_kib: the size of a page in KiB.
    :ivar count: how many of them.
    """

    cell: int
    size_kib: int
    count: int

    def __post_init__(self) -> None:
        require_int('cell', self.cell, 0)
        require_int('size_kib', self.size_kib, 1)
        require_int('count', self.count, 0)


def partition(
    host: HostTopology,
    *,
    dedicated: CPUSet | None = None,
    shared: CPUSet | None = None,
    pinned: CPUSet = CPUSet(),
    reserved: Iterable[ReservedPages] = (),
) -> HostTopology:
    """Return the same host with its pCPUs and pages dealt out anew.

    The rules of nova's ``cpu_dedicated_set``, ``cpu_shared_set``
    (``LibvirtDriver._check_cpu_set_configuration``, ``choose_sets``) and
    ``reserved_huge_pages``: the two sets are disjoint, not empty where
    given, and name pCPUs that are online. With neither, the pCPUs stay
    dealt out as they are.

    :param pinned: dedicated pCPUs that are taken, beside those of which
        the host knows it; what is no longer dedicated is no longer taken.
    :raises ConfigError: naming the set and the pCPUs that are wrong.
    """
    _check_sets(host, dedicated, shared)
    if dedicated is None and shared is None:
        dealt = [(cell.dedicated, cell.shared) for cell in host.cells]
    else:
        dealt = [choose_sets(c.cpus, dedicated, shared) for c in host.cells]
    usable = _union(own for own, _ in dealt)
    _refuse('pinned', pinned - usable, 'not dedicated', usable)
    pages = _reserve(host, reserved)
    return dataclasses.replace(
        host,
        cells=tuple(
            dataclasses.replace(
                cell,
                dedicated=own,
                shared=floating,
                pinned=own & (cell.pinned | pinned),
                pages=pages[cell.id],
            )
            for cell, (own, floating) in zip(host.cells, dealt, strict=True)
        ),
    )


def _check_sets(
    host: HostTopology, dedicated: CPUSet | None, shared: CPUSet | None
) -> None:
    online = _union(cell.cpus for cell in host.cells)
    for name, cpus in (('dedicated', dedicated), ('shared', shared)):
        if cpus is not None:
            if not cpus:
                raise ConfigError(
                    f'the {name} set is empty',
                    hint=f'name at least one pCPU, or leave {name} out',
                )
            _refuse(name, cpus - online, 'not online on this host', online)
    if dedicated and shared and (both := dedicated & shared):
        raise ConfigError(
            f'pCPUs {both} are both dedicated and shared',
            hint='take them out of one of the two sets',
        )


def _refuse(name: str, wrong: CPUSet, why: str, expected: CPUSet) -> None:
    if wrong:
        raise ConfigError(
            f'the {name} set names pCPUs {wrong}: {why}',
            hint=f'choose among pCPUs {expected}'
            if expected
            else 'say by --dedicated which pCPUs are for guests',
        )


def _reserve(
    host: HostTopology, reserved: Iterable[ReservedPages]
) -> dict[int, tuple[PagePool, ...]]:
    pools = {
        cell.id: {pool.size_kib: pool for pool in cell.pages}
        for cell in host.cells
    }
    for item in reserved:
        pool = pools.get(item.cell, {}).get(item.size_kib)
        if pool is None:
            raise ConfigError(
                f'{item.count} pages of {item.size_kib} KiB are reserved on '
                f'host cell {item.cell}, which has no such pages',
                hint='"rtvirt host show" tells the pages of each cell: '
                'correct reserved_huge_pages',
            )
        pools[item.cell][item.size_kib] = dataclasses.replace(
            pool, reserved=item.count
        )
    return {key: tuple(sizes.values()) for key, sizes in pools.items()}


def _union(sets: Iterable[CPUSet]) -> CPUSet:
    mask = 0
    for cpus in sets:
        mask |= cpus.mask
    return CPUSet.from_mask(mask)

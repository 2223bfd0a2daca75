# SPDX-License-Identifier: Apache-2.0
"""Flavors that ask for a little less, to be tried on the same host."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any
from typing import Final

from rtvirt.fitting.emulator import shared_only
from rtvirt.fitting.terms import Terms
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.explanation import Step
from rtvirt.model.explanation import StepKind
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import L3Policy
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostTopology
from rtvirt.model.pages import PageSize
from rtvirt.model.pages import format_kib

COST: Final = 4.0
"""What the change of an extra spec counts."""

_MAX_CELLS: Final = 32
_MAX_CHOICES: Final = 6

Relaxed = tuple[tuple[Step, ...], float, GuestRequirement]
Change = tuple[Step, dict[str, Any]]


def relax_guest(terms: Terms, *, keys: int) -> Iterator[Relaxed]:
    """Yield guests with so many of their extra specs changed.

    Whether they fit is for the caller to find out.

    :param keys: 1 or 2.
    """
    guest = terms.demand.guest
    changes = list(_changes(guest, terms.host)) if guest.cells else []
    for chosen in itertools.combinations(changes, keys):
        if len({step.setting for step, _ in chosen}) < keys:
            continue
        fields: dict[str, Any] = {}
        for _, more in chosen:
            if not fields.keys().isdisjoint(more):
                break
            fields.update(more)
        else:
            steps = tuple(step for step, _ in chosen)
            yield steps, COST * keys, dataclasses.replace(guest, **fields)


def _changes(guest: GuestRequirement, host: HostTopology) -> Iterator[Change]:
    yield from _thread_changes(guest)
    yield from _emulator_changes(guest, host)
    yield from _cell_changes(guest, host)
    yield from _page_changes(guest, host)
    yield from _cache_changes(guest)


def _set(setting: str, value: str, why: str = '') -> Step:
    """Return the step that sets an extra spec, or drops it."""
    because = f' ({why})' if why else ''
    if value:
        what = f'set {setting}={value}'
        how = f"openstack flavor set --property '{setting}={value}' FLAVOR"
    else:
        what = f'drop {setting}'
        how = f"openstack flavor unset --property '{setting}' FLAVOR"
    return Step(
        kind=StepKind.SET_FLAVOR,
        what=what,
        note=because,
        how=how,
        setting=setting,
        value=value,
    )


def _thread_changes(guest: GuestRequirement) -> Iterator[Change]:
    if guest.thread_policy in {ThreadPolicy.ISOLATE, ThreadPolicy.REQUIRE}:
        step = _set('hw:cpu_thread_policy', ThreadPolicy.PREFER)
        yield step, {'thread_policy': ThreadPolicy.PREFER}


def _emulator_changes(
    guest: GuestRequirement, host: HostTopology
) -> Iterator[Change]:
    """Yield the other emulator threads policies that make sense."""
    setting = 'hw:emulator_threads_policy'
    policy = guest.emulator_policy
    if policy is not EmulatorPolicy.SHARE and shared_only(host):
        step = _set(
            setting, EmulatorPolicy.SHARE, 'they run on the shared pCPUs'
        )
        yield step, {'emulator_policy': EmulatorPolicy.SHARE}
    if policy is not EmulatorPolicy.ISOLATE and guest.dedicated:
        step = _set(
            setting, EmulatorPolicy.ISOLATE, 'they get a pCPU of their own'
        )
        yield step, {'emulator_policy': EmulatorPolicy.ISOLATE}
    if policy is not None and len(guest.realtime) < guest.vcpus:
        step = _set(
            setting, '', 'they run beside the vCPUs that are not real-time'
        )
        yield step, {'emulator_policy': None}


def _cell_changes(
    guest: GuestRequirement, host: HostTopology
) -> Iterator[Change]:
    """Yield other numbers of equal guest cells, the nearest first."""
    now = len(guest.cells)
    most = min(len(host.cells), guest.vcpus, _MAX_CELLS)
    numbers = [
        number
        for number in range(1, most + 1)
        if number != now
        and not guest.vcpus % number
        and not guest.memory_mib % number
    ]
    numbers.sort(key=lambda number: abs(number - now))
    for number in numbers[:_MAX_CHOICES]:
        step = _set('hw:numa_nodes', str(number))
        yield step, {'cells': _equal_cells(guest, number)}


def _equal_cells(
    guest: GuestRequirement, number: int
) -> tuple[GuestCell, ...]:
    """Return the guest's cells as ``hw:numa_nodes`` alone makes them."""
    each = guest.vcpus // number
    dedicated = guest.dedicated
    cells = []
    for index in range(number):
        vcpus = CPUSet(range(index * each, (index + 1) * each))
        cells.append(
            GuestCell(
                id=index,
                shared=vcpus - dedicated,
                dedicated=vcpus & dedicated,
                memory_mib=guest.memory_mib // number,
                page_size=guest.cells[0].page_size,
            )
        )
    return tuple(cells)


def _page_changes(
    guest: GuestRequirement, host: HostTopology
) -> Iterator[Change]:
    """Yield the host's other page sizes, the largest first."""
    asked = guest.cells[0].page_size
    if asked is None or asked is PageSize.ANY:
        return
    sizes = {pool.size_kib for cell in host.cells for pool in cell.pages}
    for size_kib in sorted(sizes - {asked}, reverse=True):
        value = format_kib(size_kib).replace(' ', '')
        cells = tuple(
            dataclasses.replace(cell, page_size=size_kib)
            for cell in guest.cells
        )
        yield _set('hw:mem_page_size', value), {'cells': cells}


def _cache_changes(guest: GuestRequirement) -> Iterator[Change]:
    if guest.l3_policy is L3Policy.REQUIRE:
        step = _set('rtvirt:l3_policy', L3Policy.PREFER)
        yield step, {'l3_policy': L3Policy.PREFER}
    if guest.cache_mib is not None:
        yield _set('rtvirt:cache_mib', ''), {'cache_mib': None}
    if guest.memory_bandwidth is not None:
        step = _set('rtvirt:memory_bandwidth', '')
        yield step, {'memory_bandwidth': None}

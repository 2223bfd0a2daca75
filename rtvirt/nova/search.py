# SPDX-License-Identifier: Apache-2.0
"""The plan that nova's fit would come to, were it always right.

The same order of the host cells, the same rules for a cell, the same word
of nova's ``PciDeviceStats`` on devices: whether it can serve the requests
depends on which host cells are chosen and on nothing else, so that each
such set is put to it once, and not each permutation.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import Final

import nova.conf
from nova import objects

from rtvirt.exception import FitError
from rtvirt.fitting.demand import Demand
from rtvirt.fitting.demand import prepare
from rtvirt.fitting.engine import fit
from rtvirt.fitting.engine import fits
from rtvirt.fitting.strategy import Strategy
from rtvirt.fitting.strategy import pack
from rtvirt.fitting.strategy import spread
from rtvirt.fitting.summary import summarize
from rtvirt.fitting.terms import SMTIsolate
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostTopology
from rtvirt.model.limits import Limits
from rtvirt.model.plan import Plan
from rtvirt.model.reason import FitReason
from rtvirt.model.reason import ReasonCode
from rtvirt.model.vacancy import Vacancy

_ISOLATE: Final = SMTIsolate.REFUSE
"""As in nova, whose placement query excludes hosts with sibling threads."""

_NOWHERE: Final = -2
"""The id of no host cell."""


class Devices:
    """The device requests of one guest on one host.

    :param requests: ``InstancePCIRequest`` objects; not empty.
    :param mapping: nova's ``provider_mapping``.
    :param stats: the host's ``PciDeviceStats``.
    """

    def __init__(self, requests: Any, mapping: Any, stats: Any) -> None:
        self._requests = requests
        self._mapping = mapping
        self._stats = stats

    def accept(self, plan: Plan) -> bool:
        """Whether the devices can be had near the plan's host cells."""
        ids = [cell.host_cell for cell in plan.cells]
        return self._supports(self._requests, ids)

    def are_there(self) -> bool:
        """Whether each request, alone, could be served from anywhere."""
        return all(
            self._stats.support_requests([request], self._mapping, None)
            for request in self._requests
        )

    def needs(self, host: HostTopology) -> list[tuple[frozenset[int], bool]]:
        """Return for each request which host cells make a difference to it.

        :returns: their ids, and whether one of them must be chosen.
        """
        return [self._need(request, host) for request in self._requests]

    def _need(
        self, request: Any, host: HostTopology
    ) -> tuple[frozenset[int], bool]:
        one = copy.copy(request)
        one.count = 1
        ids = [cell.id for cell in host.cells]
        if self._supports([one], [_NOWHERE]):
            # It can do without a device that is near: but a near one is
            # taken first, and may then not be the one that was meant.
            pools = {pool['numa_node'] for pool in self._stats.pools}
            return frozenset(pools.intersection(ids)), False
        return frozenset(
            number for number in ids if self._supports([one], [number])
        ), True

    def _supports(self, requests: Any, ids: Sequence[int]) -> bool:
        cells = [objects.InstanceNUMACell(id=number) for number in ids]
        supported: bool = self._stats.support_requests(
            requests, self._mapping, cells
        )
        return supported


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One guest and one host, and what decides between host cells.

    :ivar limits: allocation ratios; None binds nothing.
    :ivar near: sets of host cells of which each must hold a guest cell.
    :ivar order: the order in which host cells are tried.
    :ivar devices: what has to be near them, if anything.
    """

    guest: GuestRequirement
    host: HostTopology
    limits: Limits | None = None
    near: Sequence[frozenset[int]] = ()
    order: Strategy = spread
    devices: Devices | None = None

    def find(self) -> Plan:
        """Return the first plan in that order.

        :raises FitError: if there is none, with every reason.
        """
        plan = self._fit(self.order, self.near)
        if self.devices is None or self.devices.accept(plan):
            return plan
        found = self._search(self.devices)
        if found is None:
            raise _no_devices(self.guest)
        return found

    def is_possible(self) -> bool:
        """Whether :meth:`find` finds one: in microseconds, mostly."""
        if self.devices is None and not self._may_crowd:
            return self._fits()
        try:
            self.find()
        except FitError:
            return False
        return True

    def why_not(self) -> str:
        """Return in a few words why there is none; there must be none."""
        if self._may_crowd and self.devices is None and self._fits():
            return 'no empty core for the emulator threads'
        return summarize(
            self.guest,
            self.host,
            limits=self.limits,
            affinity=self.near,
            smt_isolate=_ISOLATE,
        )

    def _fits(self) -> bool:
        """Whether there is a plan, devices and nova's books apart."""
        return fits(
            prepare(self.guest),
            self.host,
            limits=self.limits,
            affinity=self.near,
            smt_isolate=_ISOLATE,
        )

    @property
    def _may_crowd(self) -> bool:
        return (
            self.guest.thread_policy is ThreadPolicy.ISOLATE
            and self.guest.emulator_policy is EmulatorPolicy.ISOLATE
        )

    def _fit(self, order: Strategy, near: Sequence[frozenset[int]]) -> Plan:
        return fit(
            self.guest,
            self.host,
            limits=self.limits,
            strategy=order,
            affinity=near,
            accept=self._can_book if self._may_crowd else None,
            smt_isolate=_ISOLATE,
        )

    def _can_book(self, plan: Plan) -> bool:
        """Whether nova's usage can count what the plan takes.

        Under ``isolate`` it takes whole cores: the emulator threads cannot
        be beside somebody else's.
        """
        for planned in plan.cells:
            cell = self.host.cell(planned.host_cell)
            for core in cell.siblings:
                if core & planned.emulator and core & cell.pinned:
                    return False
        return True

    def _search(self, devices: Devices) -> Plan | None:
        """Return the first plan with host cells from which devices come.

        Sets of host cells count as equal if they have the same members
        among those that make a difference: devices are mostly near a few.
        """
        if len(self.host.cells) <= len(self.guest.cells):
            # All host cells are used, and they would not do.
            return None
        if not devices.are_there():
            return None
        needs = devices.needs(self.host)
        demand = prepare(self.guest)
        order = self.order(demand, self.host.vacancies)
        rank = {vacancy.cell.id: n for n, vacancy in enumerate(order)}
        first: list[int] = []
        found = None
        for near, barred in _patterns(needs, len(self.guest.cells)):
            try:
                plan = self._fit(
                    _without(self.order, barred), [*self.near, *near]
                )
            except FitError:
                continue
            ranks = [rank[cell.host_cell] for cell in plan.cells]
            if (not found or ranks < first) and devices.accept(plan):
                first, found = ranks, plan
        return found


def _patterns(
    needs: Sequence[tuple[frozenset[int], bool]], most: int
) -> Iterator[tuple[list[frozenset[int]], frozenset[int]]]:
    """Yield which of the cells that make a difference to use, and not.

    :param most: how many host cells are chosen.
    """
    every = frozenset[int]().union(*(cells for cells, _ in needs))
    for number in range(min(most, len(every)) + 1):
        for chosen in itertools.combinations(sorted(every), number):
            used = frozenset(chosen)
            if all(used & cells for cells, is_must in needs if is_must):
                yield [frozenset([one]) for one in chosen], every - used


def _without(order: Strategy, barred: frozenset[int]) -> Strategy:
    """Return the order without some host cells."""

    def strategy(
        demand: Demand, vacancies: Sequence[Vacancy]
    ) -> list[Vacancy]:
        return [
            vacancy
            for vacancy in order(demand, vacancies)
            if vacancy.cell.id not in barred
        ]

    return strategy


def nova_order(stats: Any, requests: Any) -> Strategy:
    """Return the order of ``numa_fit_instance_to_host``.

    By ``[compute] packing_host_numa_cells_allocation_strategy``; then the
    cells with the most devices come first for a guest that asks for any,
    and last for others.

    :param stats: the host's ``PciDeviceStats``, or None.
    """
    packs = nova.conf.CONF.compute.packing_host_numa_cells_allocation_strategy
    base = pack if packs else spread
    if not stats or not stats.pools:
        return base
    near: dict[int | None, int] = {}
    for pool in stats.pools:
        node = pool['numa_node']
        near[node] = near.get(node, 0) + pool['count']

    def strategy(
        demand: Demand, vacancies: Sequence[Vacancy]
    ) -> list[Vacancy]:
        return sorted(
            base(demand, vacancies),
            reverse=bool(requests),
            key=lambda vacancy: near.get(vacancy.cell.id, 0),
        )

    return strategy


def _no_devices(guest: GuestRequirement) -> FitError:
    reason = FitReason(
        guest_cell=None,
        host_cell=None,
        code=ReasonCode.AFFINITY,
        sentence='the devices asked for are not free near host cells that '
        'the guest fits',
    )
    return FitError(
        f'{guest.name}: {reason}',
        reasons=(reason,),
        hint='free the devices, or choose another host',
    )

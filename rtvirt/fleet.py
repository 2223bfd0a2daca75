# SPDX-License-Identifier: Apache-2.0
"""Many hosts for one guest: who can take it, who best, and how often.

The demand is prepared once; results stream in the order of the hosts, so
that a scheduler may stop when it has seen enough.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from rtvirt.exception import FitError
from rtvirt.fitting.demand import prepare
from rtvirt.fitting.engine import fit
from rtvirt.fitting.engine import fits
from rtvirt.fitting.score import score
from rtvirt.fitting.strategy import DEFAULT_STRATEGY
from rtvirt.fitting.strategy import Strategy
from rtvirt.fitting.terms import SMTIsolate
from rtvirt.model.check import require_int
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.model.limits import Limits
from rtvirt.model.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one host has for the guest.

    :ivar host: the host as it is.
    :ivar plan: where the guest would go, None where it does not fit.
    :ivar exposed: real-time vCPUs that would share a core with anything
        that is not theirs (:class:`~rtvirt.fitting.score.Score`).
    :ivar opened: host cells that nobody uses, and the guest would.
    :ivar free: free dedicated pCPUs that would be left on the host cells
        that take the guest.
    :ivar whole_cores: whole cores that would be left there.
    :ivar count: how many such guests go in, None where nobody asked.
    """

    host: HostTopology
    plan: Plan | None = None
    exposed: int = 0
    opened: int = 0
    free: int = 0
    whole_cores: int = 0
    count: int | None = None

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """What to compare: the least is the best host.

        First the fewest exposed real-time vCPUs, for that is what the guest
        is about; then what keeps room for large guests in one piece: the
        fewest empty cells used, and of the cells used, the fewest pCPUs and
        the fewest whole cores left.
        """
        return self.exposed, self.opened, self.free, self.whole_cores


def screen(
    guest: GuestRequirement,
    hosts: Iterable[HostTopology],
    *,
    limits: Limits | None = None,
    smt_isolate: str = SMTIsolate.CORES,
) -> Iterator[bool]:
    """Yield for each host whether the guest fits: microseconds a host.

    :param limits: allocation ratios, as for :func:`rtvirt.fit`.
    """
    demand = prepare(guest)
    for host in hosts:
        yield fits(demand, host, limits=limits, smt_isolate=smt_isolate)


def offers(
    guest: GuestRequirement,
    hosts: Iterable[HostTopology],
    *,
    limits: Limits | None = None,
    strategy: str | Strategy = DEFAULT_STRATEGY,
    smt_isolate: str = SMTIsolate.CORES,
    with_count: bool = False,
) -> Iterator[Offer]:
    """Yield what each host has for the guest, in the order of the hosts.

    :param with_count: whether to find out how many such guests go in.
    """
    for host in hosts:
        try:
            plan = fit(
                guest,
                host,
                limits=limits,
                strategy=strategy,
                smt_isolate=smt_isolate,
            )
        except FitError:
            yield Offer(host=host, count=0 if with_count else None)
            continue
        offer = appraise(plan, host)
        if with_count:
            found = count(guest, host, limits=limits, smt_isolate=smt_isolate)
            offer = dataclasses.replace(offer, count=found)
        yield offer


def best(found: Iterable[Offer], number: int) -> list[Offer]:
    """Return the best offers, the best first; equal ones as they came.

    :param number: how many at the most, at least 1.
    :raises ModelError: if it is less.
    """
    require_int('number', number, 1)
    fitting = (offer for offer in found if offer.plan is not None)
    return heapq.nsmallest(number, fitting, key=lambda offer: offer.rank)


def count(
    guest: GuestRequirement,
    host: HostTopology,
    *,
    limits: Limits | None = None,
    smt_isolate: str = SMTIsolate.CORES,
) -> int:
    """Return how many such guests go in, one placed after the other.

    Each takes the emptiest cells, which for guests of several equal cells
    is what lets the most of them in. Guests that float hold nothing: as
    many of them go in as one likes, and the answer is 0 or 1.
    """
    placed = 0
    while True:
        try:
            plan = fit(
                guest,
                host,
                limits=limits,
                strategy='spread',
                smt_isolate=smt_isolate,
            )
        except FitError:
            return placed
        placed += 1
        if not plan.cells:
            return placed
        host = host.claim(plan)


def appraise(plan: Plan, host: HostTopology) -> Offer:
    """Return what a plan comes to on its host.

    :param host: as it is without the plan.
    """
    cells = {cell.id: cell for cell in host.cells}
    exposed = opened = free = whole_cores = 0
    for planned in plan.cells:
        cell = cells[planned.host_cell]
        found = score(planned, plan.guest, cell)
        exposed += found.exposed
        opened += not (cell.pinned or cell.shared_usage)
        whole_cores += found.whole_cores
        free += len(cell.free)
    return Offer(
        host=host,
        plan=plan,
        exposed=exposed,
        opened=opened,
        free=free - len(plan.claimed),
        whole_cores=whole_cores,
    )

# SPDX-License-Identifier: Apache-2.0
"""The exact fit: a plan wherever there is one, else every reason why not.

A guest fits if its cells can be given host cells of their own so that each
satisfies the rules for one cell (:mod:`rtvirt.fitting.cell`): a bipartite
matching, found in polynomial time. Host cells are tried in the order of the
strategy; with ``spread`` and ``pack`` the first assignment in that order is
nova's first choice wherever nova is right.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from collections.abc import Set

from rtvirt.exception import FitError
from rtvirt.exception import ModelError
from rtvirt.fitting import matching
from rtvirt.fitting.cell import fitting_positions
from rtvirt.fitting.control import bandwidth_parts
from rtvirt.fitting.control import cache_parts
from rtvirt.fitting.cores import choose_seats
from rtvirt.fitting.demand import CellDemand
from rtvirt.fitting.demand import Demand
from rtvirt.fitting.demand import prepare
from rtvirt.fitting.emulator import emulator_cpus
from rtvirt.fitting.emulator import find_emulator_reason
from rtvirt.fitting.memory import choose_page_size
from rtvirt.fitting.refusal import EXPLAIN
from rtvirt.fitting.refusal import refusal
from rtvirt.fitting.rows import find_rows
from rtvirt.fitting.rows import to_masks
from rtvirt.fitting.strategy import DEFAULT_STRATEGY
from rtvirt.fitting.strategy import Strategy
from rtvirt.fitting.strategy import find_strategy
from rtvirt.fitting.terms import SMTIsolate
from rtvirt.fitting.terms import Terms
from rtvirt.model.check import shown
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.model.limits import Limits
from rtvirt.model.plan import Plan
from rtvirt.model.plan import PlannedCell
from rtvirt.model.reason import FitReason
from rtvirt.model.reason import ReasonCode
from rtvirt.model.vacancy import Vacancy

Accept = Callable[[Plan], bool]
Affinity = Iterable[Set[int]]


def fit(
    guest: GuestRequirement,
    host: HostTopology,
    *,
    limits: Limits | None = None,
    strategy: str | Strategy = DEFAULT_STRATEGY,
    accept: Accept | None = None,
    affinity: Affinity = (),
    smt_isolate: str = SMTIsolate.CORES,
) -> Plan:
    """Return a plan for the guest on the host.

    :param limits: allocation ratios; None binds nothing.
    :param strategy: ``spread``, ``pack``, ``best-fit`` or a function
        (:mod:`~rtvirt.fitting.strategy`): the order of the host cells.
    :param accept: called with finished plans, best first: one for each
        assignment of host cells, with the best pCPUs there. The first one
        it accepts is returned. Only here may the time not be polynomial:
        all assignments may have to be shown.
    :param affinity: sets of host cell ids; at least one of each set must
        hold a guest cell. For devices and networks that are near certain
        host cells. The time is polynomial for a fixed number of sets
        (:func:`~rtvirt.fitting.matching.can_meet`).
    :param smt_isolate: ``cores`` or ``refuse``
        (:class:`~rtvirt.fitting.terms.SMTIsolate`).
    :raises FitError: with every reason, if there is no such plan.
    :raises ModelError: if a parameter is wrong.
    """
    demand = prepare(guest)
    isolate = _read_smt_isolate(smt_isolate)
    order_by = find_strategy(strategy)
    if not demand.cells:
        floating = _float(guest, host)
        if accept is None or accept(floating):
            return floating
        raise refusal(Terms(demand, host, limits, isolate), (), refused=True)
    terms = Terms(demand, host, limits, isolate)
    if demand.needs_emulator_cpus:
        _refuse_emulator(demand, host)
    near = [frozenset(ids) for ids in affinity] if affinity else []
    order = _order(demand, host.vacancies, order_by)
    if accept is None:
        chosen = _choose(demand, order, terms, near)
        if chosen is None:
            raise refusal(terms, near, refused=False)
        return _plan(demand, host, terms, chosen)
    refused = False
    for bits in matching.assignments(
        find_rows(demand, order, terms), to_masks(near, order)
    ):
        plan = _plan(demand, host, terms, _pick(order, bits))
        if accept(plan):
            return plan
        refused = True
    raise refusal(terms, near, refused=refused)


def _refuse_emulator(demand: Demand, host: HostTopology) -> None:
    """Raise :class:`FitError` if the emulator threads cannot run."""
    if reason := find_emulator_reason(demand, host):
        raise FitError(
            f'{demand.guest.name}: {reason}', reasons=(reason,), hint=EXPLAIN
        )


def fits(
    demand: Demand,
    host: HostTopology,
    *,
    limits: Limits | None = None,
    affinity: Affinity = (),
    smt_isolate: str = SMTIsolate.CORES,
) -> bool:
    """Whether :func:`fit` would return a plan: a matter of microseconds.

    :param demand: of the guest, from :func:`~rtvirt.fitting.demand.prepare`.
    """
    isolate = _read_smt_isolate(smt_isolate)
    if not demand.cells:
        return bool(host.shared)
    terms = Terms(demand, host, limits, isolate)
    if find_emulator_reason(demand, host):
        return False
    near = [frozenset(ids) for ids in affinity]
    return _choose(demand, host.vacancies, terms, near) is not None


def _read_smt_isolate(word: str) -> SMTIsolate:
    if word is SMTIsolate.CORES:
        return word
    try:
        return SMTIsolate(word)
    except ValueError:
        words = ', '.join(SMTIsolate)
        raise ModelError(
            f'smt_isolate is {shown(word)}: expected one of {words}'
        ) from None


def _order(
    demand: Demand, vacancies: Sequence[Vacancy], order_by: Strategy
) -> Sequence[Vacancy]:
    """Return the host cells in the order they are to be tried.

    Where every host cell is needed there is nothing to choose: like nova,
    the fit begins with the host's own order.
    """
    if len(vacancies) <= len(demand.cells):
        return vacancies
    return order_by(demand, vacancies)


def _choose(
    demand: Demand,
    order: Sequence[Vacancy],
    terms: Terms,
    affinity: Sequence[frozenset[int]],
) -> list[Vacancy] | None:
    """Return the first host cells for the guest cells, None without any."""
    if len(demand.kinds) == 1 and not affinity:
        # Any host cells that fit will do.
        number = len(demand.cells)
        found = fitting_positions(demand.kinds[0], order, terms, number)
        if len(found) < number:
            return None
        return [order[position] for position in found]
    rows = find_rows(demand, order, terms)
    if not affinity:
        bits = matching.first_free(rows)
        if bits is not None:
            return _pick(order, bits)
    demands = to_masks(affinity, order)
    for bits in matching.assignments(rows, demands):
        return _pick(order, bits)
    return None


def _pick(order: Sequence[Vacancy], bits: Sequence[int]) -> list[Vacancy]:
    return [order[bit.bit_length() - 1] for bit in bits]


def _plan(
    demand: Demand,
    host: HostTopology,
    terms: Terms,
    chosen: Sequence[Vacancy],
) -> Plan:
    """Return the plan that puts the guest cells on these host cells."""
    guest = demand.guest
    cells = tuple(
        [
            _plan_cell(demand.cells[number], vacancy, terms)
            for number, vacancy in enumerate(chosen)
        ]
    )
    emulator = emulator_cpus(demand, host, cells)
    iothreads = _iothreads(guest, emulator)
    if not demand.is_controlled:
        return Plan(
            guest=guest,
            cells=cells,
            emulator=emulator,
            iothreads=iothreads,
            host=host.digest,
        )
    cpus = _realtime_cpus(demand, cells)
    return Plan(
        guest=guest,
        cells=cells,
        emulator=emulator,
        iothreads=iothreads,
        caches=cache_parts(guest, terms.banks, cpus),
        memory_bandwidth=bandwidth_parts(guest, terms.nodes, cpus),
        host=host.digest,
    )


def _realtime_cpus(demand: Demand, cells: Sequence[PlannedCell]) -> CPUSet:
    mask = 0
    for want, planned in zip(demand.cells, cells, strict=True):
        for vcpu in want.realtime:
            mask |= planned.pins[vcpu].mask
    return CPUSet.from_mask(mask)


def _iothreads(
    guest: GuestRequirement, cpus: CPUSet
) -> FrozenDict[int, CPUSet]:
    """Return the pCPUs of the I/O threads: the emulator threads'."""
    if guest.iothreads == 1:
        return FrozenDict({1: cpus})
    return FrozenDict(dict.fromkeys(range(1, guest.iothreads + 1), cpus))


def _plan_cell(
    want: CellDemand, vacancy: Vacancy, terms: Terms
) -> PlannedCell:
    layout = vacancy.layout
    pins, emulator, idle = choose_seats(
        want,
        vacancy,
        terms.demand.policy,
        (layout.every,) if terms.plain else terms.areas(want, layout),
    )
    cell = vacancy.cell
    if want.shared:
        every = {**pins, **dict.fromkeys(want.shared, cell.shared)}
        pins = FrozenDict({vcpu: every[vcpu] for vcpu in sorted(every)})
    return PlannedCell(
        guest_cell=want.id,
        host_cell=cell.id,
        pins=pins,
        emulator=emulator,
        idle=idle,
        page_size_kib=want.page_kib
        or choose_page_size(want, vacancy, overcommit=terms.overcommit),
        memory_mib=want.memory_mib,
    )


def _float(guest: GuestRequirement, host: HostTopology) -> Plan:
    """Return the plan of a guest without cells: it floats."""
    shared = host.shared
    if not shared:
        reason = FitReason(
            code=ReasonCode.SHARED_CPUS,
            wanted=1,
            available=0,
            sentence='the guest floats, and the host has no shared pCPUs',
        )
        raise FitError(
            f'{guest.name}: {reason}', reasons=(reason,), hint=EXPLAIN
        )
    return Plan(
        guest=guest,
        cells=(),
        floating=shared,
        emulator=shared,
        iothreads=_iothreads(guest, shared),
        host=host.digest,
    )

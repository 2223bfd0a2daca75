# SPDX-License-Identifier: Apache-2.0
"""Explain a fit: the reasons, what would mend them, or what the choice was."""

from __future__ import annotations

from rtvirt.exception import FitError
from rtvirt.fitting.demand import prepare
from rtvirt.fitting.engine import fit
from rtvirt.fitting.engine import fits
from rtvirt.fitting.relaxed_guest import relax_guest
from rtvirt.fitting.relaxed_host import relax_host
from rtvirt.fitting.score import score
from rtvirt.fitting.strategy import DEFAULT_STRATEGY
from rtvirt.fitting.strategy import Strategy
from rtvirt.fitting.terms import SMTIsolate
from rtvirt.fitting.terms import Terms
from rtvirt.model.alter import altered
from rtvirt.model.explanation import CellChoice
from rtvirt.model.explanation import Explanation
from rtvirt.model.explanation import Relaxation
from rtvirt.model.explanation import Step
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.model.limits import Limits
from rtvirt.model.plan import Plan

_MAX_RELAXATIONS = 12
_MAX_TRIED = 8


def explain(
    guest: GuestRequirement,
    host: HostTopology,
    *,
    limits: Limits | None = None,
    strategy: str | Strategy = DEFAULT_STRATEGY,
    smt_isolate: str = SMTIsolate.CORES,
) -> Explanation:
    """Return why the guest fits the host as it does, or what is missing.

    The reasons are complete: every guest cell against every host cell. A
    relaxation is a change of the host or of the flavor after which the
    guest does fit: each was tried. The cheapest comes first.

    :param limits: allocation ratios; None binds nothing.
    :raises ModelError: if a parameter is wrong.
    """
    try:
        plan = fit(
            guest,
            host,
            limits=limits,
            strategy=strategy,
            smt_isolate=smt_isolate,
        )
    except FitError as error:
        return Explanation(
            reasons=error.reasons,
            relaxations=_relax(guest, host, limits, smt_isolate),
        )
    return Explanation(
        plan=plan,
        choices=_choices(plan, host),
        next_best=_next_best(plan, host, limits, strategy, smt_isolate),
    )


def _choices(plan: Plan, host: HostTopology) -> tuple[CellChoice, ...]:
    made = []
    for planned in plan.cells:
        cell = host.cell(planned.host_cell)
        found = score(planned, plan.guest, cell)
        want = plan.guest.cells[planned.guest_cell]
        held = planned.emulator | planned.idle
        cpus = planned.emulator - planned.emulator
        for vcpu in want.dedicated:
            cpus |= planned.pins[vcpu]
        made.append(
            CellChoice(
                guest_cell=planned.guest_cell,
                host_cell=planned.host_cell,
                cpus=cpus,
                pairs=found.pairs,
                exposed=found.exposed,
                caches=found.caches,
                whole_cores=found.whole_cores,
                free=len(cell.free - cpus - held),
            )
        )
    return tuple(made)


def _next_best(
    plan: Plan,
    host: HostTopology,
    limits: Limits | None,
    strategy: str | Strategy,
    smt_isolate: str,
) -> tuple[CellChoice, ...]:
    """Return the best choice that does without one of the chosen cells."""
    if len(plan.cells) >= len(host.cells):
        return ()
    found = []
    for planned in plan.cells[::-1][:_MAX_TRIED]:
        position = next(
            index
            for index, cell in enumerate(host.cells)
            if cell.id == planned.host_cell
        )
        others = altered(
            host,
            cells=host.cells[:position] + host.cells[position + 1 :],
            _vacancies=(
                host.vacancies[:position] + host.vacancies[position + 1 :]
            ),
        )
        try:
            other = fit(
                plan.guest,
                others,
                limits=limits,
                strategy=strategy,
                smt_isolate=smt_isolate,
            )
        except FitError:
            continue
        found.append(_choices(other, host))
    return min(
        found,
        key=lambda choices: sum(choice.exposed for choice in choices),
        default=(),
    )


def _relax(
    guest: GuestRequirement,
    host: HostTopology,
    limits: Limits | None,
    smt_isolate: str,
) -> tuple[Relaxation, ...]:
    """Return the changes that were tried and found to do.

    Two extra specs are changed at once only where nothing less helps.
    """
    terms = Terms(prepare(guest), host, limits, SMTIsolate(smt_isolate))
    found: list[Relaxation] = []

    def attempt(
        steps: tuple[Step, ...],
        cost: float,
        new_guest: GuestRequirement,
        new_host: HostTopology,
    ) -> None:
        if fits(
            prepare(new_guest),
            new_host,
            limits=limits,
            smt_isolate=smt_isolate,
        ):
            plan = fit(
                new_guest, new_host, limits=limits, smt_isolate=smt_isolate
            )
            ids = tuple(cell.host_cell for cell in plan.cells)
            found.append(Relaxation(steps=steps, cost=cost, host_cells=ids))

    for steps, cost, relaxed_host in relax_host(terms):
        attempt(steps, cost, guest, relaxed_host)
    for keys in (1, 2):
        for steps, cost, relaxed_guest in relax_guest(terms, keys=keys):
            attempt(steps, cost, relaxed_guest, host)
        if found:
            break
    found.sort(key=lambda one: (one.cost, len(one.steps)))
    return tuple(found[:_MAX_RELAXATIONS])

# SPDX-License-Identifier: Apache-2.0
"""The fit against trying everything, on random small hosts and guests."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from rtvirt.exception import FitError
from rtvirt.fitting.demand import prepare
from rtvirt.fitting.engine import fit
from rtvirt.fitting.engine import fits
from rtvirt.model.plan import Plan
from rtvirt.model.vacancy import Vacancy
from rtvirt.tests.oracle.brute import cell_fits
from rtvirt.tests.oracle.brute import emulator_has_a_place
from rtvirt.tests.oracle.brute import solutions
from rtvirt.tests.oracle.case import Case
from rtvirt.tests.oracle.case import random_case
from rtvirt.tests.oracle.seeds import seeds
from rtvirt.tests.oracle.validator import faults


def answer(case: Case, **kwargs: Any) -> Plan | FitError:
    try:
        return fit(
            case.guest,
            case.host,
            limits=case.limits,
            strategy=case.strategy,
            affinity=case.affinity,
            smt_isolate=case.smt_isolate,
            **kwargs,
        )
    except FitError as error:
        return error


def host_cells(found: object) -> list[int] | None:
    if isinstance(found, Plan):
        return [cell.host_cell for cell in found.cells]
    return None


def test_finds_the_first_solution_wherever_there_is_one() -> None:
    fitting = 0
    for seed in seeds(2000, 100_000):
        case = random_case(random.Random(seed))
        first = next(solutions(case), None)
        wanted = None if first is None else [cell.id for cell in first]
        found = answer(case)
        assert host_cells(found) == wanted, seed
        if isinstance(found, Plan):
            fitting += 1
            assert list(faults(found, case)) == [], seed
            assert answer(case) == found, seed
            check_claim(found, case)
        else:
            check_reasons(found, case, seed)
        assert fits(
            prepare(case.guest),
            case.host,
            limits=case.limits,
            affinity=case.affinity,
            smt_isolate=case.smt_isolate,
        ) == isinstance(found, Plan), seed
    # The cases are worth trying: not nearly all of one kind.
    assert fitting > 400


def check_claim(plan: Plan, case: Case) -> None:
    claimed = case.host.claim(plan)
    assert claimed != case.host
    assert claimed.release(plan) == case.host
    for known, cell in zip(claimed.vacancies, claimed.cells, strict=True):
        assert same(known, Vacancy(cell))


def same(one: Vacancy, other: Vacancy) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in Vacancy.__slots__
        if name != 'layout'
    )


def check_reasons(error: FitError, case: Case, seed: int) -> None:
    """Each pair of cells that does not fit has a reason, and no other."""
    assert error.reasons, seed
    assert all(reason.sentence for reason in error.reasons), seed
    if not emulator_has_a_place(case):
        return
    pairs = {
        (reason.guest_cell, reason.host_cell)
        for reason in error.reasons
        if reason.guest_cell is not None
    }
    assert pairs == {
        (want.id, cell.id)
        for want in case.guest.cells
        for cell in case.host.cells
        if not cell_fits(case, want, cell)
    }, seed
    if not pairs:
        assert any(reason.guest_cell is None for reason in error.reasons), seed


def is_on(wanted: list[int], plan: Plan) -> bool:
    return host_cells(plan) == wanted


def test_accept_is_shown_every_plan_best_first() -> None:
    for seed in seeds(300, 20_000):
        draw = random.Random(seed)
        case = random_case(draw)
        every = [[cell.id for cell in one] for one in solutions(case)]
        shown: list[object] = []

        def refuse(plan: Plan, shown: list[object] = shown) -> bool:
            shown.append(host_cells(plan))
            return False

        found = answer(case, accept=refuse)
        assert isinstance(found, FitError)
        assert shown == every, seed
        if every:
            wanted = draw.choice(every)
            found = answer(
                case,
                accept=partial(is_on, wanted),
            )
            assert host_cells(found) == wanted, seed


def damage_host_cell(data: dict[str, Any], case: Case) -> bool:
    cell = data['cells'][0]
    used = {c['host_cell'] for c in data['cells']}
    free = [c.id for c in case.host.cells if c.id not in used]
    if not free or not case.guest.cells[0].dedicated:
        return False
    cell['host_cell'] = free[0]
    return True


def damage_pin(data: dict[str, Any], case: Case) -> bool:
    """Pin a vCPU to what somebody else holds."""
    cell = data['cells'][0]
    pinned = case.host.cell(cell['host_cell']).pinned
    dedicated = case.guest.cells[0].dedicated
    if not pinned or not dedicated:
        return False
    cell['pins'][str(min(dedicated))] = [min(pinned)]
    return True


def damage_emulator(data: dict[str, Any], case: Case) -> bool:
    if len(data['emulator']) < 2:
        return False
    data['emulator'].pop()
    return True


def damage_pages(data: dict[str, Any], case: Case) -> bool:
    cell = data['cells'][0]
    others = [
        pool.size_kib
        for pool in case.host.cell(cell['host_cell']).pages
        if pool.size_kib != cell['page_size_kib']
        and cell['memory_mib'] * 1024 % pool.size_kib == 0
    ]
    if others:
        cell['page_size_kib'] = others[0]
    return bool(others)


@pytest.mark.parametrize(
    'damage', [damage_host_cell, damage_pin, damage_emulator, damage_pages]
)
def test_the_validator_finds_damage(
    damage: Callable[[dict[str, Any], Case], bool],
) -> None:
    """What judges the plans can tell a wrong one."""
    found = 0
    for seed in range(400):
        case = random_case(random.Random(seed))
        plan = answer(case)
        if isinstance(plan, Plan):
            data = plan.to_dict()
            if damage(data, case):
                found += 1
                assert list(faults(Plan.from_dict(data), case)), seed
    assert found > 5

# SPDX-License-Identifier: Apache-2.0
"""The budgets that latencies are judged by."""

from __future__ import annotations

import argparse

from rtvirt.exception import ConfigError
from rtvirt.exception import ModelError
from rtvirt.latency.verdict import DEFAULT_PROBABILITY
from rtvirt.latency.verdict import PROFILES
from rtvirt.latency.verdict import Budget
from rtvirt.latency.verdict import Role
from rtvirt.latency.verdict import profile_budget
from rtvirt.model.plan import Plan


def add_budget(parser: argparse.ArgumentParser) -> None:
    """Add the budgets, or a profile of them."""
    group = parser.add_argument_group('against what')
    group.add_argument(
        '--budget-us',
        metavar='N',
        type=int,
        help="of the real-time CPUs; default: the plan's "
        'rtvirt:latency_budget_us',
    )
    group.add_argument(
        '--housekeeping-budget-us',
        metavar='N',
        type=int,
        help='of the other CPUs; default: none',
    )
    group.add_argument(
        '--profile',
        choices=[*PROFILES],
        help='a known set of budgets instead',
    )
    group.add_argument(
        '--probability',
        metavar='P',
        type=float,
        default=DEFAULT_PROBABILITY,
        help='how rarely a sample may be above the budget; this says how '
        f'many samples it takes to pass. Default: {DEFAULT_PROBABILITY}',
    )


def read_budgets(
    parsed_args: argparse.Namespace, plan: Plan | None, tool: str
) -> list[Budget]:
    """Return what the real-time and the other CPUs may take.

    :param plan: of the guest; its budget counts where none is given.
    :raises ConfigError: if they cannot be.
    """
    probability = parsed_args.probability
    limit, source = parsed_args.budget_us, '--budget-us'
    if limit is not None and parsed_args.profile:
        raise ConfigError(
            '--budget-us and --profile are both given',
            hint='leave one of the two out: a profile has budgets of its own',
        )
    if limit is None and plan is not None:
        limit = plan.guest.latency_budget_us
        source = 'rtvirt:latency_budget_us'
    try:
        budgets = []
        if parsed_args.profile:
            budgets.append(profile_budget(parsed_args.profile, tool))
        elif limit is not None:
            budgets.append(
                Budget(limit_us=limit, probability=probability, source=source)
            )
        if parsed_args.housekeeping_budget_us is not None:
            budgets.append(
                Budget(
                    role=Role.HOUSEKEEPING,
                    limit_us=parsed_args.housekeeping_budget_us,
                    probability=probability,
                    source='--housekeeping-budget-us',
                )
            )
    except ModelError as error:
        raise ConfigError(
            str(error).replace('limit_us', 'the budget'),
            hint=error.hint
            or 'correct --budget-us, --housekeeping-budget-us or '
            '--probability',
        ) from error
    return budgets

# SPDX-License-Identifier: Apache-2.0
"""Files with measurements: evidence, or what a tool printed."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from typing import TypeVar

from rtvirt.cli.budget import read_budgets
from rtvirt.cli.document import STDIN
from rtvirt.cli.document import read_text
from rtvirt.exception import ConfigError
from rtvirt.exception import InputError
from rtvirt.exception import LatencyFormatError
from rtvirt.exception import ModelError
from rtvirt.latency.evidence import Evidence
from rtvirt.latency.evidence import Target
from rtvirt.latency.evidence import Where
from rtvirt.latency.merging import merge_results
from rtvirt.latency.parsers.base import HEAD
from rtvirt.latency_reader import parse_latency
from rtvirt.model.cpuset import CPUSet

T = TypeVar('T')

MAX_SIZE: Final = 1 << 29
"""Of a file in bytes; ten million buckets take a third of it."""


def read_measurement(path: str, realtime: CPUSet | None = None) -> Evidence:
    """Read evidence, or what a tool printed.

    :param realtime: the CPUs that are real-time, whatever the file says.
    :raises InputError: if the file cannot be read, or is neither.
    """
    text = read_text(path, MAX_SIZE)
    try:
        evidence = _parse(text, name_file(path))
    except (LatencyFormatError, ModelError) as error:
        raise InputError(
            f'{path}: {error}',
            path=path,
            hint=error.hint
            or 'give what a latency tool printed, or what "rtvirt latency '
            'run -o" wrote',
        ) from error
    if realtime is None:
        return evidence
    target = dataclasses.replace(evidence.target, realtime=realtime)
    return dataclasses.replace(evidence, target=target)


def judge_measurement(
    evidence: Evidence, parsed_args: argparse.Namespace
) -> Evidence:
    """Judge a measurement again.

    Budgets on the command line win over those that the evidence has.
    """
    plan = None if evidence.budgets else evidence.plan
    budgets = read_budgets(parsed_args, plan, evidence.result.tool)
    by_role = {budget.role: budget for budget in evidence.budgets}
    by_role |= {budget.role: budget for budget in budgets}
    return dataclasses.replace(
        evidence, budgets=tuple(by_role.values())
    ).judged()


def merge_measurements(measurements: Sequence[Evidence]) -> Evidence:
    """Return several measurements of one target as one.

    What was the same each time is kept, the samples of the host are not.

    :raises ConfigError: if they cannot be added up.
    """
    first = measurements[0]
    try:
        result = merge_results([one.result for one in measurements])
    except ModelError as error:
        raise ConfigError(
            f'--merge: {error}',
            hint=error.hint or 'report them one by one, without --merge',
        ) from error

    def same(get: Callable[[Evidence], T]) -> T | None:
        every = [get(one) for one in measurements]
        return every[0] if all(one == every[0] for one in every) else None

    spans = [one.measured_s for one in measurements]
    known = [span for span in spans if span is not None]
    return Evidence(
        result=result,
        target=first.target,
        arguments=same(lambda one: one.arguments) or (),
        load=same(lambda one: one.load) or (),
        measured_s=sum(known) if len(known) == len(spans) else None,
        is_complete=all(one.is_complete for one in measurements),
        host=same(lambda one: one.host),
        topology=same(lambda one: one.topology),
        checks=same(lambda one: one.checks),
        guest=same(lambda one: one.guest),
        plan=same(lambda one: one.plan),
        findings=same(lambda one: one.findings),
        budgets=first.budgets,
    )


def _parse(text: str, name: str) -> Evidence:
    if _is_evidence(text):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(f'the evidence is no JSON: {error}') from error
        return Evidence.from_dict(data)
    result = parse_latency(text)
    return Evidence(
        result=result,
        target=Target(where=Where.FILE, name=name, cpus=result.cpus),
    )


def _is_evidence(text: str) -> bool:
    """Whether this is evidence; it need not be well-formed to be meant so."""
    head = text[:HEAD].lstrip()
    return head.startswith('{') and '"schema_version"' in head


def name_file(path: str) -> str:
    """Return what to call a file: its name alone."""
    return 'standard input' if path == STDIN else Path(path).name

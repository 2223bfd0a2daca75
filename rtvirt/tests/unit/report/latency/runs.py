# SPDX-License-Identifier: Apache-2.0
"""Measurements to report on."""

from __future__ import annotations

import dataclasses
from typing import Any

from rtvirt.latency.evidence import Evidence
from rtvirt.latency.evidence import Target
from rtvirt.latency.evidence import Where
from rtvirt.latency.histogram import Histogram
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.result import Unit
from rtvirt.latency.verdict import Budget
from rtvirt.model.cpuset import CPUSet
from rtvirt.report.latency.summary import Run
from rtvirt.report.latency.summary import summarize
from rtvirt.tests.evidence import sample_evidence


def sample_run(**changes: Any) -> Run:
    """Return the sample evidence, summarized."""
    evidence = dataclasses.replace(sample_evidence(), **changes)
    return summarize('evidence.json', evidence)


def thread(number: int, histogram: Histogram, **fields: Any) -> ThreadLatency:
    """Return a thread whose maximum is known where it can be."""
    known = (
        None
        if histogram.overflow or not histogram.values
        else (histogram.values[-1])
    )
    return ThreadLatency(
        **{
            'number': number,
            'cpu': number,
            'histogram': histogram,
            'maximum': known,
            **fields,
        }
    )


def run_of(
    *threads: ThreadLatency,
    budget_us: int | None = 40,
    unit: Unit = Unit.US,
    name: str = 'made',
) -> Run:
    """Return a measurement of these threads."""
    result = LatencyResult(tool='cyclictest', unit=unit, threads=threads)
    budgets = () if budget_us is None else (Budget(limit_us=budget_us),)
    evidence = Evidence(
        result=result,
        target=Target(where=Where.FILE, name=name, cpus=CPUSet([0])),
        budgets=budgets,
    )
    return summarize(f'{name}.txt', evidence.judged())

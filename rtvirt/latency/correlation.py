# SPDX-License-Identifier: Apache-2.0
"""A spike, and what the host did in that second."""

from __future__ import annotations

import bisect
import statistics
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rtvirt.latency.evidence import Evidence
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.sample import CPUSample
from rtvirt.latency.sample import HostSample

_TIMES: Final = 3
_LEAST: Final = {'waited us': 20}
"""Below that it is no cause; of all other counts 1 is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Something that the host did more of than usual.

    :ivar what: ``interrupts 42 mlx5_comp3``, ``preemptions``, ``waited us``,
        ``smi``, ``throttled``.
    :ivar rate: how often in that second.
    :ivar usual: the median over all seconds.
    """

    what: str
    rate: float
    usual: float

    @property
    def excess(self) -> float:
        """How much more than usual."""
        return self.rate - self.usual

    def __str__(self) -> str:
        return f'{self.what}: {self.rate:.0f}/s (usually {self.usual:.0f})'


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """Latencies of one thread beyond the limit, within one look at the host.

    :ivar time_s: when that look ended, since the measurement began.
    :ivar thread: the tool's thread.
    :ivar pcpu: where it was, None where that is not known.
    :ivar samples: how many went into the overflow then; 0 where that is not
        known.
    :ivar latency: the new maximum, in the result's unit; None where the
        maximum did not rise.
    :ivar causes: the most excessive first; empty where the host was quiet.
    """

    time_s: float
    thread: int
    pcpu: int | None
    samples: int
    latency: int | None
    causes: tuple[Cause, ...]


def correlate(
    evidence: Evidence, limit: int | None = None
) -> tuple[Spike, ...]:
    """Return the spikes in the order of time, each with its causes.

    :param limit: in the result's unit, new maxima from there on are spikes;
        by default above the budget, or where the histogram ended.
    """
    unit = evidence.result.unit.per_us
    if limit is None and evidence.budgets:
        limit = min(budget.limit_us for budget in evidence.budgets) * unit + 1
    spikes = [
        spike
        for thread in evidence.result.threads
        for spike in _spikes(evidence, thread, limit)
    ]
    return tuple(sorted(spikes, key=lambda spike: spike.time_s))


def _spikes(
    evidence: Evidence, thread: ThreadLatency, limit: int | None
) -> Iterator[Spike]:
    samples = evidence.samples
    over = _overflow_times(evidence, thread)
    pcpu = evidence.target.pins.get(-1 if thread.cpu is None else thread.cpu)
    if limit is None:
        limit = thread.histogram.limit or 0
    usual = _usual(samples, pcpu)
    highest = 0
    for index, sample in enumerate(samples):
        maximum = sample.maxima.get(thread.number, 0)
        rose = maximum > highest and maximum >= limit
        highest = max(highest, maximum)
        if rose or over[index]:
            yield Spike(
                time_s=sample.time_s,
                thread=thread.number,
                pcpu=pcpu,
                samples=over[index],
                latency=maximum if rose else None,
                causes=_causes(sample, pcpu, usual),
            )


def _overflow_times(
    evidence: Evidence, thread: ThreadLatency
) -> Mapping[int, int]:
    """Return how many samples went over, by the look that saw them.

    Cycle N of a timer is N intervals after the first.
    """
    found: Counter[int] = Counter()
    interval_us = evidence.result.interval_us
    if interval_us:
        ends = [sample.time_s for sample in evidence.samples]
        for cycle in thread.overflow_cycles:
            index = bisect.bisect_left(ends, cycle * interval_us / 1e6)
            if index < len(ends):
                found[index] += 1
    return found


def _rates(sample: HostSample, pcpu: int | None) -> dict[str, float]:
    """Return what happened on a pCPU, per second."""
    cpu = sample.cpus.get(-1 if pcpu is None else pcpu, CPUSample())
    counts: dict[str, int | None] = {
        f'interrupts {name}': count for name, count in cpu.interrupts.items()
    }
    counts |= {
        'preemptions': cpu.preemptions,
        'waited us': cpu.waited_us,
        'smi': cpu.smi,
        'throttled': cpu.throttled,
    }
    return {
        name: count / (sample.duration_s or 1.0)
        for name, count in counts.items()
        if count
    }


def _usual(
    samples: Sequence[HostSample], pcpu: int | None
) -> Mapping[str, float]:
    """Return the median of each rate over all looks."""
    rates = [_rates(sample, pcpu) for sample in samples]
    names = {name for rate in rates for name in rate}
    return {
        name: statistics.median(rate.get(name, 0.0) for rate in rates)
        for name in names
    }


def _causes(
    sample: HostSample, pcpu: int | None, usual: Mapping[str, float]
) -> tuple[Cause, ...]:
    causes = [
        Cause(what=name, rate=rate, usual=usual.get(name, 0.0))
        for name, rate in _rates(sample, pcpu).items()
        if rate > _TIMES * usual.get(name, 0.0)
        and rate * (sample.duration_s or 1.0) >= _LEAST.get(name, 1)
    ]
    return tuple(sorted(causes, key=lambda cause: -cause.excess))

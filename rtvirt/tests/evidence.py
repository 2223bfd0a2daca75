# SPDX-License-Identifier: Apache-2.0
"""An evidence file as a run of ``rtvirt latency run`` could leave it.

The figures are made up: a guest with vCPUs 1-2 real-time on pCPUs 3-4 and
one bad second, in which the host took interrupts of a network card there.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Final

from rtvirt.latency.evidence import Evidence
from rtvirt.latency.evidence import FactsDigest
from rtvirt.latency.evidence import Target
from rtvirt.latency.evidence import Where
from rtvirt.latency.histogram import Histogram
from rtvirt.latency.result import LatencyResult
from rtvirt.latency.result import ThreadLatency
from rtvirt.latency.sample import CPUSample
from rtvirt.latency.sample import HostSample
from rtvirt.latency.verdict import Budget
from rtvirt.latency.verdict import Role
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity
from rtvirt.model.host import HostTopology
from rtvirt.model.host_cell import HostCell
from rtvirt.model.pages import PagePool
from rtvirt.tests.plans import make_plan

FILE: Final = Path(__file__).parent / 'data' / 'latency' / 'evidence.json'

_LIMIT: Final = 100
_CYCLES: Final = 400_000
_SECONDS: Final = 80


def sample_evidence() -> Evidence:
    """Return the evidence that lies in :data:`FILE`."""
    plan = make_plan(3, realtime='1-2', emulator='2')
    arguments = (
        *('cyclictest', '-m', '-q', '-p95', '-i200', f'-h{_LIMIT}'),
        *('-D80', '-a0-2', '-t3'),
    )
    evidence = Evidence(
        result=LatencyResult(
            tool='cyclictest',
            version='2.40',
            command=' '.join(arguments),
            threads=(
                _thread(0, middle=14, overflow=6, maximum=212),
                _thread(1, middle=6, overflow=0, maximum=31),
                _thread(2, middle=7, overflow=3, maximum=161),
            ),
            interval_us=200,
            duration_s=float(_SECONDS),
            started='Sun, 22 Nov 2026 10:38:23 +0000',
            kernel='6.1.0-56-rt-amd64',
            is_realtime_kernel=True,
        ),
        target=Target(
            where=Where.CONSOLE,
            name='plc-1',
            cpus=CPUSet.parse('0-2'),
            realtime=CPUSet.parse('1-2'),
            pins={0: 2, 1: 3, 2: 4},
        ),
        arguments=arguments,
        load=('stress-ng', '--cpu', '1', '--taskset', '0-1'),
        started='2026-11-22T10:38:23+00:00',
        planned_s=float(_SECONDS),
        measured_s=float(_SECONDS),
        host=_facts('compute-1', '6.1.0-56-rt-amd64'),
        guest=_facts('plc-1', '6.1.0-56-rt-amd64'),
        topology=_topology(),
        checks=(
            Finding(
                code='RT-I3',
                severity=Severity.WARNING,
                subject='IRQ 42 (mlx5_comp3)',
                expected='CPUs 0-1',
                actual='CPU 4',
                hint='echo 3 > /proc/irq/42/smp_affinity',
            ),
        ),
        plan=plan,
        findings=(
            Finding(
                code='RV-S1',
                severity=Severity.ERROR,
                subject='vCPU 2',
                expected='fifo, priority 1',
                actual='other',
                hint='chrt --fifo --pid 1 4711',
            ),
        ),
        samples=tuple(_sample(second) for second in range(1, _SECONDS + 1)),
        budgets=(
            Budget(limit_us=40, source='rhel-kvm-rt'),
            Budget(
                role=Role.HOUSEKEEPING, limit_us=1000, source='--budget-us'
            ),
        ),
    )
    return evidence.judged()


def write_sample() -> None:
    """Write the file anew."""
    FILE.parent.mkdir(exist_ok=True)
    text = json.dumps(sample_evidence().to_dict(), indent=1)
    FILE.write_text(f'{text}\n', encoding='utf-8')


def _thread(
    cpu: int, *, middle: int, overflow: int, maximum: int
) -> ThreadLatency:
    """Return a thread whose samples fall off on both sides of a bucket."""
    counts = {
        value: int(120_000 * math.exp(-abs(value - middle) * 0.7))
        for value in range(2, 31)
    }
    counts = {value: count for value, count in counts.items() if count}
    counts[maximum if maximum < _LIMIT else 32] = 1
    left = _CYCLES - sum(counts.values()) - overflow
    counts[middle] += left
    total = sum(value * count for value, count in counts.items())
    return ThreadLatency(
        number=cpu,
        cpu=cpu,
        histogram=Histogram.from_counts(
            counts, limit=_LIMIT, overflow=overflow
        ),
        minimum=min(counts),
        average=round(total / _CYCLES, 2),
        maximum=maximum,
        overflow_cycles=tuple(range(205_001, 205_001 + overflow)),
    )


def _topology() -> HostTopology:
    """Return a host whose second cell, of pCPUs 2-7, the guest is on."""
    bounds = ((0, 0, 2), (1, 2, 8))
    return HostTopology(
        name='compute-1',
        cells=tuple(
            HostCell(
                id=id,
                dedicated=CPUSet(range(max(first, 2), end)),
                shared=CPUSet(range(first, min(end, 2))),
                siblings=tuple(CPUSet([cpu]) for cpu in range(first, end)),
                memory_mib=16384,
                pages=(
                    PagePool(size_kib=4, total=2 << 20),
                    PagePool(size_kib=1 << 20, total=8),
                ),
                l3=(CPUSet(range(first, end)),),
                socket=0,
            )
            for id, first, end in bounds
        ),
    )


def _sample(second: int) -> HostSample:
    is_bad = second == 42
    quiet = CPUSample(
        interrupts={'LOC': 5},
        preemptions=0,
        waited_us=3,
        smi=0,
        idle_us={'C1': 120},
        throttled=0,
    )
    bad = CPUSample(
        interrupts={'LOC': 6, '42 mlx5_comp3': 913},
        preemptions=11,
        waited_us=1400,
        smi=0,
        idle_us={'C1': 90},
        throttled=0,
    )
    return HostSample(
        time_s=float(second),
        duration_s=1.0,
        cpus={2: quiet, 3: quiet, 4: bad if is_bad else quiet},
        maxima={
            0: 212 if second >= 42 else 61,
            1: 31 if second >= 7 else 24,
            2: 161 if second >= 42 else 30,
        },
    )


def _facts(name: str, kernel: str) -> FactsDigest:
    return FactsDigest(
        digest=f'{len(name):02x}' * 32,
        summary={
            'hostname': name,
            'kernel': kernel,
            'preempt_rt': 'true',
            'cmdline': 'isolcpus=managed_irq,domain,1-4 nohz_full=1-4',
            'clocksource': 'tsc',
        },
    )


if __name__ == '__main__':
    write_sample()

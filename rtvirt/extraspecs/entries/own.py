# SPDX-License-Identifier: Apache-2.0
"""Rows: what rtvirt adds, in a namespace of its own."""

from __future__ import annotations

from typing import Any
from typing import Final

from rtvirt.extraspecs.spec import Kind
from rtvirt.extraspecs.spec import Spec
from rtvirt.model.guest import MAX_IOTHREADS
from rtvirt.model.guest import HaltPoll
from rtvirt.model.guest import L3Policy
from rtvirt.model.guest import Scheduler


def _own(name: str, kind: Kind, **rest: Any) -> Spec:
    return Spec(
        name=f'rtvirt:{name}',
        kind=kind,
        since='rtvirt 0.1.0',
        source='rtvirt',
        **rest,
    )


SPECS: Final = (
    _own(
        'scheduler',
        Kind.WORD,
        values=tuple(Scheduler),
        default='fifo',
        description='The scheduler of the real-time vCPUs.',
        effect='Written as <vcpusched>. Needs hw:cpu_realtime.',
    ),
    _own(
        'priority',
        Kind.PRIORITY,
        default='1',
        description=(
            'The priority of the real-time vCPUs, 1 to 99, or of single ones '
            'as in 2=50,3-5=10; a vCPU that is not named has 1.'
        ),
        effect='Written as <vcpusched>. Needs hw:cpu_realtime.',
    ),
    _own(
        'emulator_priority',
        Kind.NUMBER,
        minimum=0,
        maximum=99,
        default='0',
        description=(
            'FIFO priority of the emulator threads; 0 leaves them under the '
            'ordinary scheduler.'
        ),
        effect='Written as <emulatorsched>. Needs hw:cpu_realtime.',
    ),
    _own(
        'iothreads',
        Kind.NUMBER,
        minimum=0,
        maximum=MAX_IOTHREADS,
        default='1',
        description='How many I/O threads the guest has.',
        effect=(
            'Pinned with the emulator threads, never on the pCPU of a '
            'real-time vCPU; disks are assigned to them.'
        ),
    ),
    _own(
        'l3_policy',
        Kind.WORD,
        values=tuple(L3Policy),
        default='none',
        description=(
            "Whether a guest cell's dedicated vCPUs shall (prefer) or must "
            '(require) lie in one L3 cache.'
        ),
        effect='Decides which pCPUs of a host cell are taken.',
    ),
    _own(
        'cache_mib',
        Kind.NUMBER,
        minimum=1,
        maximum=1 << 20,
        description='MiB of L3 cache kept for the real-time vCPUs.',
        effect='Written as <cachetune>. Needs hw:cpu_realtime.',
    ),
    _own(
        'memory_bandwidth',
        Kind.NUMBER,
        minimum=1,
        maximum=100,
        description='Percent of memory bandwidth of the real-time vCPUs.',
        effect='Written as <memorytune>. Needs hw:cpu_realtime.',
    ),
    _own(
        'halt_poll',
        Kind.WORD,
        values=tuple(HaltPoll),
        default='host',
        description=(
            'Who polls while a vCPU is idle: the host, the guest or nobody.'
        ),
        effect=(
            'Written as <poll-control> and <hint-dedicated>. Other values '
            'than host need dedicated vCPUs.'
        ),
    ),
    _own(
        'latency_budget_us',
        Kind.NUMBER,
        minimum=1,
        maximum=1_000_000,
        description='The worst latency in microseconds that is acceptable.',
        effect='What latency verdicts and reports compare with.',
    ),
)

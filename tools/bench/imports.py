# SPDX-License-Identifier: Apache-2.0
"""What an import costs in time and memory."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator

from tools.bench.row import Row

# The peak of /proc and not of getrusage(), which begins with what the parent
# had when it forked.
_PROBE = """
import time, warnings
warnings.simplefilter('ignore')
start = time.process_time()
{statement}
took = time.process_time() - start
with open('/proc/self/status') as file:
    peak = next(line for line in file if line.startswith('VmHWM'))
print(took, peak.split()[1])
"""
_NOVA = 'import nova.objects, nova.virt.hardware, nova.conf'
_RTVIRT = 'import rtvirt'
_RTVIRT_ALL = 'from rtvirt import *'
_RUNS = 5


def _probe(statement: str) -> tuple[float, float]:
    """Return the median CPU seconds and MiB of a fresh interpreter."""
    runs = []
    for _ in range(_RUNS):
        done = subprocess.run(
            [sys.executable, '-c', _PROBE.format(statement=statement)],
            check=True,
            capture_output=True,
            text=True,
        )
        seconds, kib = done.stdout.split()
        runs.append((float(seconds), float(kib) / 1024))
    return (
        statistics.median(run[0] for run in runs),
        statistics.median(run[1] for run in runs),
    )


def imports() -> Iterator[Row]:
    """``import rtvirt`` against nova's modules.

    Names are loaded when they are first used: what all of them cost
    together is shown without a gate, so that laziness hides nothing.
    """
    nova = _probe(_NOVA)
    for case, statement, is_gated in (
        ('import rtvirt', _RTVIRT, True),
        ('from rtvirt import *', _RTVIRT_ALL, False),
    ):
        ours = _probe(statement)
        for what, index, limit, unit in (
            ('time', 0, 5, 's'),
            ('memory', 1, 25, 'MiB'),
        ):
            yield Row(
                section='import',
                case=f'{case}: {what}',
                value=100 * ours[index] / nova[index],
                at_most=limit if is_gated else None,
                unit=' %',
                note=f'{ours[index]:.3g} {unit} against '
                f'{nova[index]:.3g} {unit}',
            )

# SPDX-License-Identifier: Apache-2.0
"""Where the fit does not answer as nova 34's does, and why.

Everywhere else the two agree on whether a guest fits, and on the host cells
it goes to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class FitDeviation:
    """One deliberate difference.

    :ivar code: a slug.
    :ivar nova: what nova does.
    :ivar rtvirt: what rtvirt does.
    :ivar reason: why.
    """

    code: str
    nova: str
    rtvirt: str
    reason: str


FIT_DEVIATIONS: Final = (
    FitDeviation(
        code='several-cells',
        nova=(
            'May refuse a guest of two or more cells that fits, take one '
            'that does not, or pin vCPUs to another host cell: its caches '
            'are keyed by an id that the fit overwrites.'
        ),
        rtvirt='Finds an assignment wherever there is one, and no other.',
        reason='It is a defect (numa_fit_instance_to_host since 26.0.0).',
    ),
    FitDeviation(
        code='page-size-sticks',
        nova=(
            'Writes the page size that it chose for small, large or any on '
            'the first host cell it looked at into the request, fit or not, '
            'and asks the other host cells for that size.'
        ),
        rtvirt='Chooses a page size for each host cell.',
        reason='It is a defect where host cells have different pages.',
    ),
    FitDeviation(
        code='isolate-on-siblings',
        nova=(
            'Refuses thread policy isolate on a host with sibling threads '
            'whose cpu_dedicated_set and cpu_shared_set are apart.'
        ),
        rtvirt=(
            'Gives each vCPU a whole core and claims the siblings; with '
            'smt_isolate=refuse it does as nova.'
        ),
        reason='A real-time guest on such a host has no other way.',
    ),
    FitDeviation(
        code='nothing-pinned',
        nova=(
            'Refuses a cell of a mixed guest that has no dedicated vCPU '
            'under require or isolate where no core suits, and always where '
            'the emulator threads are to be isolated there; fails on a host '
            'cell without usable pCPUs.'
        ),
        rtvirt=(
            'Thread policies are about dedicated vCPUs alone; the emulator '
            'threads get their pCPU.'
        ),
        reason='There is nothing to place on cores.',
    ),
    FitDeviation(
        code='mixed-without-sets',
        nova=(
            'Fits mixed guests where neither CPU set is configured; '
            'nova-compute then refuses to start with them.'
        ),
        rtvirt='Refuses: there are no pCPUs that are only shared.',
        reason='Shared vCPUs would run on the pCPUs of pinned ones.',
    ),
    FitDeviation(
        code='emulator-nowhere',
        nova=(
            'Fits a real-time guest with emulator_threads_policy=share where '
            'cpu_shared_set is not configured; the boot then fails.'
        ),
        rtvirt='Refuses.',
        reason='The emulator threads would have no pCPU to run on.',
    ),
    FitDeviation(
        code='crowded-emulator',
        nova=(
            'Under thread policy isolate may reserve for the emulator '
            "threads a pCPU beside somebody else's, where no empty core is "
            'left; to count it then fails (CPUPinningInvalid), and with it '
            'every later update of the host.'
        ),
        rtvirt='In the place of nova\'s fit, chooses a host cell with an '
        'empty core, or refuses; on its own, claims the pCPU alone.',
        reason='nova could not keep the books of such a host.',
    ),
)

# SPDX-License-Identifier: Apache-2.0
"""How good a choice of pCPUs inside a host cell is.

The order, best first, in which :mod:`rtvirt.fitting.cores` chooses:

``prefer`` and ``require``
    1. the most sibling pairs: over the cores, half the dedicated vCPUs of
       the guest cell on each, rounded down;
    2. the fewest exposed real-time vCPUs. One is exposed if its core has a
       hardware thread that holds no real-time vCPU of this guest cell: one
       of its other vCPUs, the emulator's reserved pCPU, a thread that is
       free or another's, or one that is not dedicated;
    3. under ``l3_policy=prefer``: all dedicated vCPUs inside one L3;
    4. the most whole cores left for others. A core is whole if it has as
       many free dedicated pCPUs as any core of the cell has dedicated or
       shared pCPUs.

no policy
    2, 3, 4, 1 of the same.

``isolate``
    A whole core for each vCPU, all of whose pCPUs are claimed. First the
    emulator's reserved pCPU on a core no pCPU of which is taken, its
    siblings claimed with it; then 2 (idle siblings that are claimed expose
    nothing), 3, and 4.

Under ``l3_policy=require`` and where a part of a cache is asked for, only
choices that keep to it take part. Between choices that are equal so far,
the L3 with the fewest free pCPUs is used (where an L3 policy is set), and
then the lowest cores.
"""

from __future__ import annotations

from typing import NamedTuple

from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostCell
from rtvirt.model.plan import PlannedCell


class Score(NamedTuple):
    """What the choice of pCPUs in one host cell comes to.

    :ivar pairs: sibling pairs.
    :ivar exposed: real-time vCPUs that share a core with anything else.
    :ivar caches: L3 caches that hold dedicated vCPUs; 0 where unknown.
    :ivar whole_cores: whole cores left.
    """

    pairs: int
    exposed: int
    caches: int
    whole_cores: int

    def rank(self, policy: ThreadPolicy | None) -> tuple[int, ...]:
        """Return what to compare: the greater, the better the choice."""
        alone = -int(self.caches > 1)
        if policy in {ThreadPolicy.PREFER, ThreadPolicy.REQUIRE}:
            return self.pairs, -self.exposed, alone, self.whole_cores
        return -self.exposed, alone, self.whole_cores, self.pairs


def score(
    planned: PlannedCell, guest: GuestRequirement, cell: HostCell
) -> Score:
    """Return the score of a planned cell.

    :param cell: the host cell as it was before.
    """
    want = guest.cells[planned.guest_cell]
    vcpus = realtime = 0
    for vcpu in want.dedicated:
        vcpus |= planned.pins[vcpu].mask
        if vcpu in guest.realtime:
            realtime |= planned.pins[vcpu].mask
    idle = planned.idle.mask
    free = cell.free.mask & ~(vcpus | planned.emulator.mask | idle)
    usable = (cell.dedicated | cell.shared).mask
    threads = max(
        ((core.mask & usable).bit_count() for core in cell.siblings),
        default=1,
    )
    pairs = exposed = whole = 0
    for core in cell.siblings:
        pairs += (core.mask & vcpus).bit_count() // 2
        if core.mask & ~(realtime | idle):
            exposed += (core.mask & realtime).bit_count()
        whole += (core.mask & free).bit_count() >= max(threads, 1)
    return Score(
        pairs,
        exposed,
        sum(1 for cache in cell.l3 if cache.mask & vcpus),
        whole,
    )

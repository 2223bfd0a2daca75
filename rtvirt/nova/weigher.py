# SPDX-License-Identifier: Apache-2.0
"""Which of the hosts that are left is the best, for nova-scheduler."""

from __future__ import annotations

from typing import Any

import nova.conf
from nova.scheduler import utils
from nova.scheduler import weights
from nova.virt import hardware

from rtvirt import fleet
from rtvirt.exception import RTVirtError
from rtvirt.nova import opts
from rtvirt.nova.asked import Asked
from rtvirt.nova.proven import is_proven

CONF = nova.conf.CONF

_Rank = tuple[bool, tuple[int, ...]]


class RTVirtWeigher(weights.BaseHostWeigher):  # type: ignore[misc]
    """Best fit, as :attr:`rtvirt.fleet.Offer.rank` has it.

    For a real-time guest the hosts that are proved fit for it come before
    all others. The best host weighs 1 and the worst 0; what lies between is
    evenly spread, so that one host's figures do not drown the others'.
    """

    minval = 0.0
    maxval = 1.0

    def __init__(self) -> None:
        super().__init__()
        opts.register(CONF)

    def weight_multiplier(self, host_state: Any) -> float:
        """Return ``[rtvirt] weight_multiplier``, or the aggregate's."""
        multiplier: float = utils.get_weight_multiplier(
            host_state,
            'rtvirt_weight_multiplier',
            CONF.rtvirt.weight_multiplier,
        )
        return multiplier

    def weigh_objects(
        self, weighed_obj_list: Any, weight_properties: Any
    ) -> list[float]:
        """Return a weight for each host."""
        states = [weighed.obj for weighed in weighed_obj_list]
        ranks = _rank_all(states, weight_properties)
        distinct = sorted({rank for rank in ranks if rank is not None})
        steps = max(len(distinct) - 1, 1)
        weight = {
            rank: 1 - place / steps for place, rank in enumerate(distinct)
        }
        return [0.0 if rank is None else weight[rank] for rank in ranks]

    def _weigh_object(self, obj: Any, weight_properties: Any) -> float:
        """Return the weight of a host that stands alone."""
        (rank,) = _rank_all([obj], weight_properties)
        return 0.0 if rank is None else 1.0


def _rank_all(states: list[Any], spec: Any) -> list[_Rank | None]:
    """Return what to compare, the least is best; None where nothing fits."""
    try:
        asked = Asked(spec)
    except RTVirtError:
        return [None] * len(states)
    if not asked.topology:
        return [None] * len(states)
    is_realtime = hardware.is_realtime_enabled(spec.flavor)
    return [_rank(state, asked, is_realtime=is_realtime) for state in states]


def _rank(state: Any, asked: Asked, *, is_realtime: bool) -> _Rank | None:
    if not state.numa_topology:
        return None
    mappings = [one['mappings'] for one in state.allocation_candidates]
    try:
        search = asked.search(state, mappings[0] if mappings else None)
        offer = fleet.appraise(search.find(), search.host)
    except RTVirtError:
        return None
    return is_realtime and not is_proven(state), offer.rank

# SPDX-License-Identifier: Apache-2.0
"""Which hosts a guest with a NUMA topology fits, for nova-scheduler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import nova.conf
from nova import objects
from nova.scheduler import utils
from nova.scheduler.filters import numa_topology_filter
from oslo_log import log as logging

from rtvirt.exception import ModelError
from rtvirt.nova import fit
from rtvirt.nova.asked import Asked

LOG = logging.getLogger(__name__)


class RTVirtFilter(numa_topology_filter.NUMATopologyFilter):  # type: ignore[misc]
    """In the place of ``NUMATopologyFilter``: the same rules, right answers.

    It lets through the allocation candidates that can be served, as that
    does. Where it leaves no host it says why, by groups of hosts.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_own = fit.configure(nova.conf.CONF)

    def filter_all(self, states: Iterable[Any], spec: Any) -> Iterator[Any]:
        """Yield the hosts that pass."""
        if not self._is_own or utils.request_is_rebuild(spec):
            # A rebuild changes nothing that is asked about here.
            yield from super().filter_all(states, spec)
            return
        asked = _read(spec)
        if asked is None:
            yield from super().filter_all(states, spec)
            return
        refused = []
        is_left = False
        for state in states:
            if self._passes(state, spec, asked):
                is_left = True
                yield state
            else:
                refused.append(state)
        if refused and not is_left:
            _log_refusals(refused, spec, asked)

    def host_passes(self, host_state: Any, spec_obj: Any) -> bool:
        """Return whether one host passes."""
        asked = _read(spec_obj) if self._is_own else None
        if asked is None:
            return bool(super().host_passes(host_state, spec_obj))
        return self._passes(host_state, spec_obj, asked)

    def _passes(self, state: Any, spec: Any, asked: Asked) -> bool:
        if not asked.topology:
            return True
        if not state.numa_topology:
            return False
        try:
            good = self._good_candidates(state, asked)
        except ModelError as error:
            LOG.warning('%s contradicts itself: %s', state.nodename, error)
            return bool(super().host_passes(state, spec))
        if not good:
            return False
        limits = objects.NUMATopologyLimits(
            cpu_allocation_ratio=state.cpu_allocation_ratio,
            ram_allocation_ratio=state.ram_allocation_ratio,
        )
        if asked.networks:
            limits.network_metadata = asked.networks
        state.limits['numa_topology'] = limits
        return True

    def _good_candidates(self, state: Any, asked: Asked) -> Any:
        """Return the allocation candidates that can be served."""
        if asked.devices:
            return self.filter_candidates(
                state,
                lambda candidate: asked.search(
                    state, candidate['mappings']
                ).is_possible(),
            )
        # They differ in the devices alone.
        is_possible = asked.search(state).is_possible()
        return self.filter_candidates(state, lambda _: is_possible)


def _read(spec: Any) -> Asked | None:
    """Return what is asked; None where only nova can make sense of it."""
    try:
        return Asked(spec)
    except ModelError as error:
        LOG.warning('The request contradicts itself: %s', error)
        return None


def _log_refusals(states: Iterable[Any], spec: Any, asked: Asked) -> None:
    """Log why no host is left, one line for all hosts with one reason."""
    tally = Counter(_why_not(state, asked) for state in states)
    for why, number in tally.most_common():
        LOG.info(
            'No host is left: %d host%s: %s',
            number,
            '' if number == 1 else 's',
            why,
            instance_uuid=spec.instance_uuid,
        )


def _why_not(state: Any, asked: Asked) -> str:
    if not state.numa_topology:
        return 'no NUMA topology is reported'
    try:
        return asked.search(state).why_not()
    except ModelError:
        return 'the NUMA topology contradicts itself'

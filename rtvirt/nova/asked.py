# SPDX-License-Identifier: Apache-2.0
"""What one scheduling request asks of each host that nova-scheduler knows."""

from __future__ import annotations

import weakref
from typing import Any

from rtvirt.model.host import HostTopology
from rtvirt.nova import topology
from rtvirt.nova.search import Devices
from rtvirt.nova.search import Search
from rtvirt.nova.search import nova_order

_HOSTS: weakref.WeakKeyDictionary[Any, tuple[Any, HostTopology]] = (
    weakref.WeakKeyDictionary()
)
"""Of each host state, its ``NUMATopology`` and what was made of it.

nova makes new host states for each request, and gives one a new topology
when a guest of the request was put there: it never changes a topology.
"""


def read_state(state: Any) -> HostTopology:
    """Return the host of a ``HostState`` that has a topology.

    :raises ModelError: if a cell contradicts itself.
    """
    there = state.numa_topology
    known = _HOSTS.get(state)
    if known is not None and known[0] is there:
        return known[1]
    host = topology.read_host(there, state.nodename)
    _HOSTS[state] = (there, host)
    return host


class Asked:
    """What a ``RequestSpec`` asks for, read once for all hosts.

    The request is left as it is: no host needs a copy of its own.

    :ivar topology: nova's; None or empty where any host will do.
    :ivar devices: ``InstancePCIRequest`` objects; None or empty for none.
    :raises ModelError: if the request contradicts itself.
    """

    def __init__(self, spec: Any) -> None:
        self.topology = spec.numa_topology
        self.devices = spec.pci_requests and spec.pci_requests.requests
        self.networks = (
            spec.network_metadata if 'network_metadata' in spec else None
        )
        if self.topology:
            self._guest = topology.read_guest(self.topology)

    def search(self, state: Any, mapping: Any = None) -> Search:
        """Return the question to one host.

        :param mapping: of the allocation candidate, for the devices.
        """
        devices = None
        if self.devices and state.pci_stats:
            devices = Devices(self.devices, mapping, state.pci_stats)
        return Search(
            guest=self._guest,
            host=read_state(state),
            limits=topology.make_limits(
                state.cpu_allocation_ratio,
                state.ram_allocation_ratio,
                self._guest,
            ),
            near=topology.network_affinity(state.numa_topology, self.networks),
            order=nova_order(state.pci_stats, self.devices),
            devices=devices,
        )

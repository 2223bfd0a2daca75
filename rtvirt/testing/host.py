# SPDX-License-Identifier: Apache-2.0
"""A host that guests come to and leave; nothing of it exists."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import fixtures

import rtvirt
from rtvirt.testing.sample import edge_host


class FakeHost(fixtures.Fixture):
    """A host that guests come to and leave, for as long as a test lasts.

    It takes guests as a real one does: a guest that does not fit raises
    :exc:`~rtvirt.exception.FitError` with the reasons, and what one guest
    holds no other gets.

    :ivar topology: the host as it is now.
    :param topology: the host as it is at first; None is
        :func:`edge_host`.
    """

    topology: rtvirt.HostTopology

    def __init__(self, topology: rtvirt.HostTopology | None = None) -> None:
        super().__init__()
        self._first = edge_host() if topology is None else topology

    def _setUp(self) -> None:  # noqa: N802 - the name that fixtures calls
        self.topology = self._first
        self._plans: dict[str, rtvirt.Plan] = {}

    @property
    def plans(self) -> Mapping[str, rtvirt.Plan]:
        """The guests that are here, by name."""
        return MappingProxyType(self._plans)

    @property
    def free(self) -> rtvirt.CPUSet:
        """The dedicated pCPUs that nobody holds."""
        mask = 0
        for cell in self.topology.cells:
            mask |= cell.free.mask
        return rtvirt.CPUSet.from_mask(mask)

    def place(
        self,
        guest: rtvirt.Flavor | rtvirt.GuestRequirement,
        name: str = '',
        **terms: Any,
    ) -> rtvirt.Plan:
        """Plan a guest and let it take what the plan says.

        :param name: what to call the guest; by default ``guest-1`` and so
            on.
        :param terms: those of :func:`rtvirt.fit`, as in ``strategy='pack'``.
        :raises ExtraSpecError: if the flavor asks for nonsense.
        :raises FitError: if the guest does not fit, or the name is taken.
        """
        if isinstance(guest, rtvirt.Flavor):
            guest = rtvirt.parse_guest(guest)
        name = name or self._next_name()
        plan = rtvirt.fit(guest, self.topology, **terms)
        self.topology = self.topology.claim(plan, name)
        self._plans[name] = plan
        return plan

    def domain_xml(self, name: str, **options: Any) -> str:
        """Return the domain XML of a guest, as libvirt would be given it.

        :param options: those of :func:`rtvirt.domain_xml`.
        :raises KeyError: if no guest has that name.
        """
        return rtvirt.domain_xml(self._plans[name], name=name, **options)

    def remove(self, name: str) -> None:
        """Take a guest away: what it held is free again.

        :raises KeyError: if no guest has that name.
        """
        self.topology = self.topology.release(self._plans[name], name)
        del self._plans[name]

    def _next_name(self) -> str:
        number = 1
        while f'guest-{number}' in self._plans:
            number += 1
        return f'guest-{number}'

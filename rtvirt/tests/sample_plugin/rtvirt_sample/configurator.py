# SPDX-License-Identifier: Apache-2.0
"""A configurator: one concern of a plan, rendered into a domain."""

from __future__ import annotations

from dataclasses import replace

from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.plan import Plan


class VMPortConfigurator:
    """Takes VMware's I/O port away from real-time guests."""

    owns = frozenset({'features/vmport'})

    def configure(self, plan: Plan, domain: Domain) -> None:
        """Render the plan into what it owns, and into nothing else."""
        if plan.realtime:
            domain.features = replace(domain.features, vmport=False)

# SPDX-License-Identifier: Apache-2.0
"""The plan, kept with the domain."""

from __future__ import annotations

from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.metadata import NAMESPACE
from rtvirt.libvirtxml.metadata import keep_plan
from rtvirt.model.plan import Plan


class MetadataConfigurator:
    """Keeps the plan in ``<metadata>``, so that a domain tells its promise."""

    owns = frozenset({f'metadata/{{{NAMESPACE}}}plan'})

    def configure(self, plan: Plan, domain: Domain) -> None:
        keep_plan(domain, plan)

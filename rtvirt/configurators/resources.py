# SPDX-License-Identifier: Apache-2.0
"""Cache and memory bandwidth for the real-time vCPUs."""

from __future__ import annotations

from rtvirt.libvirtxml.cputune import BandwidthNode
from rtvirt.libvirtxml.cputune import Cache
from rtvirt.libvirtxml.cputune import CacheTune
from rtvirt.libvirtxml.cputune import MemoryTune
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.plan import Plan


class ResourcesConfigurator:
    """Gives the real-time vCPUs their part of caches and bandwidth.

    One group of the kernel's resctrl: libvirt wants ``<cachetune>`` and
    ``<memorytune>`` to name the same vCPUs for that.
    """

    owns = frozenset({'cputune/cachetune', 'cputune/memorytune'})

    def configure(self, plan: Plan, domain: Domain) -> None:
        known = domain.cputune
        if plan.is_controlled or known.cachetunes or known.memorytunes:
            domain.cputune = known.but(
                cachetunes=_to_cachetunes(plan),
                memorytunes=_to_memorytunes(plan),
            )


def _to_cachetunes(plan: Plan) -> tuple[CacheTune, ...]:
    if not plan.caches:
        return ()
    caches = tuple(
        Cache(
            id=part.bank,
            level=part.level,
            type=part.type.value,
            size_kib=part.size_kib,
        )
        for part in plan.caches
    )
    return (CacheTune(vcpus=plan.realtime, caches=caches),)


def _to_memorytunes(plan: Plan) -> tuple[MemoryTune, ...]:
    if not plan.memory_bandwidth:
        return ()
    nodes = tuple(
        BandwidthNode(id=node, bandwidth=percent)
        for node, percent in plan.memory_bandwidth.items()
    )
    return (MemoryTune(vcpus=plan.realtime, nodes=nodes),)

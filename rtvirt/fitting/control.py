# SPDX-License-Identifier: Apache-2.0
"""Shares of L3 caches and memory bandwidth for real-time vCPUs."""

from __future__ import annotations

from collections.abc import Iterable

from rtvirt.exception import ModelError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheAllocation
from rtvirt.model.resctrl import CacheBank


def usable_banks(
    guest: GuestRequirement, host: HostTopology
) -> list[CacheBank]:
    """Return the L3 banks that have left what the guest asks for."""
    wanted = guest.cache_mib
    if wanted is None or host.control_groups >= host.max_groups:
        return []
    return [
        bank
        for bank in host.caches
        if bank.level == 3
        and 0 < bank.to_steps(wanted * 1024) <= bank.free_kib
    ]


def usable_nodes(
    guest: GuestRequirement, host: HostTopology
) -> list[BandwidthNode]:
    """Return the nodes that have left the bandwidth the guest asks for."""
    wanted = guest.memory_bandwidth
    if wanted is None or host.control_groups >= host.max_groups:
        return []
    return [
        node
        for node in host.bandwidths
        if 0 < node.to_steps(wanted) <= node.free
    ]


def cache_parts(
    guest: GuestRequirement, banks: Iterable[CacheBank], cpus: CPUSet
) -> tuple[CacheAllocation, ...]:
    """Return what the guest takes of each L3 its real-time vCPUs use.

    :param banks: those usable.
    :param cpus: pCPUs of the real-time vCPUs.
    """
    wanted = guest.cache_mib
    if wanted is None:
        return ()
    return tuple(
        CacheAllocation(
            bank=bank.id,
            level=bank.level,
            type=kind,
            size_kib=bank.to_steps(wanted * 1024),
        )
        for bank in banks
        if bank.cpus & cpus
        for kind in bank.types
    )


def bandwidth_parts(
    guest: GuestRequirement, nodes: Iterable[BandwidthNode], cpus: CPUSet
) -> dict[int, int]:
    """Return the percent of each node's bandwidth that the guest takes.

    :param nodes: those usable.
    :param cpus: pCPUs of the real-time vCPUs.
    """
    wanted = guest.memory_bandwidth
    if wanted is None:
        return {}
    return {
        node.id: node.to_steps(wanted) for node in nodes if node.cpus & cpus
    }


def shares(
    guest: GuestRequirement, host: HostTopology, cpus: CPUSet
) -> tuple[tuple[CacheAllocation, ...], dict[int, int]]:
    """Return what a guest takes of caches and bandwidth where it runs.

    :param cpus: pCPUs of the real-time vCPUs, which somebody chose.
    :raises ModelError: if one of them has not behind it what is asked for.
    """
    banks, nodes = usable_banks(guest, host), usable_nodes(guest, host)
    for key, asked, parts in (
        ('cache_mib', guest.cache_mib, banks),
        ('memory_bandwidth', guest.memory_bandwidth, nodes),
    ):
        bare = cpus
        for part in parts:
            bare -= part.cpus
        if asked is not None and bare:
            raise ModelError(
                f'pCPUs {bare} cannot be given what '
                f'rtvirt:{key}={asked} asks for',
                hint='mount resctrl on a host that has cache allocation, or '
                f'remove rtvirt:{key}',
            )
    return cache_parts(guest, banks, cpus), bandwidth_parts(guest, nodes, cpus)

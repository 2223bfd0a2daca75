# SPDX-License-Identifier: Apache-2.0
"""Memory: NUMA nodes, huge pages and what moves pages about."""

from __future__ import annotations

from dataclasses import dataclass

from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import fact
from rtvirt.model.facts.parse import parse_choice
from rtvirt.model.facts.parse import parse_int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCount:
    """Huge pages of one size, of a node or of the host.

    :ivar reserved: promised to a mapping and not yet taken; the kernel
        counts them for the whole host only.
    :ivar surplus: allocated beyond the pool.
    :ivar overcommit: how many may be; of the whole host.
    """

    size_kib: int
    total: int
    free: int
    surplus: int = 0
    reserved: int = 0
    overcommit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """What the topology does not tell of one NUMA node.

    :ivar distances: to each node online, in the order of their ids; the
        node itself is 10.
    """

    id: int
    free_kib: int
    distances: tuple[int, ...] = ()
    pages: tuple[PageCount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HugetlbMount:
    """Where huge pages of one size are mounted."""

    path: str
    size_kib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFacts:
    """Nodes, pools and daemons.

    :ivar pages: the pools of the whole host.
    :ivar swaps: the names of the areas in use.
    :ivar balloons: the devices by which a hypervisor takes memory back;
        absent where the driver is not there.
    """

    nodes: tuple[NodeFacts, ...] | Missing = fact('/sys/devices/system/node')
    pages: tuple[PageCount, ...] | Missing = fact('/sys/kernel/mm/hugepages')
    mounts: tuple[HugetlbMount, ...] | Missing = fact('/proc/mounts')
    transparent: str | Missing = fact(
        '/sys/kernel/mm/transparent_hugepage/enabled', parse_choice
    )
    khugepaged_defrag: int | Missing = fact(
        '/sys/kernel/mm/transparent_hugepage/khugepaged/defrag', parse_int
    )
    ksm: int | Missing = fact('/sys/kernel/mm/ksm/run', parse_int)
    swaps: tuple[str, ...] | Missing = fact('/proc/swaps')
    stat_interval_s: int | Missing = fact(
        '/proc/sys/vm/stat_interval', parse_int
    )
    swappiness: int | Missing = fact('/proc/sys/vm/swappiness', parse_int)
    compaction_proactiveness: int | Missing = fact(
        '/proc/sys/vm/compaction_proactiveness', parse_int
    )
    zone_reclaim_mode: int | Missing = fact(
        '/proc/sys/vm/zone_reclaim_mode', parse_int
    )
    balloons: tuple[str, ...] | Missing = fact(
        '/sys/bus/virtio/drivers/virtio_balloon'
    )

# SPDX-License-Identifier: Apache-2.0
"""Who holds what of a host, where that is known."""

from __future__ import annotations

from dataclasses import dataclass

from rtvirt.model.check import require
from rtvirt.model.check import require_int
from rtvirt.model.cpuset import CPUSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a guest holds of one host cell.

    :ivar host_cell: the host cell's id.
    :ivar cpus: dedicated pCPUs, those that stay idle included.
    :ivar shared_vcpus: how many of its vCPUs float here.
    :ivar memory_mib: memory here, in pages of ``page_size_kib``.
    """

    host_cell: int
    cpus: CPUSet = CPUSet()
    shared_vcpus: int = 0
    memory_mib: int = 0
    page_size_kib: int = 4

    def __post_init__(self) -> None:
        require_int('host_cell', self.host_cell, 0)
        require_int('shared_vcpus', self.shared_vcpus, 0)
        require_int('memory_mib', self.memory_mib, 0)
        require_int('page_size_kib', self.page_size_kib, 1)

    @property
    def pages(self) -> int:
        """How many pages the memory takes."""
        return self.memory_mib * 1024 // self.page_size_kib


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A guest that is known by name: a domain, or a claim.

    :ivar holdings: one for each size of pages on each host cell.
    """

    name: str
    holdings: tuple[Holding, ...]

    def __post_init__(self) -> None:
        require(bool(self.name), 'a holder has no name')

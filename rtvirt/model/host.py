# SPDX-License-Identifier: Apache-2.0
"""A host as the fit sees it: cells, cores, pages and what is taken."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import Self

from rtvirt.exception import ModelError
from rtvirt.model.alter import draft_of
from rtvirt.model.check import require
from rtvirt.model.check import require_int
from rtvirt.model.claim import transfer
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.holder import Holder
from rtvirt.model.host_cell import HostCell
from rtvirt.model.host_cell import check_disjoint
from rtvirt.model.obstacle import CLAIM
from rtvirt.model.obstacle import RELEASE
from rtvirt.model.pages import PagePool
from rtvirt.model.plain import dump
from rtvirt.model.plain import load
from rtvirt.model.plan import Plan
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank
from rtvirt.model.vacancy import Vacancy

if TYPE_CHECKING:
    from rtvirt.model.facts.host import HostFacts

__all__ = ['HostCell', 'HostTopology', 'SCHEMA_VERSION', 'choose_sets']

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTopology:
    """The NUMA cells of one host and what is taken of them.

    :ivar cells: with distinct ids and disjoint pCPUs, in the host's order.
    :ivar name: what to call the host, or an empty string.
    :ivar caches: the L3 cache banks that libvirt's capabilities show; a
        bank may reach over several cells.
    :ivar bandwidths: the memory bandwidth that can be shared out.
    :ivar control_groups: resctrl groups that guests hold.
    :ivar holders: the guests that are known by name. What they hold is
        part of what the cells say is taken; nobody need be named.
    """

    cells: tuple[HostCell, ...]
    name: str = ''
    caches: tuple[CacheBank, ...] = ()
    bandwidths: tuple[BandwidthNode, ...] = ()
    control_groups: int = 0
    holders: tuple[Holder, ...] = ()
    _digest: str = field(default='', init=False, repr=False, compare=False)
    _vacancies: tuple[Vacancy, ...] | None = field(
        default=None, init=False, repr=False, compare=False
    )
    _before: tuple[Vacancy, ...] = field(
        default=(), init=False, repr=False, compare=False
    )
    """Vacancies of the cells before claims, to derive the others from."""

    def __post_init__(self) -> None:
        require_int('control_groups', self.control_groups, 0)
        names = [holder.name for holder in self.holders]
        require(
            len(set(names)) == len(names),
            f'the names of the holders {names} are not distinct',
        )
        ids = [cell.id for cell in self.cells]
        require(
            len(set(ids)) == len(ids), f'host cell ids {ids} are not distinct'
        )
        check_disjoint(
            tuple(cell.cpus for cell in self.cells), "the host cells' pCPUs"
        )

    @classmethod
    def uniform(
        cls,
        cells: int = 2,
        cores: int = 4,
        threads: int = 1,
        *,
        l3_per_cell: int = 1,
        memory_mib: int = 16384,
        pages: Mapping[int, int] | None = None,
        dedicated: CPUSet | None = None,
        shared: CPUSet | None = None,
    ) -> Self:
        """Make a regular host, its pCPUs numbered as Linux numbers them.

        Thread t of core c is pCPU ``t * cores_of_all_cells + c``. Where
        neither ``dedicated`` nor ``shared`` is given every pCPU is both
        (nova without either set); where one is given, the other is empty.

        :param cores: cores of a cell.
        :param threads: threads of a core.
        :param memory_mib: memory of a cell.
        :param pages: page size in KiB to number of pages of a cell, beside
            the ordinary 4 KiB pages, which take what memory is left.
        """
        require_int('cells', cells, 1)
        require_int('cores', cores, 1)
        require_int('threads', threads, 1)
        require_int('l3_per_cell', l3_per_cell, 1, cores)
        sizes = {1048576: 8} if pages is None else dict(pages)
        left_kib = memory_mib * 1024 - sum(k * n for k, n in sizes.items())
        require(left_kib >= 0, 'the pages are more than the memory')
        sizes.setdefault(4, left_kib // 4)
        pools = tuple(PagePool(size_kib=k, total=n) for k, n in sizes.items())
        every = cells * cores
        made = []
        for cell in range(cells):
            siblings = [
                CPUSet(thread * every + core for thread in range(threads))
                for core in range(cell * cores, (cell + 1) * cores)
            ]
            cpus = CPUSet(cpu for core in siblings for cpu in core)
            taken = choose_sets(cpus, dedicated, shared)
            made.append(
                HostCell(
                    id=cell,
                    dedicated=taken[0],
                    shared=taken[1],
                    siblings=tuple(siblings),
                    memory_mib=memory_mib,
                    pages=pools,
                    l3=_split(siblings, l3_per_cell),
                    socket=cell,
                )
            )
        return cls(cells=tuple(made))

    @classmethod
    def from_capabilities(
        cls,
        xml: str | bytes,
        dedicated: CPUSet | None = None,
        shared: CPUSet | None = None,
        pinned: CPUSet | None = None,
    ) -> HostTopology:
        """Read a host from libvirt's capabilities XML.

        :param dedicated: pCPUs for dedicated vCPUs (nova's
            ``cpu_dedicated_set``).
        :param shared: pCPUs for floating vCPUs (nova's
            ``cpu_shared_set``). With neither set every online pCPU is both.
        :param pinned: dedicated pCPUs that are taken.
        :raises HostError: naming the line that is wrong.
        :raises ModelError: if the cells contradict each other.
        :raises ConfigError: if a set names pCPUs that it must not.
        """
        # Both make host topologies, so they import this module.
        from rtvirt.model.capabilities import parse_capabilities  # noqa: PLC0415
        from rtvirt.model.partition import partition  # noqa: PLC0415

        return partition(
            parse_capabilities(xml),
            dedicated=dedicated,
            shared=shared,
            pinned=pinned or CPUSet(),
        )

    @classmethod
    def from_facts(cls, facts: HostFacts) -> HostTopology:
        """Return the host of which these are the facts.

        Every online pCPU is both dedicated and shared; those that domains
        have for themselves are taken.

        :raises ModelError: if the facts do not tell, with the reason.
        """
        host, held = facts.topology, facts.libvirt.held
        if not isinstance(host, HostTopology):
            raise ModelError(
                f'the host is not known: {host.path} is {host}',
                hint='read the facts of a root that has /sys',
            )
        taken = held if isinstance(held, CPUSet) else CPUSet()
        name = facts.kernel.hostname
        return dataclasses.replace(
            host,
            name=name if isinstance(name, str) else '',
            cells=tuple(
                dataclasses.replace(cell, pinned=cell.dedicated & taken)
                for cell in host.cells
            ),
        )

    def cell(self, id: int) -> HostCell:
        """Return the cell with this id.

        :raises ModelError: if there is none.
        """
        for cell in self.cells:
            if cell.id == id:
                return cell
        raise ModelError(f'the host has no cell {id}')

    @property
    def shared(self) -> CPUSet:
        """The shared pCPUs of all cells (nova's ``cpu_shared_set``)."""
        mask = 0
        for cell in self.cells:
            mask |= cell.shared.mask
        return CPUSet.from_mask(mask)

    @property
    def vacancies(self) -> tuple[Vacancy, ...]:
        """What is free on each cell, derived when first asked for.

        After claims, only what they changed is derived anew.
        """
        found = self._vacancies
        if found is None:
            if self._before:
                found = tuple(
                    [
                        known if known.cell is cell else Vacancy(cell, known)
                        for known, cell in zip(
                            self._before, self.cells, strict=True
                        )
                    ]
                )
            else:
                found = tuple([Vacancy(cell) for cell in self.cells])
            object.__setattr__(self, '_vacancies', found)
            object.__setattr__(self, '_before', ())
        return found

    def with_cells(self, cells: tuple[HostCell, ...]) -> HostTopology:
        """Return the host with cells of which more, or less, is used.

        They are not checked, and must be the same cells otherwise. What is
        free on them is derived when somebody asks for it.
        """
        made = _HostDraft()
        made.cells = cells
        made.name = self.name
        made.caches = self.caches
        made.bandwidths = self.bandwidths
        made.control_groups = self.control_groups
        made.holders = self.holders
        made._digest = self._digest
        made._vacancies = None
        made._before = self._vacancies or self._before
        made.__class__ = HostTopology
        host: HostTopology = made
        return host

    @property
    def max_groups(self) -> int:
        """How many guests may hold a resctrl group; one is the host's."""
        limits = [b.max_groups for b in self.caches if b.granularity_kib]
        limits += [n.max_groups for n in self.bandwidths if n.granularity]
        return max(0, min(limits) - 1) if limits else 0

    def claim(self, plan: Plan, name: str = '') -> HostTopology:
        """Return the host with the plan's guest on it.

        :param name: what to call the guest, for :attr:`holders`; may be
            left out.
        :raises FitError: if something the plan takes is not there or not
            free, with all reasons, or if the name is taken.
        """
        return transfer(self, plan, CLAIM, name)

    def release(self, plan: Plan, name: str = '') -> HostTopology:
        """Return the host without the plan's guest: undo :meth:`claim`.

        :param name: the name it was claimed with.
        :raises FitError: if something the plan holds is not taken, or the
            name holds something else.
        """
        return transfer(self, plan, RELEASE, name)

    @property
    def digest(self) -> str:
        """Tell this hardware and configuration from others.

        Sixteen hexadecimal digits over all that does not change when
        guests come and go; a plan keeps it.
        """
        if not self._digest:
            # Here and not above: it loads OpenSSL, 14 ms of every import.
            import hashlib  # noqa: PLC0415

            fixed: list[Any] = [
                [
                    cell.id,
                    cell.memory_mib,
                    cell.socket,
                    str(cell.dedicated),
                    str(cell.shared),
                    [str(core) for core in cell.siblings],
                    [str(cache) for cache in cell.l3],
                    [[p.size_kib, p.total, p.reserved] for p in cell.pages],
                ]
                for cell in self.cells
            ]
            fixed += [
                [bank.level, bank.id, str(bank.cpus), bank.size_kib]
                for bank in self.caches
            ]
            digest = hashlib.sha256(repr(fixed).encode()).hexdigest()
            object.__setattr__(self, '_digest', digest[:16])
        return self._digest

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: numbers, texts, lists and dictionaries."""
        return {'schema_version': SCHEMA_VERSION, **dump(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote.

        :raises ModelError: naming the key that is missing or wrong.
        """
        return load(cls, data, schema_version=SCHEMA_VERSION)


_HostDraft: Final = draft_of(HostTopology)


def choose_sets(
    cpus: CPUSet, dedicated: CPUSet | None, shared: CPUSet | None
) -> tuple[CPUSet, CPUSet]:
    """Return the dedicated and shared pCPUs among ``cpus``.

    The rule of nova's ``[compute] cpu_dedicated_set`` and
    ``cpu_shared_set`` (``LibvirtDriver._get_vcpu_available`` and
    ``_get_pcpu_available``): with neither set every pCPU is both; with one
    set the other is empty.
    """
    if dedicated is None and shared is None:
        return cpus, cpus
    return cpus & (dedicated or CPUSet()), cpus & (shared or CPUSet())


def _split(cores: list[CPUSet], groups: int) -> tuple[CPUSet, ...]:
    """Deal the cores out to ``groups`` caches, neighbours together."""
    bounds = [len(cores) * group // groups for group in range(groups + 1)]
    return tuple(
        CPUSet(cpu for core in cores[low:high] for cpu in core)
        for low, high in itertools.pairwise(bounds)
    )

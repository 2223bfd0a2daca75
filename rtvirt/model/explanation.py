# SPDX-License-Identifier: Apache-2.0
"""Why a guest fits a host as it does, or what would make it fit."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.plan import Plan
from rtvirt.model.reason import FitReason


class StepKind(enum.StrEnum):
    """What a step of a relaxation changes."""

    ADD_PAGES = 'add-pages'
    """Turn ordinary memory of a host cell into larger pages."""
    UNRESERVE_PAGES = 'unreserve-pages'
    """Keep fewer pages from guests."""
    FREE_PAGES = 'free-pages'
    """Take pages from whoever holds them."""
    FREE_CPUS = 'free-cpus'
    """Take pCPUs from whoever holds them."""
    DEDICATE_CPUS = 'dedicate-cpus'
    """Put more pCPUs into the dedicated set."""
    MOVE_GUEST = 'move-guest'
    """Stop a guest on this host, or move it elsewhere."""
    SET_FLAVOR = 'set-flavor'
    """Change or drop an extra spec of the flavor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change.

    :ivar what: it in words, but for the host cell.
    :ivar note: what follows upon it, or an empty string.
    :ivar how: the command or the setting that does it, where there is one.
    :ivar host_cell: the host cell it is about; None where it is about none.
    :ivar page_size_kib: of the pages it is about.
    :ivar count: how many pages.
    :ivar cpus: the pCPUs it is about.
    :ivar setting: the extra spec it sets; ``value`` is empty where it is to
        be dropped.
    :ivar holders: who holds what is to be freed, where that is known.
    """

    kind: StepKind
    what: str
    note: str = ''
    how: str = ''
    host_cell: int | None = None
    page_size_kib: int | None = None
    count: int | None = None
    cpus: CPUSet = CPUSet()
    setting: str = ''
    value: str = ''
    holders: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it in words, without a full stop."""
        return _sentence(self.what, self.note, [self])


def _sentence(what: str, note: str, steps: Sequence[Step]) -> str:
    cells = CPUSet(s.host_cell for s in steps if s.host_cell is not None)
    if not cells:
        return what + note
    plural = 's' if len(cells) > 1 else ''
    return f'{what} on host cell{plural} {cells}{note}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """Changes after which the guest fits; that was tried.

    :ivar steps: all of them are needed.
    :ivar cost: how much changes: each pCPU and each GiB of pages counts 1,
        each extra spec 4, and each guest that loses something 8 beside
        what it loses.
    :ivar host_cells: the host cell of each guest cell afterwards.
    """

    steps: tuple[Step, ...]
    cost: float
    host_cells: tuple[int, ...]

    def __str__(self) -> str:
        alike: dict[tuple[str, str], list[Step]] = {}
        for step in self.steps:
            alike.setdefault((step.what, step.note), []).append(step)
        return ', and '.join(
            _sentence(what, note, steps)
            for (what, note), steps in alike.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChoice:
    """Why a guest cell is where it is: what the choice comes to.

    :ivar cpus: the dedicated pCPUs of its vCPUs.
    :ivar pairs: vCPUs that share a core with another one, in pairs.
    :ivar exposed: real-time vCPUs whose core has a thread that is not a
        real-time vCPU's of this guest cell.
    :ivar caches: L3 caches that its vCPUs are spread over; 0 is unknown.
    :ivar whole_cores: whole cores that the host cell has left afterwards.
    :ivar free: free dedicated pCPUs that it has left afterwards.
    """

    guest_cell: int
    host_cell: int
    cpus: CPUSet
    pairs: int
    exposed: int
    caches: int
    whole_cores: int
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a guest fits a host as it does, or why not.

    :ivar plan: where it goes; None where it does not fit.
    :ivar choices: of each guest cell, what its host cell and pCPUs come to.
    :ivar next_best: the same for the best choice with other host cells;
        empty where there is none.
    :ivar reasons: every reason of every guest cell and host cell; empty
        where it fits.
    :ivar relaxations: what would make it fit, the least change first.
    """

    plan: Plan | None = None
    choices: tuple[CellChoice, ...] = ()
    next_best: tuple[CellChoice, ...] = ()
    reasons: tuple[FitReason, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether there is a plan."""
        return self.plan is not None

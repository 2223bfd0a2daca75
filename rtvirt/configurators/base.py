# SPDX-License-Identifier: Apache-2.0
"""What a configurator is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from typing import Protocol

from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.plan import Plan


class Configurator(Protocol):
    """Renders one concern of a plan.

    :ivar owns: the elements that it alone writes, as paths below
        ``<domain>``: ``cputune/vcpupin``, ``devices/disk/driver/@iothread``,
        ``clock/timer/hpet`` for the timer of that name. An element's path
        stands for all that is in it.
    """

    owns: frozenset[str]

    def configure(self, plan: Plan, domain: Domain) -> None:
        """Render the plan into what it owns.

        It reads and writes nothing that another configurator owns, and
        doing it twice is doing it once.
        """


def shared_path(first: Iterable[str], second: Iterable[str]) -> str:
    """Return a path that both sets of paths own, or an empty text."""
    for one in sorted(first):
        for two in sorted(second):
            if f'{one}/'.startswith(f'{two}/'):
                return one
            if f'{two}/'.startswith(f'{one}/'):
                return two
    return ''


def is_host_side(configurator: Configurator) -> bool:
    """Whether the guest sees nothing of what a configurator writes.

    What it sees cannot change while it runs: libvirt migrates it into no
    document where it did (``virDomainDefCheckABIStability``).
    """
    return all(
        path.partition('/')[0] in _HOST_SIDE for path in configurator.owns
    )


_HOST_SIDE: Final = frozenset({'cputune', 'metadata', 'numatune'})

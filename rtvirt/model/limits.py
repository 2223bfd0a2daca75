# SPDX-License-Identifier: Apache-2.0
"""How far shared CPUs and memory may be promised more than once."""

from __future__ import annotations

from dataclasses import dataclass

from rtvirt.exception import ModelError
from rtvirt.model.check import MAX_INT
from rtvirt.model.check import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Allocation ratios, per host cell (nova's ``NUMATopologyLimits``).

    They bind guests that are shared or mixed; pinned guests are never
    promised what is taken.

    :ivar cpu_allocation_ratio: shared vCPUs per shared pCPU.
    :ivar ram_allocation_ratio: MiB promised per MiB of memory.
    """

    cpu_allocation_ratio: float = 1.0
    ram_allocation_ratio: float = 1.0

    def __post_init__(self) -> None:
        for name in ('cpu_allocation_ratio', 'ram_allocation_ratio'):
            ratio = getattr(self, name)
            if type(ratio) not in {int, float} or not 0 <= ratio <= MAX_INT:
                raise ModelError(
                    f'{name} is {shown(ratio)}: expected a number of at least '
                    '0'
                )

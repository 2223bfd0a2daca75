# SPDX-License-Identifier: Apache-2.0
"""What happened on the host while a tool measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rtvirt.model.check import require
from rtvirt.model.frozendict import FrozenDict

_NOTHING: Final[FrozenDict[str, int]] = FrozenDict()
_NO_MAXIMA: Final[FrozenDict[int, int]] = FrozenDict()


@dataclass(frozen=True, slots=True, kw_only=True)
class CPUSample:
    """What happened on one pCPU between two looks at it.

    None is what this machine does not tell, or not to this user.

    :ivar interrupts: how many, by name as in ``/proc/interrupts``: the
        label, and for a device what follows it.
    :ivar preemptions: how often the tasks that are watched there, the
        vCPU's thread or the tool's, were switched off involuntarily.
    :ivar waited_us: how long they were ready to run, and did not
        (``/proc/PID/schedstat``).
    :ivar smi: system management interrupts (MSR 0x34).
    :ivar idle_us: time in each C-state but polling, by its name.
    :ivar throttled: how often the core was throttled for its heat.
    """

    interrupts: Mapping[str, int] = _NOTHING
    preemptions: int | None = None
    waited_us: int | None = None
    smi: int | None = None
    idle_us: Mapping[str, int] = _NOTHING
    throttled: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSample:
    """One look at the host, and at how far the tool was.

    :ivar time_s: since the measurement began.
    :ivar duration_s: since the look before.
    :ivar cpus: by pCPU, what happened since then.
    :ivar maxima: by thread of the tool, the largest latency so far, in the
        result's unit; empty where the tool does not tell meanwhile.
    """

    time_s: float
    duration_s: float
    cpus: Mapping[int, CPUSample]
    maxima: Mapping[int, int] = _NO_MAXIMA

    def __post_init__(self) -> None:
        for value in (self.time_s, self.duration_s):
            require(
                math.isfinite(value) and value >= 0, f'a time is {value} s'
            )

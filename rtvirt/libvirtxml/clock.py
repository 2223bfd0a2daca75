# SPDX-License-Identifier: Apache-2.0
"""``<clock>``: the guest's clock and its timers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.kind import INT
from rtvirt.libvirtxml.kind import TEXT
from rtvirt.libvirtxml.kind import YES_NO
from rtvirt.libvirtxml.nested import Keyed
from rtvirt.model.frozendict import FrozenDict


@element('timer')
class Timer(Element):
    """One timer; None is unset.

    :ivar track: what the timer follows, ``guest`` or ``wall``.
    :ivar tickpolicy: what becomes of ticks that came too late: ``delay``,
        ``catchup``, ``merge`` or ``discard``.
    :ivar frequency: of the TSC, in Hz.
    :ivar mode: of the TSC.
    """

    present: Annotated[bool | None, Attribute('present', YES_NO)] = None
    track: Annotated[str | None, Attribute('track', TEXT)] = None
    tickpolicy: Annotated[str | None, Attribute('tickpolicy', TEXT)] = None
    frequency: Annotated[int | None, Attribute('frequency', INT)] = None
    mode: Annotated[str | None, Attribute('mode', TEXT)] = None


@element('clock')
class Clock(Element):
    """The guest's clock and its timers.

    :ivar offset: ``utc``, ``localtime``, ``timezone``, ``variable`` or
        ``absolute``.
    :ivar timers: by name.
    """

    offset: Annotated[str, Attribute('offset', TEXT)]
    timers: Annotated[Mapping[str, Timer], Keyed(Timer, 'name', TEXT)] = (
        FrozenDict()
    )

    def __post_init__(self) -> None:
        if type(self.timers) is not FrozenDict:
            object.__setattr__(self, 'timers', FrozenDict(self.timers))

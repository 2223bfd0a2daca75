# SPDX-License-Identifier: Apache-2.0
"""What a check, a lint rule or a verification found."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final


class Severity(enum.StrEnum):
    """How bad a finding is, the worst first.

    ``FATAL``: the guest does not start, or real time is void. ``ERROR``:
    the latency budget is at risk. ``WARNING``: worth mending. ``INFO``:
    worth knowing.
    """

    FATAL = 'fatal'
    ERROR = 'error'
    WARNING = 'warning'
    INFO = 'info'

    @property
    def rank(self) -> int:
        """The place in this order, 0 for the worst."""
        return _RANKS[self]


_RANKS: Final = {severity: rank for rank, severity in enumerate(Severity)}


class Safety(enum.StrEnum):
    """What it takes to mend a finding.

    ``LIVE``: it may be done while real-time guests run. ``DISRUPTIVE``: it
    stalls or restarts something that guests may notice. ``REBOOT``: it
    takes effect with the next boot of the host.
    """

    LIVE = 'live'
    DISRUPTIVE = 'disruptive'
    REBOOT = 'reboot'


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer that is "no", or one that could not be given.

    :ivar code: stable identifier of the check or rule, documented.
    :ivar severity: how bad it is.
    :ivar subject: what it is about: a thread, a pCPU, a file, an element.
    :ivar expected: what should be, as a person reads it.
    :ivar actual: what is.
    :ivar hint: the command or setting that mends it.
    :ivar safety: what the mend takes; None where there is none to apply.
    :ivar is_undecided: whether what it takes to decide could not be read;
        ``actual`` then says why. It counts for nothing in a verdict of
        "yes" or "no".
    """

    code: str
    severity: Severity
    subject: str
    expected: str
    actual: str
    hint: str = ''
    safety: Safety | None = None
    is_undecided: bool = False

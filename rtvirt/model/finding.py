# SPDX-License-Identifier: Apache-2.0
"""What a check, a lint rule or a verification found."""

from __future__ import annotations

import enum
from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer that is "no".

    :ivar code: stable identifier of the check or rule, documented.
    :ivar severity: how bad it is.
    :ivar subject: what it is about: a thread, a pCPU, a file, an element.
    :ivar expected: what should be, as a person reads it.
    :ivar actual: what is.
    :ivar hint: the command or setting that mends it.
    """

    code: str
    severity: Severity
    subject: str
    expected: str
    actual: str
    hint: str = ''

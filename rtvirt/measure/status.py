# SPDX-License-Identifier: Apache-2.0
"""What cyclictest says of itself meanwhile, when it gets SIGUSR1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

HAS_HANDLER: Final = r'^SigCgt:.*[2367abef]..$'
"""The line of ``/proc/PID/status`` where SIGUSR1 is caught: bit 9 of the
mask. Without a handler the signal would end the tool: grep and re read it.
"""

BEFORE_THREADS: Final = r'^Threads:[^0-9]*'
"""What is before the number of threads there, for sed and re. cyclictest
tells of all its measuring threads, and dies of one that is yet to be made.
"""

_LINE: Final = re.compile(
    r'^T: *([0-9]{1,6}) \(.*\bMax: *([0-9]{1,18})', re.MULTILINE
)


def read_maxima(text: str) -> Mapping[int, int]:
    """Return by thread the largest latency that it has told of so far.

    :param text: all that it has written to standard error, or its end.
    """
    found: dict[int, int] = {}
    for number, maximum in _LINE.findall(text):
        thread, value = int(number), int(maximum)
        found[thread] = max(value, found.get(thread, 0))
    return found

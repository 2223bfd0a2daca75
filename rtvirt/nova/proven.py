# SPDX-License-Identifier: Apache-2.0
"""What is proved of a host, where the weighers of nova-scheduler see it.

They see no traits. They do see the statistics that nova-compute keeps with
its own record, and so the traits are told there, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from typing import Final

from rtvirt.checks.trait import READY

_STATISTIC: Final = 'rtvirt_traits'


def publish(resources: Any, traits: Iterable[str]) -> None:
    """Add the traits to what ``get_available_resource`` returns."""
    statistics = resources.setdefault('stats', {})
    statistics[_STATISTIC] = ','.join(sorted(traits))


def is_proven(state: Any) -> bool:
    """Whether a ``HostState`` is of a host that is fit for real time."""
    statistics = getattr(state, 'stats', None) or {}
    return READY in (statistics.get(_STATISTIC) or '').split(',')

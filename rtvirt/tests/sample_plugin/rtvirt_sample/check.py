# SPDX-License-Identifier: Apache-2.0
"""A check of hosts: what this site demands beside what rtvirt does."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import judge
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'SAMPLE-1',
    'The host is named by its rack',
    Severity.INFO,
    reads=('/proc/sys/kernel/hostname',),
    expected='a name that begins with "rack"',
    why='Whoever is called at night looks for the machine by its name. '
    'There are many racks.',
    source='the rules of this site',
    mend='hostnamectl hostname rackNN-MM',
    safety=Safety.LIVE,
)
def rack(facts: HostFacts) -> Iterator[Answer]:
    """Look at the name; a host without one is not judged."""
    yield from judge(
        facts.kernel.hostname, lambda name: name.startswith('rack')
    )


CHECKS = CheckGroup((rack,))

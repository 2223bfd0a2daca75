# SPDX-License-Identifier: Apache-2.0
"""A lint rule: what this site demands of the documents of its domains."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.libvirtxml.domain import Domain
from rtvirt.lint_rules.base import Flaw
from rtvirt.lint_rules.base import RuleGroup
from rtvirt.lint_rules.base import rule
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Severity


@rule(
    'SAMPLE-L1',
    'The domain is named by its plant',
    Severity.INFO,
    subject='name',
    expected='a name that begins with "plc-"',
    why='Whoever is called at night looks for the controller by its name.',
    mend='virsh domrename',
)
def plant(domain: Domain, _facts: HostFacts | None) -> Iterator[Flaw]:
    """Look at the name."""
    if not domain.name.startswith('plc-'):
        yield Flaw(actual=domain.name)


RULES = RuleGroup((plant,))

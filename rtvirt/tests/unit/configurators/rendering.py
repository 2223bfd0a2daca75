# SPDX-License-Identifier: Apache-2.0
"""What a configurator changes in a whole document."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.model.plan import Plan

DATA = Path(__file__).parents[2] / 'data' / 'domains'

PLAIN = (DATA / 'plain.xml').read_text()
NOVA = (DATA / 'nova.xml').read_text()
ODD = (DATA / 'odd.xml').read_text()


def render(configurator: Any, plan: Plan, text: str = PLAIN) -> str:
    """Return the document that a configurator makes of another."""
    domain = parse_domain(text)
    configurator.configure(plan, domain)
    return domain.to_xml()


def changes(before: str, after: str) -> list[str]:
    """Return the lines that differ, ``-`` or ``+`` before each.

    The rest of the document is thereby asserted to be the same.
    """
    return [
        line
        for line in difflib.ndiff(before.splitlines(), after.splitlines())
        if line[0] in '-+'
    ]


def changed(configurator: Any, plan: Plan, text: str = PLAIN) -> list[str]:
    """Return what a configurator changes, having checked that it is done."""
    after = render(configurator, plan, text)
    assert render(configurator, plan, after) == after
    return [' '.join(line.split()) for line in changes(text, after)]

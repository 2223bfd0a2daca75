# SPDX-License-Identifier: Apache-2.0
"""Lint a domain with the rules that are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtvirt import plugins
from rtvirt.lint_rules.run import run_rules

if TYPE_CHECKING:
    from rtvirt.libvirtxml.domain import Domain
    from rtvirt.model.facts.host import HostFacts
    from rtvirt.model.finding import Finding


def lint(domain: Domain, host: HostFacts | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with a domain, the worst first.

    :param host: adds the rules that need to know the host.
    :raises PluginError: if a rule is broken, or two are in conflict.
    """
    return run_rules(domain, host, plugins.lint_rules())

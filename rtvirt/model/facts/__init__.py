# SPDX-License-Identifier: Apache-2.0
"""Facts about a host, typed: what was read, and what could not be."""

from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.host import Intent
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.facts.missing import value_or

__all__ = ['HostFacts', 'Intent', 'Missing', 'Why', 'value_or']

# SPDX-License-Identifier: Apache-2.0
"""Read the facts of a host: this one, a copy of its files, a snapshot."""

from rtvirt.host.facts.read import open_tree
from rtvirt.host.facts.read import read_facts
from rtvirt.host.facts.read import read_tree

__all__ = ['open_tree', 'read_facts', 'read_tree']

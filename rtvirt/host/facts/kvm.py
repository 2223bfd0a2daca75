# SPDX-License-Identifier: Apache-2.0
"""Read KVM and the parameters of its modules."""

from __future__ import annotations

from rtvirt.host.facts.single import read_fields
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_value
from rtvirt.model.facts.kvm import KVMFacts


def read_kvm_facts(tree: Tree) -> KVMFacts:
    """Read whether there is KVM, and how its modules are loaded.

    ``/proc/misc`` lists the device with its number; a copy of a host's
    files has no device nodes.
    """

    def has_kvm(text: str) -> bool:
        return any(line.split()[1:] == ['kvm'] for line in text.splitlines())

    return KVMFacts(
        **read_fields(tree, KVMFacts),
        device=read_value(tree, '/proc/misc', has_kvm),
    )

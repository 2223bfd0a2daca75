# SPDX-License-Identifier: Apache-2.0
"""What a parser made of a flavor and an image, as plain data."""

from typing import Any

from rtvirt.extraspecs.parser import parse_guest
from rtvirt.model.flavor import Flavor
from rtvirt.model.guest import GuestRequirement
from rtvirt.tests.flavors import Case


def parse(case: Case, *, strict: bool = True) -> GuestRequirement:
    """Parse a case as it stands."""
    flavor = Flavor(
        name='f',
        vcpus=case.vcpus,
        memory_mib=case.memory_mib,
        extra_specs=case.specs,
    )
    return parse_guest(flavor, case.image or None, strict=strict)


def facts(guest: GuestRequirement) -> dict[str, Any]:
    """Return what rtvirt and nova can be compared by."""
    quota = guest.quota
    topology = guest.topology
    return {
        'policy': guest.cpu_policy,
        'threads': guest.thread_policy,
        'emulator': guest.emulator_policy,
        'realtime': str(guest.realtime),
        'cells': [
            (
                str(cell.shared),
                str(cell.dedicated),
                cell.memory_mib,
                cell.page_size,
            )
            for cell in guest.cells
        ],
        'locked': guest.locked_memory,
        'pmu': guest.pmu,
        'hidden': guest.hide_hypervisor_id,
        'pci': guest.pci_numa_affinity_policy,
        'topology': (topology.sockets, topology.cores, topology.threads),
        'quota': (quota.shares, quota.period_us, quota.quota_us),
    }

# SPDX-License-Identifier: Apache-2.0
"""Real-time virtual machines on Linux, planned and proved."""

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.flavor import Flavor
from rtvirt.model.flavor import ImageProperties
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostCell
from rtvirt.model.host import HostTopology
from rtvirt.model.pages import PagePool
from rtvirt.model.pages import PageSize
from rtvirt.model.plan import Plan
from rtvirt.model.plan import PlannedCell

__all__ = [
    'CPUSet',
    'Flavor',
    'GuestCell',
    'GuestRequirement',
    'HostCell',
    'HostTopology',
    'ImageProperties',
    'PagePool',
    'PageSize',
    'Plan',
    'PlannedCell',
]

# SPDX-License-Identifier: Apache-2.0
"""What nova-compute is configured to use of its host."""

from __future__ import annotations

from dataclasses import dataclass

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import fact
from rtvirt.model.partition import ReservedPages

_CONF = '/etc/nova/nova.conf'


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledNova:
    """The nova that is installed, as its own interpreter tells.

    :ivar python: the interpreter of ``nova-compute``.
    :ivar version: nova's.
    :ivar rtvirt: the version of rtvirt beside it; empty where there is none.
    :ivar fault: why it cannot import rtvirt's driver; empty where it can.
    """

    python: str
    version: str
    rtvirt: str = ''
    fault: str = ''


@dataclass(frozen=True, slots=True, kw_only=True)
class NovaFacts:
    """The options of nova-compute that concern placement.

    An option that no file sets is absent.

    :ivar files: the configuration files found, later ones taking
        precedence; empty on a host without nova.
    :ivar pin_set: the deprecated ``vcpu_pin_set``.
    :ivar power_management: ``[libvirt] cpu_power_management``.
    :ivar power_strategy: ``cpu_state`` takes unused dedicated CPUs offline.
    :ivar driver: ``[DEFAULT] compute_driver``.
    :ivar filters: ``[filter_scheduler] enabled_filters``; of no effect but
        where nova-scheduler runs.
    :ivar installed: no file tells it: a program on this host was asked.
    :ivar rtvirt: the version of the rtvirt that asked.
    """

    files: tuple[str, ...] = ()
    dedicated: CPUSet | Missing = fact(f'{_CONF} [compute] cpu_dedicated_set')
    shared: CPUSet | Missing = fact(f'{_CONF} [compute] cpu_shared_set')
    pin_set: CPUSet | Missing = fact(f'{_CONF} [DEFAULT] vcpu_pin_set')
    reserved_pages: tuple[ReservedPages, ...] | Missing = fact(
        f'{_CONF} [DEFAULT] reserved_huge_pages'
    )
    realtime_priority: int | Missing = fact(
        f'{_CONF} [libvirt] realtime_scheduler_priority'
    )
    power_management: bool | Missing = fact(
        f'{_CONF} [libvirt] cpu_power_management'
    )
    power_strategy: str | Missing = fact(
        f'{_CONF} [libvirt] cpu_power_management_strategy'
    )
    driver: str | Missing = fact(f'{_CONF} [DEFAULT] compute_driver')
    filters: tuple[str, ...] | Missing = fact(
        f'{_CONF} [filter_scheduler] enabled_filters'
    )
    installed: InstalledNova | Missing = fact('nova-compute')
    rtvirt: str | Missing = fact('rtvirt')

    @property
    def takes_cpus_offline(self) -> bool:
        """Whether an offline dedicated CPU is nova's doing."""
        # cpu_state is the option's default.
        return self.power_management is True and (
            isinstance(self.power_strategy, Missing)
            or self.power_strategy == 'cpu_state'
        )

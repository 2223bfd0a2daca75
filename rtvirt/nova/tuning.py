# SPDX-License-Identifier: Apache-2.0
"""From nova's instances and documents to tuned documents."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any
from typing import Final

from nova import utils

from rtvirt import plugins
from rtvirt.configurators.base import is_host_side
from rtvirt.configurators.planned import document_priorities
from rtvirt.configurators.planned import planned
from rtvirt.domain import apply_plan
from rtvirt.exception import UnsupportedExtraSpec
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.fitting.control import shares
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.flavor import Flavor
from rtvirt.model.flavor import ImageProperties
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.model.plan import Plan

_REALTIME: Final = 'hw:cpu_realtime'
_OWN: Final = 'rtvirt:'
_PRIORITY: Final = 'rtvirt:priority'
_SHARES: Final = ('rtvirt:cache_mib', 'rtvirt:memory_bandwidth')


def requirement(instance: Any) -> GuestRequirement | None:
    """Return what an instance asks for.

    None for one that asks for nothing of rtvirt: it is neither real-time
    nor has it an ``rtvirt:`` extra spec, and rtvirt leaves it alone.

    :raises ExtraSpecError: if its flavor or image asks for nonsense.
    """
    flavor = instance.flavor
    specs = flavor.extra_specs
    is_own = any(key.startswith(_OWN) for key in specs)
    if not is_own and _REALTIME not in specs:
        return None
    # The image as it was when the guest was built, not one to rescue it.
    image = utils.get_image_from_system_metadata(instance.system_metadata)
    guest = parse_guest(
        Flavor(
            name=flavor.name,
            vcpus=flavor.vcpus,
            memory_mib=flavor.memory_mb,
            extra_specs=specs,
        ),
        ImageProperties(image['properties']),
        strict=False,
    )
    return guest if is_own or guest.realtime else None


def tune(instance: Any, xml: str, capabilities: Callable[[], str]) -> str:
    """Return nova's document of a guest, tuned.

    :param capabilities: returns libvirt's; called where it takes them.
    :raises RTVirtError: if the guest cannot be what it asks to be.
    """
    guest = requirement(instance)
    if guest is None:
        return xml
    plan = _plan(instance, guest, xml)
    if guest.cache_mib or guest.memory_bandwidth:
        host = HostTopology.from_capabilities(capabilities())
        caches, bandwidth = shares(guest, host, _realtime_cpus(plan))
        plan = dataclasses.replace(
            plan, caches=caches, memory_bandwidth=bandwidth
        )
    return apply_plan(plan, xml)


def retune(instance: Any, xml: str) -> str:
    """Return the document that a guest migrates into, tuned.

    nova has put in where the destination runs it. What the guest sees
    stays as it is.

    :raises RTVirtError: if it cannot be what it asks to be there.
    """
    guest = requirement(instance)
    if guest is None:
        return xml
    if guest.cache_mib or guest.memory_bandwidth:
        raise UnsupportedExtraSpec(
            'a guest with a share of the caches cannot be migrated while it '
            'runs: the source does not know the caches of the destination',
            key=_SHARES[guest.cache_mib is None],
            hint='migrate it without --live-migration',
        )
    return apply_plan(
        _plan(instance, guest, xml),
        xml,
        [one for one in plugins.configurators() if is_host_side(one)],
    )


def _plan(instance: Any, guest: GuestRequirement, xml: str) -> Plan:
    domain = parse_domain(xml)
    if guest.realtime and _PRIORITY not in instance.flavor.extra_specs:
        # Then it is the host's: [libvirt] realtime_scheduler_priority.
        given = document_priorities(domain)
        guest = dataclasses.replace(
            guest,
            priorities={
                vcpu: given.get(vcpu, level)
                for vcpu, level in guest.priorities.items()
            },
        )
    return planned(guest, domain)


def _realtime_cpus(plan: Plan) -> CPUSet:
    cpus = CPUSet()
    for vcpu in plan.realtime:
        cpus |= plan.pins[vcpu]
    return cpus

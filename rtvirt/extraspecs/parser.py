# SPDX-License-Identifier: Apache-2.0
"""From a flavor and an image to what the guest requires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

from rtvirt.extraspecs.agreement import agreed
from rtvirt.extraspecs.cpu import check_policies
from rtvirt.extraspecs.cpu import cpu_policy
from rtvirt.extraspecs.cpu import thread_policy
from rtvirt.extraspecs.memory import locked_memory
from rtvirt.extraspecs.memory import page_size
from rtvirt.extraspecs.numa import cell_count
from rtvirt.extraspecs.numa import guest_cells
from rtvirt.extraspecs.numa import has_lists
from rtvirt.extraspecs.numa import warn_of_lists
from rtvirt.extraspecs.own import check_own
from rtvirt.extraspecs.own import priorities
from rtvirt.extraspecs.realtime import dedicated_vcpus
from rtvirt.extraspecs.realtime import realtime_vcpus
from rtvirt.extraspecs.request import Request
from rtvirt.extraspecs.request import read_request
from rtvirt.extraspecs.topology import cpu_topology
from rtvirt.model.alter import draft_of
from rtvirt.model.flavor import Flavor
from rtvirt.model.flavor import ImageProperties
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import CPUQuota
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement

_EMULATOR: Final = 'hw:emulator_threads_policy'
_QUOTA: Final = {
    'quota:cpu_shares': 'shares',
    'quota:cpu_period': 'period_us',
    'quota:cpu_quota': 'quota_us',
}
_HIDE: Final = ('hw:hide_hypervisor_id', 'hide_hypervisor_id')
_IMAGE_HIDE: Final = 'img_hide_hypervisor_id'
_PCI: Final = 'hw:pci_numa_affinity_policy'
_IMAGE_PCI: Final = 'hw_pci_numa_affinity_policy'
_QUEUES: Final = 'hw:vif_multiqueue_enabled'
_IMAGE_QUEUES: Final = 'hw_vif_multiqueue_enabled'
_FEATURES: Final = frozenset(('hw:pmu', _PCI, _QUEUES, *_HIDE, *_QUOTA))
_NO_IMAGE: Final = ImageProperties()


def parse_guest(
    flavor: Flavor,
    image: Mapping[str, Any] | None = None,
    *,
    strict: bool = True,
) -> GuestRequirement:
    """Return what a flavor and an image ask of a host, validated.

    Accepts, refuses and yields what nova 34 does, but for what
    :data:`rtvirt.extraspecs.deviation.DEVIATIONS` lists.

    :param image: an :class:`~rtvirt.model.flavor.ImageProperties`, or what
        makes one.
    :param strict: whether an unknown ``hw:`` or ``rtvirt:`` extra spec is
        an error; else it is a warning of the result.
    :raises ExtraSpecError: naming key, value, what was expected and what to
        do about it.
    :raises ModelError: if the image is no mapping of texts.
    """
    if image is None:
        image = _NO_IMAGE
    elif type(image) is not ImageProperties:
        image = ImageProperties(image)
    request = read_request(flavor, image, strict=strict)
    emulator: EmulatorPolicy | None = request.specs.get(_EMULATOR)
    policy = cpu_policy(request, emulator)
    threads = thread_policy(request)
    check_policies(request, policy, threads, emulator)
    realtime = realtime_vcpus(request, emulator)
    dedicated = dedicated_vcpus(request, policy, realtime.mask)
    cells = _cells(request, dedicated)
    check_own(request, dedicated, realtime, emulator)
    guest: Any = _Draft()
    guest.name = flavor.name
    guest.vcpus = flavor.vcpus
    guest.memory_mib = flavor.memory_mib
    guest.cells = cells
    guest.topology = cpu_topology(request)
    guest.cpu_policy = policy or CPUPolicy.SHARED
    guest.thread_policy = threads
    guest.emulator_policy = emulator if cells else None
    guest.realtime = realtime
    guest.priorities = priorities(request, realtime)
    guest.locked_memory = locked_memory(request) or realtime.mask != 0
    _add_own(guest, request.specs)
    _add_features(guest, request)
    guest.warnings = tuple(request.warnings)
    guest.__class__ = GuestRequirement
    guest.__post_init__()
    made: GuestRequirement = guest
    return made


# A constructor of 27 fields takes 6 us, filling a draft 1 us.
_Draft: Final = draft_of(GuestRequirement)

_PLAIN: Final = GuestRequirement(
    name='plain', vcpus=1, memory_mib=1, topology=CPUTopology(sockets=1)
)
"""Has the default of each field."""


def _cells(request: Request, dedicated: int) -> tuple[GuestCell, ...]:
    """Return the guest's cells; none where nothing asks for them."""
    count = cell_count(request)
    size = page_size(request)
    if count or size or dedicated or _has_pmem(request):
        return guest_cells(request, count or 1, dedicated, size)
    if has_lists(request):
        warn_of_lists(request, 0)
    if request.specs.get(_EMULATOR):
        request.warn(f'{_EMULATOR} has no effect: the guest has no cells')
    return ()


def _has_pmem(request: Request) -> bool:
    """Return whether a label of persistent memory is given."""
    labels: str = request.specs.get('hw:pmem', '')
    return bool(labels) and labels.replace(',', '').strip() != ''


def _add_own(guest: Any, specs: Mapping[str, Any]) -> None:
    """Set the fields that rtvirt's own extra specs are about."""
    get = specs.get
    guest.scheduler = get('rtvirt:scheduler', _PLAIN.scheduler)
    guest.emulator_priority = get('rtvirt:emulator_priority', 0)
    guest.iothreads = get('rtvirt:iothreads', _PLAIN.iothreads)
    guest.l3_policy = get('rtvirt:l3_policy', _PLAIN.l3_policy)
    guest.cache_mib = get('rtvirt:cache_mib')
    guest.memory_bandwidth = get('rtvirt:memory_bandwidth')
    guest.halt_poll = get('rtvirt:halt_poll', _PLAIN.halt_poll)
    guest.latency_budget_us = get('rtvirt:latency_budget_us')


def _add_features(guest: Any, request: Request) -> None:
    """Set the fields that most guests leave alone."""
    specs = request.specs
    image = request.properties
    guest.pmu = None
    guest.pci_numa_affinity_policy = None
    guest.hide_hypervisor_id = False
    guest.quota = _PLAIN.quota
    guest._prepared = None
    if not image and _FEATURES.isdisjoint(specs):
        return
    guest.pmu = agreed(request, 'hw:pmu', 'hw_pmu')
    guest.pci_numa_affinity_policy = agreed(request, _PCI, _IMAGE_PCI)
    if request.flavor.vcpus > 1:
        agreed(request, _QUEUES, _IMAGE_QUEUES)
    guest.hide_hypervisor_id = bool(
        any(specs.get(key) for key in _HIDE) or image.get(_IMAGE_HIDE)
    )
    if not _QUOTA.keys().isdisjoint(specs):
        guest.quota = CPUQuota(
            **{name: specs.get(key) for key, name in _QUOTA.items()}
        )

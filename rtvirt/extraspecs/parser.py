# SPDX-License-Identifier: Apache-2.0
"""From a flavor and an image to what the guest requires."""

from __future__ import annotations

from collections.abc import Mapping

from rtvirt.extraspecs import cpu
from rtvirt.extraspecs import memory
from rtvirt.extraspecs import numa
from rtvirt.extraspecs import own
from rtvirt.extraspecs import realtime as rt
from rtvirt.extraspecs.request import Request
from rtvirt.extraspecs.request import read_request
from rtvirt.extraspecs.topology import cpu_topology
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.flavor import Flavor
from rtvirt.model.flavor import ImageProperties
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import CPUQuota
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import HaltPoll
from rtvirt.model.guest import L3Policy
from rtvirt.model.guest import PCINUMAAffinityPolicy
from rtvirt.model.guest import Scheduler

_HIDE = ('hw:hide_hypervisor_id', 'hide_hypervisor_id')
_PCI = 'pci_numa_affinity_policy'


def parse_guest(
    flavor: Flavor,
    image: ImageProperties | Mapping[str, str] | None = None,
    *,
    strict: bool = True,
) -> GuestRequirement:
    """Return what a flavor and an image ask of a host, validated.

    Accepts and refuses as nova 34 does, but for the deviations that
    :mod:`rtvirt.extraspecs.deviation` lists.

    :param image: properties of the image, ``hw_*``.
    :param strict: whether an unknown ``hw:`` or ``rtvirt:`` extra spec is
        an error; else it is a warning of the result.
    :raises ExtraSpecError: naming key, value, what was expected and what to
        do about it.
    """
    request = read_request(flavor, image, strict=strict)
    specs = request.specs
    emulator: EmulatorPolicy | None = specs.get('hw:emulator_threads_policy')
    policy = cpu.cpu_policy(request, emulator)
    threads = cpu.thread_policy(request)
    cpu.check_policies(request, policy, threads, emulator)
    realtime = rt.realtime_vcpus(request, emulator)
    dedicated = rt.dedicated_vcpus(request, policy, realtime)
    count = numa.cell_count(request)
    page_size = memory.page_size(request)
    locked = memory.locked_memory(request)
    cells: tuple[GuestCell, ...] = ()
    if count or page_size or dedicated or _has_pmem(request):
        cells = numa.cells(request, count or 1, dedicated, page_size)
    elif emulator:
        request.warn(
            'hw:emulator_threads_policy has no effect: the guest floats'
        )
        emulator = None
    own.check_own(request, dedicated, realtime, emulator)
    memory.agreed_truth(request, 'vif_multiqueue_enabled')
    return GuestRequirement(
        name=flavor.name,
        vcpus=flavor.vcpus,
        memory_mib=flavor.memory_mib,
        cells=cells,
        topology=cpu_topology(request),
        cpu_policy=policy or CPUPolicy.SHARED,
        thread_policy=threads,
        emulator_policy=emulator,
        realtime=CPUSet.from_mask(realtime),
        scheduler=specs.get('rtvirt:scheduler', Scheduler.FIFO),
        priorities=own.priorities(request, realtime),
        emulator_priority=specs.get('rtvirt:emulator_priority', 0),
        iothreads=specs.get('rtvirt:iothreads', 1),
        locked_memory=locked or realtime != 0,
        pmu=memory.agreed_truth(request, 'pmu'),
        hide_hypervisor_id=_is_hidden(request),
        pci_numa_affinity_policy=_pci_policy(request),
        quota=_quota(request),
        l3_policy=specs.get('rtvirt:l3_policy', L3Policy.NONE),
        cache_mib=specs.get('rtvirt:cache_mib'),
        memory_bandwidth=specs.get('rtvirt:memory_bandwidth'),
        halt_poll=specs.get('rtvirt:halt_poll', HaltPoll.HOST),
        latency_budget_us=specs.get('rtvirt:latency_budget_us'),
        warnings=tuple(request.warnings),
    )


def _has_pmem(request: Request) -> bool:
    """Return whether a label of persistent memory is given."""
    labels: str = request.specs.get('hw:pmem', '')
    return labels != '' and any(label.strip() for label in labels.split(','))


def _is_hidden(request: Request) -> bool:
    return any(request.specs.get(key) for key in _HIDE) or bool(
        request.properties.get('img_hide_hypervisor_id')
    )


def _pci_policy(request: Request) -> PCINUMAAffinityPolicy | None:
    flavor: PCINUMAAffinityPolicy | None = request.specs.get(f'hw:{_PCI}')
    image: PCINUMAAffinityPolicy | None = request.properties.get(f'hw_{_PCI}')
    if flavor and image and flavor is not image:
        raise request.conflict(
            f'the flavor has hw:{_PCI}={flavor}, the image hw_{_PCI}={image}',
            f'hw_{_PCI}',
            f'hw:{_PCI}',
            hint='remove one or make them agree',
        )
    return flavor or image


def _quota(request: Request) -> CPUQuota:
    specs = request.specs
    return CPUQuota(
        shares=specs.get('quota:cpu_shares'),
        period_us=specs.get('quota:cpu_period'),
        quota_us=specs.get('quota:cpu_quota'),
    )

# SPDX-License-Identifier: Apache-2.0
"""What the rules ask of a domain again and again."""

from __future__ import annotations

from typing import Final

from rtvirt.libvirtxml.cputune import VCPUSched
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.cpuset import CPUSet

MAX_VCPUS: Final = 4096
"""KVM_MAX_VCPUS of x86: rules go through no more vCPUs or I/O threads."""

REALTIME = frozenset({'fifo', 'rr'})
"""The schedulers that never give way to an ordinary thread."""


def vcpu_count(domain: Domain) -> int:
    """Return how many vCPUs the domain has; libvirt's default is one."""
    return domain.vcpu.count if domain.vcpu else 1


def vcpu_range(domain: Domain) -> range:
    """Return the vCPUs to go through, whatever count a document gives."""
    return range(min(vcpu_count(domain), MAX_VCPUS))


def realtime_vcpus(domain: Domain) -> dict[int, VCPUSched]:
    """Return the vCPUs there are that have a real-time scheduler."""
    count = vcpu_count(domain)
    return {
        vcpu: sched
        for sched in domain.cputune.vcpuscheds
        if sched.scheduler in REALTIME
        for vcpu in sched.cpus
        if vcpu < count
    }


def is_realtime(domain: Domain) -> bool:
    """Whether the domain has a real-time vCPU."""
    return bool(realtime_vcpus(domain))


def pin_of(domain: Domain, vcpu: int) -> CPUSet | None:
    """Return the pCPUs of a vCPU; None where it may run anywhere."""
    pin = domain.cputune.vcpupins.get(vcpu)
    if pin is None and domain.vcpu:
        return domain.vcpu.cpuset
    return pin


def realtime_cpus(domain: Domain) -> CPUSet:
    """Return the pCPUs that real-time vCPUs are pinned to."""
    cpus = CPUSet()
    for vcpu in realtime_vcpus(domain):
        cpus |= pin_of(domain, vcpu) or CPUSet()
    return cpus


def dedicated_cpus(domain: Domain) -> CPUSet:
    """Return each pCPU that is the only one of a vCPU.

    That is how a dedicated vCPU is pinned.
    """
    cpus = CPUSet()
    for pin in domain.cputune.vcpupins.values():
        if len(pin) == 1:
            cpus |= pin
    return cpus


def emulator_cpus(domain: Domain) -> CPUSet | None:
    """Return the pCPUs of the emulator threads; None means anywhere."""
    pin = domain.cputune.emulatorpin
    if pin is None and domain.vcpu:
        return domain.vcpu.cpuset
    return pin


def iothread_ids(domain: Domain) -> frozenset[int]:
    """Return the ids of the I/O threads.

    Those that ``<iothreadids>`` does not name have the lowest ids free.
    """
    named = set(domain.iothreadids)
    count = max(min(domain.iothreads or 0, MAX_VCPUS), len(named))
    number = 1
    while len(named) < count:
        named.add(number)
        number += 1
    return frozenset(named)


def used_iothreads(domain: Domain) -> dict[str, int]:
    """Return the I/O thread of each device that names one."""
    used = {
        f'disk {disk.target.dev}': disk.driver.iothread
        for disk in domain.devices.disks
        if disk.driver.iothread is not None
    }
    for controller in domain.devices.controllers:
        if controller.driver.iothread is not None:
            name = f'controller {controller.type} {controller.index or 0}'
            used[name] = controller.driver.iothread
    return used

# SPDX-License-Identifier: Apache-2.0
"""What this machine lets one do, found out by trying."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import resource
from typing import Final

from rtvirt.host.facts.cpu import read_cpu_facts
from rtvirt.host.facts.directory import DirectoryTree

_X86: Final = frozenset({'x86_64', 'i686'})

# <linux/kvm.h>
_KVM_GET_API_VERSION: Final = 0xAE00
_KVM_CREATE_VM: Final = 0xAE01
_KVM_CREATE_VCPU: Final = 0xAE41
_KVM_API_VERSION: Final = 12


def kvm_trouble(device: str = '/dev/kvm') -> str:
    """Return why KVM cannot run a guest here; empty where it can.

    The device may be there without virtualization behind it: so a VM with
    a vCPU is made, and the processor asked.
    """
    with contextlib.ExitStack() as stack:

        def keep(handle: int) -> int:
            stack.callback(os.close, handle)
            return handle

        try:
            kvm = keep(os.open(device, os.O_RDWR | os.O_CLOEXEC))
            version = fcntl.ioctl(kvm, _KVM_GET_API_VERSION, 0)
            if version != _KVM_API_VERSION:
                return f'{device} speaks version {version} of its interface'
            vm = keep(fcntl.ioctl(kvm, _KVM_CREATE_VM, 0))
            keep(fcntl.ioctl(vm, _KVM_CREATE_VCPU, 0))
        except OSError as error:
            return f'{device}: {error.strerror}'
    if platform.machine() in _X86:
        cpu = read_cpu_facts(DirectoryTree())
        if cpu.has_flag('vmx', 'svm') is False:
            return (
                f'{device} answers, but the processor has neither vmx nor svm'
            )
    return ''


def memlock_trouble() -> str:
    """Return why memory cannot be locked here; empty where it can.

    libvirt lifts RLIMIT_MEMLOCK for a domain with ``<locked/>``. Root
    without CAP_SYS_RESOURCE, as in containers, may not do that.
    """
    before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, free)
    except (OSError, ValueError):
        return (
            f'RLIMIT_MEMLOCK cannot be raised from {before[1] >> 10} KiB: '
            'CAP_SYS_RESOURCE is missing'
        )
    resource.setrlimit(resource.RLIMIT_MEMLOCK, before)
    return ''

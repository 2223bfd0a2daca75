# SPDX-License-Identifier: Apache-2.0
"""The files inside a real-time guest that does not exist."""

from __future__ import annotations

from typing import Final

from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.host_files import CPU
from rtvirt.tests.host_files import HostFiles
from rtvirt.tests.tuned_host import RELEASE
from rtvirt.tests.tuned_host import Layout
from rtvirt.tests.tuned_host import tuned_host

GUEST: Final = Layout(
    nodes=1,
    cores=4,
    sockets=1,
    isolated=CPUSet.parse('2-3'),
    gib_per_node=4,
    gib_pages=1,
)
"""Four vCPUs, two of them real-time (``hw:cpu_realtime_mask=^0-1``)."""

_HOST_ONLY: Final = (
    '/etc/libvirt',
    '/etc/nova',
    '/etc/tuned',
    '/run/libvirt',
    '/sys/class/iommu',
    '/sys/fs/resctrl',
    '/sys/module',
)


def tuned_guest() -> HostFiles:
    """Make a guest that is tuned well."""
    guest = tuned_host(GUEST)
    for path in _HOST_ONLY:
        guest.remove(path)
    for path in list(guest.files):
        if 'cpufreq' in path or 'thermal' in path or '/cpuidle/' in path:
            guest.remove(path)
        elif path.endswith('/stat') and path.count('/') == 3:
            name = guest.text(path).partition('(')[2].partition(')')[0]
            if name in ('virtqemud', 'qemu-system-x86', 'vhost-20000'):
                guest.remove(path.removesuffix('/stat'))
    guest.write('/proc/misc', '228 hpet')
    guest.write(f'{CPU}/cpuidle/current_driver', 'haltpoll')
    guest.replace('/proc/cpuinfo', ' vmx', ' hypervisor')
    guest.write('/etc/tuned/active_profile', 'realtime-virtual-guest')
    guest.write(
        '/etc/tuned/realtime-virtual-guest-variables.conf',
        'isolated_cores=2-3',
    )
    guest.write('/sys/bus/virtio/drivers/virtio_balloon/module/version', '1')
    assert f'/boot/config-{RELEASE}' in guest.files
    return guest

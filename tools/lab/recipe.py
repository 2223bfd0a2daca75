# SPDX-License-Identifier: Apache-2.0
"""What the emulated host is made of, and the digest of that."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Final

from tools.lab.cache import digest

SUITE: Final = 'bookworm'
PYTHON: Final = '3.11'
"""Of that suite; wheels are chosen for it."""

KERNEL_PACKAGE: Final = 'linux-image-rt-amd64'
"""Depends on the newest PREEMPT_RT kernel; only that one is unpacked."""

PACKAGES: Final = (
    'busybox-static',
    'iproute2',
    'kmod',
    'libvirt-clients',
    'libvirt-daemon-driver-qemu',
    'libvirt-daemon-system',
    'numactl',
    'openssh-client',
    'openssh-server',
    'procps',
    'python3',
    'python3-libvirt',
    'qemu-system-x86',
    'rt-tests',
    'stress-ng',
    'tuned',
    'util-linux',
)

DISK_MODULES: Final = ('crc32c_generic', 'virtio_pci', 'virtio_blk', 'ext4')
"""What the initramfs loads; ext4 asks for the first without naming it."""

MODULES: Final = (
    *DISK_MODULES,
    *('virtio_net', 'virtio_rng', 'tun', 'kvm', 'kvm-amd'),
)
"""Kernel modules that are kept, with what they depend on."""

GUEST_PROGRAMS: Final = (
    *('/usr/bin/cyclictest', '/usr/bin/oslat', '/usr/bin/stress-ng'),
    *('/usr/bin/chrt', '/usr/bin/taskset'),
)

TOP: Final = Path(__file__).resolve().parents[2]
REQUIREMENTS: Final = TOP / 'requirements.txt'
HERE: Final = Path(__file__).parent
GUEST: Final = HERE / 'guest'
HOST: Final = HERE / 'host'
KERNEL_CONFIG: Final = HERE / 'kernel' / 'config'
KERNEL_BUILD: Final = HERE / 'kernel' / 'build'


class Kernel(enum.Enum):
    """A kernel that an emulated host boots."""

    RT = 'rt'
    """Debian's, with PREEMPT_RT."""

    GROUP_SCHEDULING = 'group-scheduling'
    """One with CONFIG_RT_GROUP_SCHED, which no kernel of Debian has."""


def image_digest() -> str:
    """Return a name for images that are made by this recipe."""
    return digest(
        (
            REQUIREMENTS,
            *(HERE / f'{name}.py' for name in ('recipe', 'image', 'bzimage')),
            *(HERE / f'{name}.py' for name in ('initramfs', 'rootfs')),
            HERE / 'debstrap.py',
            HOST / 'initrd',
            HOST / 'customize',
        )
    )


def kernel_digest() -> str:
    """Return a name for kernels that are built by this recipe."""
    return digest((KERNEL_CONFIG, KERNEL_BUILD, HERE / 'built_kernel.py'))

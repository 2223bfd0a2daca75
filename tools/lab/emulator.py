# SPDX-License-Identifier: Apache-2.0
"""The command line of the QEMU that emulates a host."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Final

from tools.lab.debstrap import require_program
from tools.lab.host.agent import PORT
from tools.lab.image import Image
from tools.lab.link import Link
from tools.lab.topology import Topology

LIBVIRT_PORT: Final = 16509
ROOT: Final = 'root.qcow2'

# KVM on a PREEMPT_RT kernel wants a constant TSC, which QEMU's processor does
# not promise; Linux takes it for granted on VMware, which it knows by the
# serial number, and only where it sees no other hypervisor.
_FIRMWARE: Final = ('-smbios', 'type=1,serial=VMware-lab')

# What the emulated processor does slowly, and what it has no use for.
_PARAMETERS: Final = (
    'console=ttyS0 quiet panic=-1 clearcpuid=rep_good apparmor=0 audit=0'
)


def command(
    topology: Topology,
    image: Image,
    directory: Path,
    parameters: str,
    *,
    link: Link | None = None,
) -> list[str | Path]:
    """Return the command that boots a host in a directory of its own.

    :param directory: with root.qcow2 and payload.img; QEMU makes
        console.log and the socket qmp in it.
    :param parameters: of the kernel, beside those that every host has.
    :param link: the network to another host.
    """
    network = ','.join(
        [
            'user,id=loopback,restrict=on',
            *(
                f'hostfwd=tcp:127.0.0.1:0-:{port}'
                for port in (PORT, LIBVIRT_PORT)
            ),
        ]
    )
    return [
        *(require_program('qemu-system-x86_64'), '-name', 'rtvirt-lab'),
        *('-display', 'none', '-nodefaults', '-no-user-config', '-no-reboot'),
        *('-uuid', str(uuid.uuid4()), '-machine', 'q35,usb=off'),
        *('-accel', 'tcg,thread=multi,tb-size=512', *_FIRMWARE),
        *_processors(topology),
        *_memory(topology),
        *('-kernel', image.kernel, '-initrd', image.initrd),
        *('-append', f'{_PARAMETERS} {topology.parameters} {parameters}'),
        *_disk(directory / ROOT, 'qcow2', read_only=False),
        *_disk(directory / 'payload.img', 'raw', read_only=True),
        *('-netdev', network),
        *('-device', 'virtio-net-pci,netdev=loopback,romfile='),
        *(link.network_card(directory) if link else ()),
        *('-object', 'rng-random,id=rng,filename=/dev/urandom'),
        *('-device', 'virtio-rng-pci,rng=rng'),
        *('-serial', f'file:{directory / "console.log"}'),
        *('-qmp', f'unix:{directory / "qmp"},server=on,wait=off'),
    ]


def _processors(topology: Topology) -> list[str]:
    """Return a machine with a socket for each cell, or one for all.

    Cells of different sizes are in one socket, as a firmware deals it out.
    """
    count = len(topology.cpus)
    uneven = len({len(cell) for cell in topology.cells}) > 1
    sockets = topology.sockets or (1 if uneven else len(topology.cells))
    cores = count // sockets // topology.threads
    return [
        # erms makes the emulator copy byte by byte.
        *('-cpu', f'max,-erms,{topology.processor}'),
        '-smp',
        f'{count},sockets={sockets},cores={cores},threads={topology.threads}',
    ]


def _memory(topology: Topology) -> list[str]:
    words = ['-m', f'{topology.memory_mib * len(topology.cells)}M']
    for number, cell in enumerate(topology.cells):
        cpus = ','.join(f'cpus={run}' for run in str(cell).split(','))
        words += [
            '-object',
            f'memory-backend-ram,id=cell{number},size={topology.memory_mib}M',
            '-numa',
            f'node,nodeid={number},{cpus},memdev=cell{number}',
        ]
    return words


def _disk(path: Path, form: str, *, read_only: bool) -> list[str]:
    switch = 'on' if read_only else 'off'
    drive = (
        f'file={path},if=none,id={path.stem},format={form},'
        f'read-only={switch},cache=unsafe'
    )
    device = f'virtio-blk-pci,drive={path.stem},num-queues=1'
    return ['-drive', drive, '-device', device]

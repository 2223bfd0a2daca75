# SPDX-License-Identifier: Apache-2.0
"""D: disks and the I/O threads that serve them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rtvirt.libvirtxml.disk import Disk
from rtvirt.libvirtxml.domain import Domain
from rtvirt.lint_rules.base import Flaw
from rtvirt.lint_rules.base import RuleGroup
from rtvirt.lint_rules.base import rule
from rtvirt.lint_rules.view import iothread_ids
from rtvirt.lint_rules.view import is_realtime
from rtvirt.lint_rules.view import used_iothreads
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Severity


@rule(
    'RL-D01',
    'Devices name I/O threads that exist',
    Severity.FATAL,
    subject='devices/disk/driver/@iothread',
    expected='an id of <iothreads> or <iothreadids>',
    why='libvirt refuses the document: "Disk iothread \'N\' not defined in '
    'iothreadid".',
    mend='raise <iothreads>',
)
def iothreads_exist(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for ids that are not there."""
    known = iothread_ids(domain)
    for name, number in used_iothreads(domain).items():
        if number not in known:
            yield Flaw(
                subject=name, actual=f'I/O thread {number} does not exist'
            )


@rule(
    'RL-D02',
    'Each I/O thread serves a device',
    Severity.WARNING,
    subject='iothreads',
    expected='a <driver iothread="N"> for each',
    why='An I/O thread that no device names does nothing; the work it was '
    'meant for stays in the emulator\'s main loop. nova 33 and 34 emit '
    'such documents.',
    mend='add iothread="N" to the <driver> of a virtio disk',
)
def iothreads_are_used(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for I/O threads that nothing names."""
    used = set(used_iothreads(domain).values())
    for number in sorted(iothread_ids(domain) - used):
        yield Flaw(actual=f'no device uses I/O thread {number}')


@iothreads_are_used.fixed_by
def _use_iothreads(domain: Domain) -> None:
    idle = sorted(iothread_ids(domain) - set(used_iothreads(domain).values()))
    if not idle:
        return
    disks = tuple(
        replace(disk, driver=replace(disk.driver, iothread=idle[0]))
        if _may_have_iothread(disk)
        else disk
        for disk in domain.devices.disks
    )
    if disks != domain.devices.disks:
        domain.devices = replace(domain.devices, disks=disks)


def _may_have_iothread(disk: Disk) -> bool:
    """Whether it is a virtio disk that the main loop serves."""
    return (
        disk.target.bus == 'virtio'
        and disk.driver.name == 'qemu'
        and disk.driver.iothread is None
    )


@rule(
    'RL-D03',
    'Disks of a real-time guest are paravirtual',
    Severity.WARNING,
    subject='devices/disk/target/@bus',
    expected='bus virtio or scsi',
    why='Each access to an emulated IDE or SATA disk leaves the vCPU for '
    'the main loop several times.',
    mend='set bus="virtio"',
)
def disks_are_virtio(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for emulated controllers."""
    if is_realtime(domain):
        for disk in domain.devices.disks:
            if disk.target.bus in {'ide', 'sata', 'usb', 'fdc'}:
                yield Flaw(
                    subject=f'disk {disk.target.dev}',
                    actual=f'bus {disk.target.bus}',
                )


RULES = RuleGroup(
    (
        iothreads_exist,
        iothreads_are_used,
        disks_are_virtio,
    )
)

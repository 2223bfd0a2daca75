# SPDX-License-Identifier: Apache-2.0
"""Devices that would disturb a real-time guest."""

from __future__ import annotations

from typing import Final

from rtvirt.libvirtxml.disk import Controller
from rtvirt.libvirtxml.disk import Disk
from rtvirt.libvirtxml.disk import Driver
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.memballoon import MemBalloon
from rtvirt.model.plan import Plan

_NO_BALLOON: Final = MemBalloon(model='none')


class DevicesConfigurator:
    """Takes the balloon away, and serves disks from the I/O threads.

    A balloon takes pages back that the guest then faults in again, and
    asks its vCPUs for statistics. An I/O thread does nothing unless a disk
    or a SCSI controller names it; what none serves is done by the emulator
    threads, under the lock that vCPUs wait for too.
    """

    owns = frozenset(
        {
            'devices/memballoon',
            'devices/disk/driver/@iothread',
            'devices/controller/driver/@iothread',
        }
    )

    def configure(self, plan: Plan, domain: Domain) -> None:
        realtime = bool(plan.realtime)
        devices = domain.devices
        balloon = devices.memballoon
        if realtime and (balloon is None or balloon.model != 'none'):
            balloon = _NO_BALLOON
        assign = _Assignment(plan.guest.iothreads, realtime)
        domain.devices = devices.but(
            disks=tuple([assign.to_disk(disk) for disk in devices.disks]),
            controllers=tuple(
                [assign.to_controller(it) for it in devices.controllers]
            ),
            memballoon=balloon,
        )


class _Assignment:
    """Deals out I/O threads, each in its turn, to what has none.

    :param count: of I/O threads.
    :param every: whether all that can have one gets one; else only what
        names one that there is not.
    """

    def __init__(self, count: int, every: bool) -> None:
        self._count = count
        self._every = every and count > 0
        self._dealt = 0

    def to_disk(self, disk: Disk) -> Disk:
        """Return a disk with its I/O thread."""
        # vhost-user serves its disks itself, in another process.
        able = disk.target.bus == 'virtio' and disk.type != 'vhostuser'
        if self._is_right(disk.driver, able):
            return disk
        return disk.but(driver=disk.driver.but(iothread=self._next()))

    def to_controller(self, controller: Controller) -> Controller:
        """Return a controller with its I/O thread."""
        able = controller.type == 'scsi' and (
            controller.model or ''
        ).startswith('virtio')
        if self._is_right(controller.driver, able):
            return controller
        return controller.but(
            driver=controller.driver.but(iothread=self._next())
        )

    def _is_right(self, driver: Driver, able: bool) -> bool:
        """Whether it has an I/O thread that there is, or need have none."""
        if driver.iothread is not None:
            return 1 <= driver.iothread <= self._count
        return not (self._every and able) or driver.iothreads

    def _next(self) -> int | None:
        if not self._count:
            return None
        self._dealt += 1
        return (self._dealt - 1) % self._count + 1

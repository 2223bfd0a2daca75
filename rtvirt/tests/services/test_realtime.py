# SPDX-License-Identifier: Apache-2.0
"""A real-time server, from the API down to the kernel's threads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from typing import ClassVar
from typing import Final

import fixtures
import pytest
from nova.virt.libvirt import guest as libvirt_guest

from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.qemu import find_guests
from rtvirt.host.qemu import observe
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.observed import ThreadRole
from rtvirt.tests.services.base import ServicesTestCase

TALK: Final = {
    'hw__cpu_policy': 'dedicated',
    'hw__cpu_realtime': 'yes',
    'hw__cpu_realtime_mask': '^0',
    'hw__mem_page_size': '2MB',
}
OWN: Final = {'rtvirt__priority': '42', 'rtvirt__iothreads': '2'}
MEMORY_MIB: Final = 512


class MovedVCPU(fixtures.Fixture):
    """Moves a vCPU of each guest right after it was started."""

    def __init__(self, number: int) -> None:
        self._number = number

    def _setUp(self) -> None:  # noqa: N802 - its name in fixtures
        launch = libvirt_guest.Guest.launch

        def launch_and_move(guest: Any, *args: Any, **kwargs: Any) -> Any:
            done = launch(guest, *args, **kwargs)
            tree = DirectoryTree()
            for thread in observe(tree, find_guests(tree)[guest.uuid]).threads:
                if (thread.role, thread.number) == (
                    ThreadRole.VCPU,
                    self._number,
                ):
                    os.sched_setaffinity(thread.tid, {0, 1})
                    os.sched_setscheduler(
                        thread.tid, os.SCHED_OTHER, os.sched_param(0)
                    )
            return done

        self.useFixture(
            fixtures.MockPatchObject(
                libvirt_guest.Guest, 'launch', launch_and_move
            )
        )


class Realtime(ServicesTestCase):
    """What must hold of every server of the talk's flavor."""

    def assert_realtime(self, server: Any, priority: int = 42) -> None:
        domain = self.domain(server)
        assert domain.memory_backing.locked
        assert domain.memory_backing.nosharepages
        (pages,) = domain.memory_backing.hugepages or ()
        assert pages.size_kib == 2048
        (sched,) = domain.cputune.vcpuscheds
        assert (sched.cpus, sched.scheduler) == (CPUSet([1]), 'fifo')
        assert sched.priority == priority
        assert domain.iothreads == 2
        balloon = domain.devices.memballoon
        assert balloon is not None
        assert balloon.model == 'none'
        assert all(d.driver.iothread for d in domain.devices.disks)
        plan = plan_of(domain)
        assert plan is not None
        assert plan.pins == domain.cputune.vcpupins
        self.assert_observed(server, domain, priority)

    def assert_observed(self, server: Any, domain: Any, priority: int) -> None:
        observed = self.observe(server)
        housekeeping, realtime = domain.cputune.vcpupins.values()
        # QEMU filled the pages with threads that are idle since.
        seen = {
            (thread.role, thread.number, thread.tid): thread.scheduling
            for thread in observed.threads
            if thread.role is not ThreadRole.PREALLOC
        }
        roles = {role for role, _number, _tid in seen}
        assert {ThreadRole.IOTHREAD, ThreadRole.EMULATOR} <= roles
        for (role, number, _tid), scheduling in seen.items():
            if (role, number) == (ThreadRole.VCPU, 1):
                assert scheduling.cpus == realtime
                assert scheduling.policy == 'fifo'
                assert scheduling.priority == priority
            else:
                assert scheduling.cpus == housekeeping, role
                assert scheduling.policy == 'other', role
        memory = observed.memory
        assert not isinstance(memory, Missing)
        assert memory.hugetlb_kib == MEMORY_MIB * 1024
        assert memory.locked_kib >= MEMORY_MIB * 1024


class TestLife(Realtime):
    """One server, all its life."""

    options: ClassVar[Mapping[str, Any]] = {'verify': 'enforce'}

    def test_life(self) -> None:
        flavor = self.add_flavor(2, MEMORY_MIB, **TALK, **OWN)
        server = self.boot(flavor)
        self.assert_realtime(server)
        assert 'The guest runs as planned' in self.stdlog.logger.output

        refused = self.boot(flavor, state='ERROR')
        assert 'No valid host' in refused['fault']['message']
        assert 'no allocation candidates' in self.stdlog.logger.output
        self._delete_server(refused)

        for deed in (self.reboot, self.rescue, self.unrescue, self.rebuild):
            before = self.observe(server).pid
            deed(server)
            self.assert_realtime(server)
            assert self.observe(server).pid != before, deed

        self._delete_server(server)
        assert not self.libvirt.listAllDomains()

    def reboot(self, server: Any) -> None:
        self._reboot_server(server, hard=True)

    def rescue(self, server: Any) -> None:
        image = {'rescue': {'rescue_image_ref': self.add_image()}}
        self.api.post_server_action(server['id'], image)
        self._wait_for_state_change(server, 'RESCUE')

    def unrescue(self, server: Any) -> None:
        self.api.post_server_action(server['id'], {'unrescue': None})
        self._wait_for_state_change(server, 'ACTIVE')

    def rebuild(self, server: Any) -> None:
        self._rebuild_server(server, self.add_image())


class TestResize(Realtime):
    """A server becomes a real-time one, and a plain one again."""

    dedicated = '1'
    shared = '0'
    options: ClassVar[Mapping[str, Any]] = {'verify': 'enforce'}

    def test_resize(self) -> None:
        plain = self.add_flavor(1, 64)
        mixed = {**TALK, **OWN, 'hw__cpu_policy': 'mixed'}
        server = self.boot(plain)
        assert plan_of(self.domain(server)) is None

        flavor = self.add_flavor(2, MEMORY_MIB, **mixed)
        self._resize_server(server, flavor)
        self.assert_realtime(server)

        server = self._revert_resize(server)
        domain = self.domain(server)
        assert plan_of(domain) is None
        assert not domain.cputune.vcpuscheds

        # More huge pages than there are, which placement does not count.
        hungry = self.add_flavor(1, 16 << 10, hw__mem_page_size='2MB')
        refused = self.boot(hungry, state='ERROR')
        assert 'No valid host' in refused['fault']['message']
        log = self.stdlog.logger.output
        assert 'No host is left: 1 host: ' in log


class TestProof(Realtime):
    """What was started and is not as planned does not stay."""

    options: ClassVar[Mapping[str, Any]] = {'verify': 'enforce'}

    def test_fault(self) -> None:
        flavor = self.add_flavor(2, MEMORY_MIB, **TALK, **OWN)
        self.useFixture(MovedVCPU(1))
        server = self.boot(flavor, state='ERROR')
        message = server['fault']['message']
        assert message.startswith('The real-time guest was stopped: vCPU 1: ')
        assert 'instead of FIFO 42; and 1 more' in message
        log = self.stdlog.logger.output
        for code in ('RV-T03', 'RV-S01'):
            assert f'Proof: {code} error: vCPU 1: ' in log
        assert not self.libvirt.listAllDomains()


class TestWithoutRTVirt(Realtime):
    """nova alone does not do it: the other tests can fail."""

    compute_driver = 'libvirt.LibvirtDriver'

    def test_life(self) -> None:
        flavor = self.add_flavor(2, MEMORY_MIB, **TALK, **OWN)
        server = self.boot(flavor)
        with pytest.raises(AssertionError):
            self.assert_realtime(server)
        (sched,) = self.domain(server).cputune.vcpuscheds
        assert sched.priority == 1

    def test_fault(self) -> None:
        flavor = self.add_flavor(2, MEMORY_MIB, **TALK, **OWN)
        self.useFixture(MovedVCPU(1))
        self.boot(flavor)

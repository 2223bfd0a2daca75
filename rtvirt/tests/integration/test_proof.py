# SPDX-License-Identifier: Apache-2.0
"""A planned guest runs as planned, and whatever is changed is found."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rtvirt.domain import domain_xml
from rtvirt.fitting.engine import fit
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.qemu import find_guests
from rtvirt.host.qemu import observe
from rtvirt.host.source import read_host
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ThreadRole
from rtvirt.model.plan import Plan
from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd
from rtvirt.tests.require import require
from rtvirt.verifiers.proof import prove_memory
from rtvirt.verifiers.proof import prove_threads
from rtvirt.verifiers.wanted import memory_of_plan
from rtvirt.verifiers.wanted import threads_of_plan

NAME = 'rt-proof'


class Running:
    """A guest that was planned and started."""

    def __init__(self, plan: Plan, domain: Any) -> None:
        self.plan = plan
        self.domain = domain
        self._tree = DirectoryTree()
        self._guest = find_guests(self._tree)[domain.UUIDString()]

    def observe(self) -> ObservedDomain:
        return observe(self._tree, self._guest)

    def tid(self, role: ThreadRole, number: int | None = None) -> int:
        (found,) = [
            thread.tid
            for thread in self.observe().threads
            if (thread.role, thread.number) == (role, number)
            and (role is not ThreadRole.EMULATOR or thread.tid == self.pid)
        ]
        return found

    @property
    def pid(self) -> int:
        return self._guest.pid

    def file(self, name: str) -> str:
        return Path(f'/proc/{self.pid}/{name}').read_text()

    def failures(self) -> list[str]:
        proofs = prove_threads(threads_of_plan(self.plan), self.observe())
        return [proof.subject for proof in proofs if not proof.ok]


@pytest.fixture(scope='module')
def running(
    daemon: PrivateLibvirtd, driver: Any, guest: GuestRequirement
) -> Running:
    require(len(os.sched_getaffinity(0)) >= 2, 'needs two CPUs')
    plan = fit(guest, read_host(daemon.uri))
    xml = domain_xml(plan, name=NAME, virt_type='qemu')
    return Running(plan, driver.createXML(xml))


def test_every_setting_is_what_the_kernel_says(running: Running) -> None:
    """Read without rtvirt's own readers, which could share its errors."""
    plan = running.plan
    (cell,) = plan.cells
    for vcpu, cpus in plan.pins.items():
        tid = running.tid(ThreadRole.VCPU, vcpu)
        assert os.sched_getaffinity(tid) == set(cpus)
        policy = os.SCHED_FIFO if vcpu in plan.realtime else os.SCHED_OTHER
        assert os.sched_getscheduler(tid) == policy
        priority = os.sched_getparam(tid).sched_priority
        assert priority == plan.priorities.get(vcpu, 0)
    assert os.sched_getaffinity(running.pid) == set(plan.emulator)
    io_thread = running.tid(ThreadRole.IOTHREAD, 1)
    assert os.sched_getaffinity(io_thread) == set(plan.iothreads[1])

    huge = re.findall(
        rf' bind:{cell.host_cell} .*huge.* N{cell.host_cell}=(\d+) '
        rf'kernelpagesize_kB={cell.page_size_kib}\n',
        running.file('numa_maps'),
    )
    assert sum(map(int, huge)) == cell.pages
    (locked,) = re.findall(r'VmLck:\s+(\d+) kB', running.file('status'))
    assert int(locked) >= cell.memory_mib * 1024
    assert 'mem-merge=off' in running.file('cmdline')


def test_the_proof_holds(running: Running) -> None:
    observed = running.observe()

    assert running.failures() == []
    memory = prove_memory(memory_of_plan(running.plan), observed.memory)
    assert memory.pages_ok
    assert memory.locked_ok
    roles = [t.role for t in observed.threads]
    assert roles.count(ThreadRole.VCPU) == 2
    assert roles.count(ThreadRole.IOTHREAD) == 1
    assert ThreadRole.EMULATOR in roles
    assert ThreadRole.MONITOR in roles


def _move(tid: int) -> None:
    here = os.sched_getaffinity(tid)
    os.sched_setaffinity(tid, os.sched_getaffinity(0) - here)


def _widen(tid: int) -> None:
    os.sched_setaffinity(tid, os.sched_getaffinity(0))


def _demote(tid: int) -> None:
    os.sched_setscheduler(tid, os.SCHED_OTHER, os.sched_param(0))


def _promote(tid: int) -> None:
    os.sched_setscheduler(tid, os.SCHED_FIFO, os.sched_param(2))


def _rotate(tid: int) -> None:
    os.sched_setscheduler(tid, os.SCHED_RR, os.sched_param(1))


@pytest.mark.parametrize(
    ('tamper', 'role', 'number', 'subject'),
    [
        (_move, ThreadRole.VCPU, 0, 'vCPU 0'),
        (_widen, ThreadRole.VCPU, 1, 'vCPU 1'),
        (_demote, ThreadRole.VCPU, 1, 'vCPU 1'),
        (_promote, ThreadRole.VCPU, 1, 'vCPU 1'),
        (_rotate, ThreadRole.VCPU, 1, 'vCPU 1'),
        (_promote, ThreadRole.VCPU, 0, 'vCPU 0'),
        (_move, ThreadRole.EMULATOR, None, 'emulator'),
        (_promote, ThreadRole.EMULATOR, None, 'emulator'),
        (_widen, ThreadRole.IOTHREAD, 1, 'I/O thread 1'),
        (_move, ThreadRole.MONITOR, None, 'monitor'),
    ],
)
def test_exactly_what_was_changed_is_found(
    running: Running,
    tamper: Callable[[int], None],
    role: ThreadRole,
    number: int | None,
    subject: str,
) -> None:
    tid = running.tid(role, number)
    cpus = os.sched_getaffinity(tid)
    policy = os.sched_getscheduler(tid)
    parameter = os.sched_getparam(tid)

    tamper(tid)
    assert running.failures() == [subject]

    os.sched_setaffinity(tid, cpus)
    os.sched_setscheduler(tid, policy, parameter)
    assert running.failures() == []

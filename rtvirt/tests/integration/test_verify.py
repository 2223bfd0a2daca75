# SPDX-License-Identifier: Apache-2.0
"""A guest is verified from outside, by the command that people call."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import pytest

from rtvirt.cli.app import main
from rtvirt.domain import domain_xml
from rtvirt.exception import HostError
from rtvirt.fitting.engine import fit
from rtvirt.host.running import read_running
from rtvirt.host.source import read_host
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.observed import ThreadRole
from rtvirt.model.plan import Plan
from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd
from rtvirt.tests.require import require
from rtvirt.tests.require import require_program

NAME = 'rt-verify'


class Running:
    """A guest that was planned and started, and the command about it."""

    def __init__(
        self,
        plan: Plan,
        domain: Any,
        uri: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.plan = plan
        self.domain = domain
        self.uri = uri
        self._capsys = capsys

    def verify(self, name: str = NAME) -> tuple[int, list[tuple[str, str]]]:
        """Return the exit code, and codes and subjects of findings."""
        code, findings = self.findings(name)
        return code, [(f['code'], f['subject']) for f in findings]

    def findings(self, name: str = NAME) -> tuple[int, list[dict[str, Any]]]:
        """Return the exit code and the findings."""
        code = main(
            ['domain', 'verify', name, '--connect', self.uri, '-f', 'json']
        )
        (domain,) = json.loads(self._capsys.readouterr().out)['domains']
        assert domain['name'] == NAME
        return code, domain['findings']

    def tid(self, role: ThreadRole, number: int | None) -> int:
        (running,) = read_running(self.uri, [NAME])
        return next(
            thread.tid
            for thread in running.observed.threads
            if (thread.role, thread.number) == (role, number)
        )


@pytest.fixture(scope='module')
def started(
    daemon: PrivateLibvirtd, driver: Any, guest: GuestRequirement
) -> tuple[Plan, Any]:
    require(len(os.sched_getaffinity(0)) >= 2, 'needs two CPUs')
    plan = fit(guest, read_host(daemon.uri))
    xml = domain_xml(plan, name=NAME, virt_type='qemu')
    return plan, driver.createXML(xml)


@pytest.fixture
def running(
    started: tuple[Plan, Any],
    daemon: PrivateLibvirtd,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Running]:
    """The guest, as it was before and as it must be after."""
    running = Running(*started, daemon.uri, capsys)
    assert running.verify() == (0, [])
    yield running
    assert running.verify() == (0, [])


Tamper = Callable[[int, Plan], None]


def _onto_realtime(tid: int, plan: Plan) -> None:
    os.sched_setaffinity(tid, plan.pins[min(plan.realtime)])


def _away(tid: int, plan: Plan) -> None:
    os.sched_setaffinity(tid, plan.emulator)


def _demote(tid: int, _plan: Plan) -> None:
    os.sched_setscheduler(tid, os.SCHED_OTHER, os.sched_param(0))


def _promote(tid: int, _plan: Plan) -> None:
    os.sched_setscheduler(tid, os.SCHED_FIFO, os.sched_param(2))


@pytest.mark.parametrize(
    ('tamper', 'role', 'number', 'code', 'subject'),
    [
        (_away, ThreadRole.VCPU, 1, 'RV-T03', 'vCPU 1'),
        (_demote, ThreadRole.VCPU, 1, 'RV-S01', 'vCPU 1'),
        (_promote, ThreadRole.VCPU, 1, 'RV-S02', 'vCPU 1'),
        (_onto_realtime, ThreadRole.EMULATOR, None, 'RV-T05', 'emulator'),
        (_onto_realtime, ThreadRole.IOTHREAD, 1, 'RV-T05', 'I/O thread 1'),
    ],
)
def test_exactly_what_was_changed_is_named(
    running: Running,
    tamper: Tamper,
    role: ThreadRole,
    number: int | None,
    code: str,
    subject: str,
) -> None:
    """And the command that the finding names mends it."""
    tamper(running.tid(role, number), running.plan)

    exit_code, (finding,) = running.findings()
    assert exit_code == 3
    assert (finding['code'], finding['subject']) == (code, subject)

    program, *arguments = shlex.split(finding['hint'])
    subprocess.run(
        [require_program(program), *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def test_what_libvirt_moved_is_not_as_planned(running: Running) -> None:
    """Document and kernel agree then: the plan alone knows better."""
    (planned,) = running.plan.pins[0]
    count = os.cpu_count() or 1
    every = tuple(True for _ in range(count))

    running.domain.pinVcpu(0, every)
    assert running.verify() == (3, [('RV-P02', 'vCPU 0')])

    running.domain.pinVcpu(0, tuple(i == planned for i in range(count)))


def test_all_that_run_are_read(running: Running) -> None:
    assert [r.domain.name for r in read_running(running.uri)] == [NAME]
    assert running.verify('--all') == (0, [])


def test_one_that_is_not_there_or_does_not_run(
    running: Running, driver: Any
) -> None:
    with pytest.raises(HostError, match='nobody'):
        read_running(running.uri, ['nobody'])
    xml = domain_xml(running.plan, name='asleep', virt_type='qemu')
    defined = driver.defineXML(xml)
    try:
        with pytest.raises(HostError, match='does not run'):
            read_running(running.uri, ['asleep'])
        assert [r.domain.name for r in read_running(running.uri)] == [NAME]
    finally:
        defined.undefine()

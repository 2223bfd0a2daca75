# SPDX-License-Identifier: Apache-2.0
"""A guest is verified from outside, by the command that people call."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import pytest

from rtvirt.cli.app import main
from rtvirt.domain import domain_xml
from rtvirt.exception import HostError
from rtvirt.fitting.engine import fit
from rtvirt.host.connection import connect
from rtvirt.host.running import read_running
from rtvirt.host.source import read_host
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ThreadRole
from rtvirt.model.observed import ThreadSource
from rtvirt.model.plan import Plan
from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd
from rtvirt.tests.require import require
from rtvirt.tests.require import require_program
from rtvirt.verifier import verify

NAME = 'rt-verify'


def is_of_others(uri: str, subject: str) -> bool:
    """Whether a finding is about a guest that no test here has started.

    Who shares a machine with tests may have guests on its pCPUs, and they
    are strangers indeed.
    """
    kind, _, name = subject.partition(' ')
    if kind != 'domain':
        return False
    with connect(uri) as connection:
        return name not in {d.name() for d in connection.listAllDomains()}


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
        found = domain['findings']
        mine = [f for f in found if not is_of_others(self.uri, f['subject'])]
        # The exit code speaks of all of them, ours or not.
        return code if mine == found or mine else 0, mine

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
    domain = driver.defineXML(xml)
    domain.create()
    return plan, domain


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


def plain_xml(name: str, cpu: int) -> str:
    """Return a small domain with its vCPU on a pCPU, made by hand."""
    return (
        f'<domain type="qemu"><name>{name}</name>'
        '<memory unit="MiB">32</memory><vcpu>1</vcpu>'
        f'<cputune><vcpupin vcpu="0" cpuset="{cpu}"/></cputune>'
        '<os><type arch="x86_64">hvm</type></os>'
        '<devices><controller type="usb" model="none"/></devices></domain>'
    )


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
    """Live document and kernel agree then: others know better."""
    (planned,) = running.plan.pins[0]
    count = os.cpu_count() or 1
    every = tuple(True for _ in range(count))

    running.domain.pinVcpu(0, every)
    assert running.verify() == (
        3,
        [('RV-L01', 'vCPU 0'), ('RV-P02', 'vCPU 0')],
    )

    running.domain.pinVcpu(0, tuple(i == planned for i in range(count)))


def test_a_domain_that_virsh_put_on_the_same_pcpu(
    running: Running, driver: Any
) -> None:
    (realtime,) = running.plan.pins[min(running.plan.realtime)]
    intruder = driver.createXML(plain_xml('intruder', realtime))
    try:
        code, (finding,) = running.findings()
        assert code == 3
        assert (finding['code'], finding['subject']) == (
            *('RV-X01', 'domain intruder'),
        )
        assert 'CPU 0/TCG' in finding['actual']
    finally:
        intruder.destroy()
    assert running.verify() == (0, [])


def test_two_domains_on_one_dedicated_pcpu(
    running: Running, driver: Any
) -> None:
    plan = running.plan
    (shared,) = plan.pins[min({*plan.pins} - {*plan.realtime})]
    neighbour = driver.createXML(
        plain_xml('neighbour', shared).replace(
            '</cputune>', f'<emulatorpin cpuset="{shared}"/></cputune>'
        )
    )
    try:
        assert running.verify() == (3, [('RV-X03', 'domain neighbour')])
    finally:
        neighbour.destroy()


def test_a_process_that_was_put_on_a_realtime_pcpu(running: Running) -> None:
    (realtime,) = running.plan.pins[min(running.plan.realtime)]
    with subprocess.Popen([require_program('sleep'), '600']) as sleeper:
        try:
            assert running.verify() == (0, [])
            os.sched_setaffinity(sleeper.pid, {realtime})
            subject = f'process sleep ({sleeper.pid})'
            assert running.verify() == (3, [('RV-X02', subject)])
        finally:
            sleeper.kill()


def test_a_persistent_document_that_was_changed(
    running: Running, driver: Any
) -> None:
    kept = running.domain.XMLDesc(2)
    changed = kept.replace(
        "scheduler='fifo' priority='1'", "scheduler='batch'"
    )
    assert changed != kept
    driver.defineXML(changed)
    try:
        assert running.verify() == (3, [('RV-L01', 'vCPU 1')])
    finally:
        driver.defineXML(kept)


def test_threads_are_known_from_the_notes_of_libvirt(
    running: Running,
) -> None:
    (found,) = read_running(running.uri, [NAME])
    assert found.observed.source is ThreadSource.LIBVIRT


def test_what_root_reads_is_all_there(running: Running) -> None:
    (found,) = read_running(running.uri, [NAME])
    observed = found.observed
    vcpus = [t for t in observed.threads if t.role is ThreadRole.VCPU]
    assert all(isinstance(t.involuntary_switches, int) for t in vcpus)
    assert all(isinstance(t.cgroup_cpus, CPUSet) for t in vcpus)
    assert isinstance(observed.memory, ObservedMemory)
    assert not isinstance(observed.memory.huge, Missing)
    assert {page.policy for page in observed.memory.huge} == {'bind:0'}
    plan = running.plan
    assert observed.memory.hugetlb_kib == plan.guest.memory_mib * 1024
    assert isinstance(observed.strangers, tuple)
    again = ObservedDomain.from_dict(
        json.loads(json.dumps(observed.to_dict()))
    )
    assert again == observed


def test_another_user_is_told_what_is_hidden(running: Running) -> None:
    """Threads may be seen by everybody, pages may not."""
    program = (
        'import json, os, sys\n'
        'from rtvirt.host.facts.directory import DirectoryTree\n'
        'from rtvirt.host.qemu import find_guests, observe\n'
        'os.setgroups([])\n'
        'os.setresgid(65534, 65534, 65534)\n'
        'os.setresuid(65534, 65534, 65534)\n'
        'tree = DirectoryTree()\n'
        'guest = find_guests(tree)[sys.argv[1]]\n'
        'json.dump(observe(tree, guest).to_dict(), sys.stdout)\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', program, running.domain.UUIDString()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    observed = ObservedDomain.from_dict(json.loads(done.stdout))
    (found,) = read_running(running.uri, [NAME])
    assert [t.scheduling for t in observed.threads] == [
        t.scheduling for t in found.observed.threads
    ]
    assert isinstance(observed.memory, ObservedMemory)
    assert isinstance(observed.memory.huge, Missing)
    assert not observed.memory.huge.is_absent
    codes = [f.code for f in verify(found.domain, observed)]
    assert codes == ['RV-M01']


def test_qemu_itself_is_asked_on_demand(running: Running) -> None:
    """The last of the tests of this guest: libvirt taints it for good."""
    (noted,) = read_running(running.uri, [NAME])
    (asked,) = read_running(running.uri, [NAME], ask=True)
    assert asked.observed.source is ThreadSource.QMP
    known = [(t.tid, t.role, t.number) for t in noted.observed.threads]
    assert known == [(t.tid, t.role, t.number) for t in asked.observed.threads]


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

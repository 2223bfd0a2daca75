# SPDX-License-Identifier: Apache-2.0
"""What is measured: this host, a guest of it, or a machine elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import Final

from rtvirt.exception import DomainXMLError
from rtvirt.exception import MeasureError
from rtvirt.host.connection import connect
from rtvirt.host.connection import load_libvirt
from rtvirt.host.connection import translated
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.facts.task import read_threads
from rtvirt.host.running import RunningDomain
from rtvirt.host.running import read_running
from rtvirt.latency.evidence import Target
from rtvirt.latency.evidence import Where
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.lint_rules.view import realtime_vcpus
from rtvirt.lint_rules.view import vcpu_count
from rtvirt.measure.agent import AgentShell
from rtvirt.measure.console import SHELL_S
from rtvirt.measure.console import console_shell
from rtvirt.measure.machine import Job
from rtvirt.measure.machine import Machine
from rtvirt.measure.process import LocalMachine
from rtvirt.measure.sampler import Watched
from rtvirt.measure.shell import ShellMachine
from rtvirt.measure.ssh import ssh_shell
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.finding import Finding
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ThreadRole
from rtvirt.model.plan import Plan
from rtvirt.verifier import verify

_START_S: Final = 2.0
_NONE: Final = CPUSet()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A machine to measure, and what this host knows of it.

    :ivar machine: runs the tool.
    :ivar cpus: what to measure unless somebody says otherwise.
    :ivar others: its CPUs that are not real-time, if there are both kinds.
    :ivar pins: of its CPUs the pCPU here, where there is just one.
    :ivar realtime: its real-time CPUs; None where nobody says.
    :ivar is_here: whether it runs on this host, which is then watched.
    :ivar is_guest: whether it has facts of its own beside the host's.
    :ivar watched: finds the threads that are not to be switched off, once
        the tool runs.
    """

    machine: Machine
    cpus: CPUSet
    realtime: CPUSet | None = None
    others: CPUSet = _NONE
    pins: Mapping[int, int]
    is_here: bool
    is_guest: bool
    is_emulated: bool = False
    watched: Callable[[Job], Iterable[Watched]] = lambda _: ()
    plan: Plan | None = None
    observed: ObservedDomain | None = None
    findings: tuple[Finding, ...] | None = None

    def target(self, cpus: CPUSet, realtime: CPUSet | None) -> Target:
        """Return what is measured of it."""
        return Target(
            where=self.machine.where,
            name=self.machine.name,
            cpus=cpus,
            realtime=self.realtime if realtime is None else realtime,
            pins={cpu: pcpu for cpu, pcpu in self.pins.items() if cpu in cpus},
            is_emulated=self.is_emulated,
        )


def local_subject(cpus: CPUSet) -> Subject:
    """Return this host."""
    return Subject(
        machine=LocalMachine(),
        cpus=cpus,
        pins={cpu: cpu for cpu in cpus},
        is_here=True,
        is_guest=False,
        watched=lambda job: _tool_threads(job, cpus),
    )


@contextlib.contextmanager
def ssh_subject(
    destination: str, options: Sequence[str], cpus: CPUSet
) -> Iterator[Subject]:
    """Return a machine elsewhere."""
    with ssh_shell(destination, options) as shell:
        yield Subject(
            machine=ShellMachine(shell),
            cpus=cpus,
            pins={},
            is_here=False,
            is_guest=True,
        )


@contextlib.contextmanager
def domain_subject(
    uri: str,
    name: str,
    via: Where,
    *,
    destination: str = '',
    options: Sequence[str] = (),
    console_timeout_s: float = SHELL_S,
) -> Iterator[Subject]:
    """Return a running domain of this host.

    :param via: the way into the guest.
    :param destination: for ssh.
    :param console_timeout_s: how long a shell on its serial console may
        take to answer.
    :raises HostError: if the domain is not there, or does not run.
    :raises MeasureError: if there is no such way into it.
    """
    (running,) = read_running(uri, [name])
    with contextlib.ExitStack() as stack:
        if via is Where.SSH:
            shell: Any = stack.enter_context(ssh_shell(destination, options))
        elif via is Where.AGENT:
            shell = _agent(stack, uri, name)
        else:
            path = _console_path(running.domain)
            shell = stack.enter_context(
                console_shell(name, path, console_timeout_s)
            )
        yield _guest(ShellMachine(shell), running)


def _guest(machine: Machine, running: RunningDomain) -> Subject:
    domain, observed = running.domain, running.observed
    threads = {
        thread.number: thread
        for thread in observed.threads
        if thread.role is ThreadRole.VCPU and thread.number is not None
    }
    pins = {
        number: next(iter(thread.scheduling.cpus))
        for number, thread in threads.items()
        if len(thread.scheduling.cpus) == 1
    }
    realtime = CPUSet(realtime_vcpus(domain))
    every = CPUSet(range(vcpu_count(domain)))
    watched = [
        Watched(pid=observed.pid, tid=threads[number].tid, cpu=pcpu)
        for number, pcpu in pins.items()
    ]
    try:
        plan = plan_of(domain)
    except DomainXMLError:
        # One that cannot be read is for "domain verify" to complain about.
        plan = None
    return Subject(
        machine=machine,
        cpus=realtime or every,
        others=every - realtime if realtime else _NONE,
        realtime=realtime or None,
        pins=pins,
        is_here=True,
        is_guest=True,
        is_emulated=domain.virt_type == 'qemu',
        watched=lambda _: watched,
        plan=plan,
        observed=observed,
        findings=verify(domain, observed),
    )


def _agent(stack: contextlib.ExitStack, uri: str, name: str) -> AgentShell:
    load_libvirt()
    import libvirt_qemu  # noqa: PLC0415 - it comes with libvirt-python

    connection = stack.enter_context(connect(uri, read_only=False))
    with translated(f'cannot find domain {name!r:.80}'):
        domain = connection.lookupByName(name)
    return AgentShell(domain, libvirt_qemu.qemuAgentCommand)


def _console_path(domain: Domain) -> str:
    """Return the pty of a running domain's first serial port.

    :raises MeasureError: if it has none.
    """
    devices = domain.devices
    ports = [(port.type, port.path) for port in devices.serials]
    ports += [(port.type, port.path) for port in devices.consoles]
    for kind, path in ports:
        if kind == 'pty' and path:
            return path
    raise MeasureError(
        f'domain {domain.name!r:.80} has no serial console that can be '
        'talked to',
        hint="give it <serial type='pty'/>, or use --via agent or --ssh",
    )


def _tool_threads(job: Job, cpus: CPUSet) -> list[Watched]:
    """Return the measuring threads of a tool, each bound to one CPU."""
    pid = job.process_id()
    if pid is None:
        return []
    tree = DirectoryTree()
    deadline = time.monotonic() + _START_S
    while True:
        found = [
            Watched(pid=pid, tid=task.tid, cpu=next(iter(task.allowed)))
            for task in read_threads(tree, pid)
            if len(task.allowed) == 1 and task.allowed <= cpus
        ]
        if len(found) >= len(cpus) or time.monotonic() > deadline:
            return found
        time.sleep(0.05)

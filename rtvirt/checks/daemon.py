# SPDX-License-Identifier: Apache-2.0
"""A: libvirt's daemon and what it is allowed to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.libvirt import CAP_SYS_NICE
from rtvirt.model.facts.libvirt import CAP_SYS_RESOURCE
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity

_SOCKETS: Final = frozenset({'virtqemud-sock', 'libvirt-sock'})
_DAEMONS: Final = frozenset({'virtqemud', 'libvirtd'})


@check(
    'RT-A03',
    'libvirt can be reached',
    Severity.FATAL,
    reads=('/run/libvirt', '/proc/*/comm'),
    expected='a socket of virtqemud or libvirtd, or the daemon running',
    why='Guests are started and pinned by libvirt\'s QEMU driver. systemd '
    'starts it through its socket when somebody connects, so either the '
    'socket or the daemon has to be there.',
    source='libvirt: daemons.html',
    mend='systemctl enable --now virtqemud.socket (libvirtd.socket where '
    'the daemon is the monolithic one)',
    safety=Safety.LIVE,
)
def reachable(facts: HostFacts) -> Iterator[Answer]:
    """Look for a socket, then for the process."""
    sockets, running = facts.libvirt.sockets, facts.service.running
    if not isinstance(sockets, Missing) and _SOCKETS & set(sockets):
        return
    hidden = list(unreadable(sockets))
    if hidden:
        yield from hidden
    elif isinstance(running, Missing):
        yield undecided(running)
    elif not _DAEMONS & set(running):
        yield Answer(actual='neither a socket nor a daemon')


@check(
    'RT-A05',
    'The control group controllers of libvirt are there',
    Severity.WARNING,
    reads=('/sys/fs/cgroup/cgroup.controllers', '/proc/cgroups'),
    expected='cpu, cpuset, memory',
    why='libvirt confines vCPU and emulator threads through the cpuset '
    'controller and shares CPU time and memory through the others. What is '
    'missing is left out in silence: pins then rest on affinities alone.',
    source='libvirt: cgroups.html; virt-host-validate qemu',
    mend='do not boot with cgroup_disable=; on cgroup v2 let systemd '
    'delegate the controllers to machine.slice',
    safety=Safety.REBOOT,
)
def controllers(facts: HostFacts) -> Iterator[Answer]:
    """Compare with those the kernel offers."""
    offered = facts.cgroup.controllers
    if isinstance(offered, Missing):
        yield undecided(offered)
        return
    lacking = [c for c in ('cpu', 'cpuset', 'memory') if c not in offered]
    if lacking:
        yield Answer(actual=f'lacks {", ".join(lacking)}')


@check(
    'RT-A08',
    'libvirt may lock the memory of guests',
    Severity.ERROR,
    reads=('/proc/*/limits of virtqemud', '/proc/*/status of virtqemud'),
    expected='unlimited locked memory, or CAP_SYS_RESOURCE',
    why='Real-time guests have <locked/>, for which libvirt raises '
    'RLIMIT_MEMLOCK of QEMU. A daemon that may not raise it cannot start '
    'them: "cannot limit locked memory of process".',
    source='libvirt: formatdomain (memoryBacking/locked); '
    'virProcessSetMaxMemLock',
    mend='run the daemon with CAP_SYS_RESOURCE, or with '
    'LimitMEMLOCK=infinity in its unit',
    safety=Safety.DISRUPTIVE,
)
def locked_memory(facts: HostFacts) -> Iterator[Answer]:
    """Read the daemon's limit and its capabilities."""
    limit, capabilities = (
        facts.libvirt.memlock_bytes,
        facts.libvirt.capabilities,
    )
    if isinstance(limit, Missing) or isinstance(capabilities, Missing):
        yield from unreadable(limit, capabilities)
    elif limit >= 0 and not capabilities & CAP_SYS_RESOURCE:
        yield Answer(actual=f'at most {limit} bytes, without CAP_SYS_RESOURCE')


@check(
    'RT-A09',
    'libvirt may set real-time schedulers',
    Severity.FATAL,
    reads=('/proc/*/status of virtqemud',),
    expected='CAP_SYS_NICE among the effective capabilities',
    why='To put a vCPU thread under SCHED_FIFO takes CAP_SYS_NICE. A daemon '
    'without it (a rootless one, or one in a container) fails to start the '
    'guest: "Cannot set scheduler parameters".',
    source='sched_setscheduler(2); kubevirt#8750',
    mend='run the daemon as root with CAP_SYS_NICE',
    safety=Safety.DISRUPTIVE,
)
def scheduler_capability(facts: HostFacts) -> Iterator[Answer]:
    """Read the daemon's capabilities."""
    capabilities = facts.libvirt.capabilities
    if isinstance(capabilities, Missing):
        yield from unreadable(capabilities)
    elif not capabilities & CAP_SYS_NICE:
        yield Answer(actual=f'CapEff {capabilities:016x}')


CHECKS = CheckGroup(
    (reachable, controllers, locked_memory, scheduler_capability)
)

# SPDX-License-Identifier: Apache-2.0
"""The kernel's files of the processes of domains that do not exist.

Each domain that runs has a QEMU whose threads are where libvirt would have
put them by its document, and whose memory lies there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Final

import rtvirt
from rtvirt.host.facts.tree import MappingTree
from rtvirt.host.holding import holder_of
from rtvirt.model.facts.task import Policy
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.model.pages import ORDINARY_KIB
from rtvirt.testing.driver import Driver
from rtvirt.verifiers.wanted import memory_of_domain
from rtvirt.verifiers.wanted import threads_of_domain

_FIRST: Final = 10000
_STEP: Final = 4096
"""Threads that a domain has at most."""

_QEMU: Final = 'qemu-system-x86'
_NAMES: Final = {
    ThreadRole.VCPU: 'CPU {}/KVM',
    ThreadRole.IOTHREAD: 'IO iothread{}',
    ThreadRole.EMULATOR: _QEMU,
}
_CGROUP: Final = '/machine.slice'
_MOUNT: Final = '/sys/fs/cgroup'

# Where /proc/PID/stat has what, counted from its third field.
_STAT_FIELDS: Final = 50
_STAT_PROCESSOR: Final = 36


def process_tree(drivers: Iterable[Driver]) -> MappingTree:
    """Return the files of the machine whose domains these run."""
    files: dict[str, bytes] = {}
    pid = _FIRST
    for driver in drivers:
        cells = driver.host.cells
        every = rtvirt.CPUSet(cpu for cell in cells for cpu in cell.cpus)
        files |= _machine(driver.host, every)
        for record, domain in driver.running():
            files |= _process(
                domain, driver.bare, pid, every, moved=record.moved
            )
            pid += _STEP
    return MappingTree(files)


def _machine(
    host: rtvirt.HostTopology, every: rtvirt.CPUSet
) -> dict[str, bytes]:
    """Return what there is without domains: process 1 and the groups."""
    dedicated = {cpu for cell in host.cells for cpu in cell.dedicated}
    # Nobody else runs where guests are to be alone.
    home = rtvirt.CPUSet(every - dedicated) or every
    return {
        **_thread(1, 1, 'systemd', Scheduling(cpus=home)),
        '/proc/mounts': f'cgroup2 {_MOUNT} cgroup2 rw 0 0\n'.encode(),
        f'{_MOUNT}{_CGROUP}/cpuset.cpus.effective': f'{every}\n'.encode(),
    }


def _process(
    domain: rtvirt.Domain,
    host: rtvirt.HostTopology,
    pid: int,
    every: rtvirt.CPUSet,
    moved: Mapping[int | None, rtvirt.CPUSet],
) -> dict[str, bytes]:
    """Return the files of the QEMU of a domain."""
    threads = threads_of_domain(domain)
    memory, maps = _memory(domain, host)
    tid = pid
    files: dict[str, bytes] = {}
    wanted = [((ThreadRole.EMULATOR, None), threads.main)]
    for (role, number), scheduling in [*wanted, *threads.numbered.items()]:
        name = _NAMES[role].format(number)
        is_moved = role is ThreadRole.VCPU and number in moved
        cpus = moved[number] if is_moved else scheduling.cpus or every
        files |= _thread(
            pid,
            tid,
            name,
            dataclasses.replace(scheduling, cpus=cpus),
            memory=memory,
        )
        tid += 1
    command = (_QEMU, '-name', f'guest={domain.name}', '-uuid', domain.uuid)
    files[f'/proc/{pid}/cmdline'] = '\0'.join(
        [*map(str, command), ''],
    ).encode()
    files[f'/proc/{pid}/numa_maps'] = maps.encode()
    return files


def _thread(
    pid: int,
    tid: int,
    name: str,
    scheduling: Scheduling,
    *,
    memory: str = '',
) -> dict[str, bytes]:
    """Return the files of a thread as proc_pid_stat(5) has them."""
    cpus = scheduling.cpus
    last, policy = min(cpus), Policy[scheduling.policy.upper()].value
    fields = ['S', *['0'] * (_STAT_FIELDS - 1)]
    fields[_STAT_PROCESSOR : _STAT_PROCESSOR + 3] = [
        str(value) for value in (last, scheduling.priority, policy)
    ]
    stat = f'{tid} ({name}) {" ".join(fields)}\n'.encode()
    status = (
        f'Name:\t{name}\n{memory}Cpus_allowed_list:\t{cpus}\n'
        'nonvoluntary_ctxt_switches:\t0\n'
    ).encode()
    files = {f'/proc/{pid}/task/{tid}/cgroup': f'0::{_CGROUP}\n'.encode()}
    for path in (f'/proc/{pid}', f'/proc/{pid}/task/{tid}'):
        if pid == tid or path.endswith(f'/task/{tid}'):
            files |= {f'{path}/stat': stat, f'{path}/status': status}
    if pid == tid:
        files[f'/proc/{pid}/comm'] = f'{name}\n'.encode()
    return files


def _memory(
    domain: rtvirt.Domain, host: rtvirt.HostTopology
) -> tuple[str, str]:
    """Return the amounts of a process's status, and its numa_maps."""
    wanted = memory_of_domain(domain)
    huge_kib = resident_kib = 0
    lines: list[str] = []
    for one in holder_of(domain, host).holdings:
        kib = one.pages * one.page_size_kib
        if not kib:
            continue
        is_huge = one.page_size_kib > ORDINARY_KIB
        if is_huge:
            huge_kib += kib
        else:
            resident_kib += kib
        policy = f'bind:{one.host_cell}' if wanted.nodes else 'default'
        lines.append(
            f'7f{len(lines):08x} {policy} {"huge" if is_huge else "anon"} '
            f'N{one.host_cell}={one.pages} '
            f'kernelpagesize_kB={one.page_size_kib}\n'
        )
    locked = wanted.memory_kib if wanted.locked else 0
    amounts = {
        'VmLck': locked,
        'VmRSS': resident_kib,
        'HugetlbPages': huge_kib,
    }
    status = ''.join(f'{name}:\t{kib} kB\n' for name, kib in amounts.items())
    return status, ''.join(lines)

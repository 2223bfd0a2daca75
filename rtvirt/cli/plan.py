# SPDX-License-Identifier: Apache-2.0
"""``rtvirt plan``: where the threads and the memory of a guest go."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from rtvirt.cli.base import Show
from rtvirt.cli.column import CPUs
from rtvirt.cli.column import KiB
from rtvirt.cli.column import MiB
from rtvirt.cli.column import count
from rtvirt.cli.picture import add_picture
from rtvirt.cli.picture import map_of
from rtvirt.cli.picture import write_picture
from rtvirt.cli.placement import add_plan
from rtvirt.cli.placement import make_plan
from rtvirt.cli.refusal import emitted_refusal
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import Scheduler
from rtvirt.model.host import HostTopology
from rtvirt.model.plan import Plan
from rtvirt.report.occupancy import occupy
from rtvirt.report.occupant import Occupant

_SCHEMA_VERSION = 1

_THREADS = {
    'thread': 'Thread',
    'guest_cell': 'Cell',
    'host_cell': 'Host cell',
    'cpus': 'pCPUs',
    'siblings': 'Shares with',
    'scheduler': 'Policy',
    'priority': 'Priority',
}
_MEMORY = {
    'guest_cell': 'Cell',
    'host_cell': 'Host cell',
    'memory_mib': 'Memory',
    'page_size_kib': 'Page size',
    'pages': 'Pages',
}


class ShowPlan(Show):
    """Place a guest on a host.

    Prints where every thread of the guest runs and which pages back its
    memory, or one reason per line why no host cell will do; then the exit
    code is 4. Nothing is changed on the host.
    """

    example = """\
Example: the sample flavor on a host that keeps pCPUs 0-1 for itself::

    rtvirt plan --flavor rt1.small.yaml --dedicated 2-7 --shared 0-1

Below the tables it draws the host cells that the guest is on. --svg draws all
of the host::

    rtvirt plan --flavor rt1.small.yaml --dedicated 2-7 --svg plan.svg

With -f json it prints the plan as Plan.from_dict() of the library reads it;
if the guest does not fit, an object with the list "reasons".
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of a plan, and the picture."""
        add_plan(parser)
        add_picture(parser)

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Make the plan."""
        with emitted_refusal(self, parsed_args):
            plan, host = make_plan(parsed_args)
        headline = _headline(plan, host)
        write_picture(parsed_args, host, plan, title=headline)
        return Report(
            document=plan.to_dict(),
            headline=headline,
            tables=(_threads(plan, host), _memory(plan), _control(plan)),
            lines=map_of(host, plan) if plan.cells else None,
        )


def _headline(plan: Plan, host: HostTopology) -> str:
    guest = plan.guest
    where = f' on {host.name}' if host.name else ''
    if not plan.cells:
        return f'{guest.name}{where}: floats, nothing is pinned'
    realtime = (
        f'real-time are {plan.realtime}'
        if plan.realtime
        else ('none of them real-time')
    )
    return f'{guest.name}{where}: {count(guest.vcpus, "vCPU")}, {realtime}'


def _threads(plan: Plan, host: HostTopology) -> Table:
    return Table(
        title='Threads',
        columns=_THREADS,
        rows=[*_thread_rows(plan, host)],
    )


def _thread_rows(plan: Plan, host: HostTopology) -> Iterator[list[Any]]:
    guest = plan.guest
    cores = _Cores(plan, host)
    for cell in plan.cells:
        for vcpu, cpus in cell.pins.items():
            priority = plan.priorities.get(vcpu)
            yield [
                f'vCPU {vcpu}',
                cell.guest_cell,
                cell.host_cell,
                CPUs(cpus),
                cores.siblings(cpus),
                None if priority is None else str(guest.scheduler),
                priority,
            ]
    if not plan.cells:
        vcpus = CPUSet(range(guest.vcpus))
        yield [f'vCPU {vcpus}', None, None, CPUs(plan.floating), *[None] * 3]
    helpers = {'emulator': plan.emulator}
    helpers |= {f'I/O {n}': cpus for n, cpus in plan.iothreads.items()}
    for thread, cpus in helpers.items():
        priority = guest.emulator_priority if thread == 'emulator' else 0
        yield [
            thread,
            None,
            None,
            CPUs(cpus),
            cores.siblings(cpus, cores.company(cpus)),
            str(Scheduler.FIFO) if priority else None,
            priority or None,
        ]


def _memory(plan: Plan) -> Table:
    return Table(
        title='Memory',
        columns=_MEMORY,
        rows=[
            [
                cell.guest_cell,
                cell.host_cell,
                MiB(cell.memory_mib),
                KiB(cell.page_size_kib),
                cell.pages,
            ]
            for cell in plan.cells
        ],
    )


def _control(plan: Plan) -> Table:
    """Return the parts of caches and of memory bandwidth."""
    parts: list[list[Any]] = [
        [f'L{part.level} cache {part.bank}', KiB(part.size_kib), part.type]
        for part in plan.caches
    ]
    parts += [
        [f'memory bandwidth {node}', f'{percent} %', None]
        for node, percent in plan.memory_bandwidth.items()
    ]
    return Table(
        title='For the real-time vCPUs alone',
        columns={'resource': 'Resource', 'part': 'Part', 'type': 'Holds'},
        rows=parts,
    )


class _Cores:
    """Who runs where, and beside whom."""

    def __init__(self, plan: Plan, host: HostTopology) -> None:
        self._cores = [core for cell in host.cells for core in cell.siblings]
        self._spots = occupy(host, [Occupant.of_plan(plan)]).spots

    def company(self, cpus: CPUSet) -> str:
        """Return which vCPUs have these pCPUs for their own."""
        vcpus = CPUSet(
            seat.number
            for cpu in cpus
            if cpu in self._spots
            for seat in self._spots[cpu].vcpus
            if seat.number is not None
        )
        return f'vCPU {vcpus}' if vcpus else ''

    def siblings(self, cpus: CPUSet, company: str = '') -> CPUs:
        """Return the other threads of a pCPU's core and who is there.

        :param company: who is on the same pCPUs; that is worth more.
        """
        if company or len(cpus) != 1:
            return CPUs(CPUSet(), company)
        for core in self._cores:
            if cpus < core:
                others = core - cpus
                words = [self._spots[cpu].word for cpu in others]
                return CPUs(others, f'({", ".join(words)})')
        return CPUs(CPUSet())

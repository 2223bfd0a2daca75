# SPDX-License-Identifier: Apache-2.0
"""``rtvirt host``: what a host has, and what of it is taken."""

from __future__ import annotations

import argparse
from typing import Final

from rtvirt.cli.base import Show
from rtvirt.cli.column import CPUGroups
from rtvirt.cli.column import CPUs
from rtvirt.cli.column import KiB
from rtvirt.cli.column import MiB
from rtvirt.cli.column import count
from rtvirt.cli.column import format_kib
from rtvirt.cli.picture import add_picture
from rtvirt.cli.picture import write_picture
from rtvirt.cli.placement import add_host
from rtvirt.cli.placement import effective_settings
from rtvirt.cli.placement import read_topology
from rtvirt.cli.placement import source_of
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.report.occupancy import core_groups

_CELLS: Final = {
    'cell': 'Cell',
    'dedicated': 'Dedicated',
    'taken': 'Taken',
    'free': 'Free',
    'shared': 'Shared',
    'shared_vcpus': 'vCPUs there',
    'memory_mib': 'Memory',
    'memory_used_mib': 'Used',
}
_CORES: Final = {
    'cell': 'Cell',
    'socket': 'Socket',
    'l3': 'L3 cache',
    'cpus': 'pCPUs',
    'cores': 'Cores, each with its siblings',
}
_PAGES: Final = {
    'cell': 'Cell',
    'page_size_kib': 'Page size',
    'total': 'Total',
    'used': 'Used',
    'reserved': 'Reserved',
    'free': 'Free',
}
_CACHES: Final = {
    'bank': 'L3 cache',
    'cpus': 'pCPUs',
    'size_kib': 'Size',
    'used_kib': 'Used',
    'granularity_kib': 'Step',
    'max_groups': 'Groups',
}


class ShowHost(Show):
    """Show what a host has and what of it is taken.

    Prints its cells with their dedicated, taken and shared pCPUs, its cores
    with their siblings and L3 caches, and its pages of each size. The host
    is read from libvirt, from sysfs where no libvirt answers, or
    from a file with the capabilities XML of another host.
    """

    example = """\
Example::

    rtvirt host show --dedicated 2-7 --shared 0-1
    virsh -c qemu+ssh://compute7/system capabilities > compute7.xml
    rtvirt host show --host compute7.xml

Draw it, with the domains that are there::

    rtvirt host show --host qemu:///system --svg host.svg

With -f json it prints what HostTopology.from_dict() of the library reads.
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the host, and the picture."""
        add_host(parser)
        add_picture(parser)

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Read the host."""
        settings = effective_settings(parsed_args)
        host = read_topology(parsed_args, settings)
        if parsed_args.svg is not None:
            # What can read any host takes its time to import.
            from rtvirt.host.source import read_domains  # noqa: PLC0415

            domains = read_domains(source_of(parsed_args, settings))
            write_picture(parsed_args, host, domains=domains)
        return Report(
            document=host.to_dict(),
            headline=_headline(host),
            tables=(_cells(host), _cores(host), _pages(host), _caches(host)),
        )


def _headline(host: HostTopology) -> str:
    cpus = sum(len(cell.cpus) for cell in host.cells)
    cores = sum(len(cell.siblings) for cell in host.cells)
    memory = format_kib(sum(cell.memory_mib for cell in host.cells) * 1024)
    text = (
        f'{host.name or "this host"}: {count(len(host.cells), "cell")}, '
        f'{count(cores, "core")}, {count(cpus, "pCPU")}, {memory}'
    )
    if host.shared and host.shared == _dedicated(host):
        text += ' (neither set given: each pCPU is in both)'
    return text


def _dedicated(host: HostTopology) -> CPUSet:
    return CPUSet(cpu for cell in host.cells for cpu in cell.dedicated)


def _cells(host: HostTopology) -> Table:
    return Table(
        title='Cells',
        columns=_CELLS,
        optional={'shared_vcpus', 'memory_used_mib'},
        rows=[
            [
                cell.id,
                CPUs(cell.dedicated),
                CPUs(cell.pinned),
                CPUs(cell.free),
                CPUs(cell.shared),
                cell.shared_usage,
                MiB(cell.memory_mib),
                MiB(cell.memory_used_mib),
            ]
            for cell in host.cells
        ],
    )


def _cores(host: HostTopology) -> Table:
    """Return a row for each L3 of a cell, and one for cores without."""
    return Table(
        title='Cores',
        columns=_CORES,
        optional={'socket'},
        rows=[
            [
                cell.id,
                cell.socket,
                group.bank,
                CPUs(group.cpus),
                CPUGroups(group.cores),
            ]
            for cell in host.cells
            for group in core_groups(host, cell)
        ],
    )


def _pages(host: HostTopology) -> Table:
    return Table(
        title='Pages',
        columns=_PAGES,
        rows=[
            [
                cell.id,
                KiB(pool.size_kib),
                pool.total,
                pool.used,
                pool.reserved,
                pool.free,
            ]
            for cell in host.cells
            for pool in cell.pages
        ],
    )


def _caches(host: HostTopology) -> Table:
    """Return the caches that can be shared out."""
    return Table(
        title='Cache allocation',
        columns=_CACHES,
        optional={'used_kib'},
        rows=[
            [
                bank.id,
                CPUs(bank.cpus),
                KiB(bank.size_kib),
                KiB(bank.used_kib),
                KiB(bank.granularity_kib),
                bank.max_groups,
            ]
            for bank in host.caches
            if bank.granularity_kib
        ],
    )

# SPDX-License-Identifier: Apache-2.0
"""``rtvirt flavor``: what flavors ask for, and what they may ask for."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any
from typing import Final

from rtvirt.cli.base import Show
from rtvirt.cli.column import CPUs
from rtvirt.cli.column import KiB
from rtvirt.cli.column import MiB
from rtvirt.cli.column import count
from rtvirt.cli.column import format_kib
from rtvirt.cli.guest import add_image
from rtvirt.cli.guest import read_guest
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.extraspecs.catalog import SPECS
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.plain import dump

_SCHEMA_VERSION: Final = 1

_CELLS: Final = {
    'cell': 'Cell',
    'vcpus': 'vCPUs',
    'dedicated': 'Dedicated',
    'shared': 'Shared',
    'realtime': 'Real-time',
    'memory_mib': 'Memory',
    'page_size': 'Page size',
}
_SPECS: Final = {
    'name': 'Name',
    'kind': 'Type',
    'expected': 'Values',
    'default': 'Default',
    'description': 'What it asks for',
    'effect': 'What rtvirt does',
    'since': 'Since',
    'source': 'Source',
}
_BRIEF: Final = ('name', 'kind', 'description')


class ShowFlavor(Show):
    """Show what a flavor asks for, cell by cell.

    The flavor and the image are checked as nova checks them: what nova would
    refuse is refused with the key, its value and what was expected.
    """

    example = """\
Example::

    rtvirt flavor show rt1.small.yaml
    openstack flavor show -f json rt1.small | rtvirt flavor show -
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the flavor and the image."""
        parser.add_argument(
            'flavor',
            metavar='FLAVOR',
            help='YAML or JSON file as "openstack flavor show -f yaml" prints '
            'it; - is standard input',
        )
        add_image(parser)

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Parse the flavor."""
        guest = read_guest(parsed_args.flavor, parsed_args.image)
        return Report(
            document={'schema_version': _SCHEMA_VERSION, **dump(guest)},
            headline=_headline(guest),
            tables=(
                Table(
                    title='Guest cells',
                    columns=_CELLS,
                    rows=[_cell_row(guest, cell) for cell in guest.cells],
                ),
                Table(
                    title='Settings',
                    columns={'setting': 'Setting', 'value': 'Value'},
                    rows=[*_settings(guest)],
                ),
            ),
        )


def _headline(guest: GuestRequirement) -> str:
    head = (
        f'{guest.name}: {count(guest.vcpus, "vCPU")}, '
        f'{format_kib(guest.memory_mib * 1024)}'
    )
    return head if guest.cells else f'{head}; it floats, nothing is pinned'


def _cell_row(guest: GuestRequirement, cell: GuestCell) -> list[Any]:
    size = cell.page_size
    return [
        cell.id,
        CPUs(cell.vcpus),
        CPUs(cell.dedicated),
        CPUs(cell.shared),
        CPUs(guest.realtime & cell.vcpus),
        MiB(cell.memory_mib),
        # A word is a str too, but none of a size in KiB.
        KiB(size) if type(size) is int else size and str(size),
    ]


def _settings(guest: GuestRequirement) -> Iterator[tuple[str, str]]:
    """Yield what is asked for beside cells, in words."""
    topology = guest.topology
    pairs = {
        'CPU policy': guest.cpu_policy,
        'thread policy': guest.thread_policy,
        'emulator threads': guest.emulator_policy,
        'scheduler': _scheduler(guest),
        'emulator priority': guest.emulator_priority,
        'I/O threads': guest.iothreads,
        'guest topology': f'sockets {topology.sockets}, cores '
        f'{topology.cores}, threads {topology.threads}',
        'locked memory': guest.locked_memory,
        'PMU': guest.pmu,
        'hypervisor hidden': guest.hide_hypervisor_id,
        'PCI NUMA affinity': guest.pci_numa_affinity_policy,
        'CPU shares': guest.quota.shares,
        'CPU period': _with_unit(guest.quota.period_us, 'us'),
        'CPU quota': _with_unit(guest.quota.quota_us, 'us'),
        'L3 policy': guest.l3_policy,
        'L3 cache': _with_unit(guest.cache_mib, 'MiB'),
        'memory bandwidth': _with_unit(guest.memory_bandwidth, '%'),
        'halt polling': guest.halt_poll,
        'latency budget': _with_unit(guest.latency_budget_us, 'us'),
    }
    for setting, value in pairs.items():
        if isinstance(value, bool):
            yield setting, 'yes' if value else 'no'
        elif value not in {None, 0}:
            yield setting, str(value)


def _scheduler(guest: GuestRequirement) -> str | None:
    """Return ``fifo, priority 1`` or ``fifo, priorities 2=50 3=10``."""
    if not guest.realtime:
        return None
    levels = set(guest.priorities.values())
    if len(levels) == 1:
        return f'{guest.scheduler}, priority {levels.pop()}'
    each = ' '.join(f'{v}={p}' for v, p in sorted(guest.priorities.items()))
    return f'{guest.scheduler}, priorities {each}'


def _with_unit(value: int | None, unit: str) -> str | None:
    return None if value is None else f'{value} {unit}'


class ListSpecs(Show):
    """List the known extra specs and image properties.

    It is the table that flavors are checked against. Without --long it
    leaves out allowed values, defaults, effects and sources.
    """

    example = """\
Example: everything about real time::

    rtvirt flavor list-specs --match realtime --long
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what narrows and widens the list."""
        parser.add_argument(
            '--match',
            metavar='TEXT',
            default='',
            help='only names that contain TEXT',
        )
        parser.add_argument(
            '--long', action='store_true', help='show all columns'
        )

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Pick the entries."""
        specs = [spec for spec in SPECS if parsed_args.match in spec.name]
        table = Table(
            columns=_SPECS,
            rows=[
                [getattr(spec, name) or None for name in _SPECS]
                for spec in specs
            ],
        )
        return Report(
            document={
                'schema_version': _SCHEMA_VERSION,
                'extra_specs': [dump(spec) for spec in specs],
            },
            tables=(table if parsed_args.long else table.select(_BRIEF),),
        )

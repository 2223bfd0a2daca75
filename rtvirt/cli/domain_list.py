# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain list``: who is on a host, and what it holds."""

from __future__ import annotations

import argparse
from typing import Final

from rtvirt.cli.base import Show
from rtvirt.cli.column import CPUs
from rtvirt.cli.column import MiB
from rtvirt.cli.column import count
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.host.source import LOCAL_URI
from rtvirt.lifecycle.listing import list_domains
from rtvirt.model.plain import dump

_SCHEMA_VERSION: Final = 1
_COLUMNS: Final = {
    'name': 'Domain',
    'state': 'State',
    'is_planned': 'Planned',
    'is_persistent': 'Kept',
    'vcpus': 'vCPUs',
    'realtime': 'Real-time',
    'cpus': 'Holds pCPUs',
    'memory_mib': 'Memory',
}


class ListDomains(Show):
    """List all domains, running or not, and the pCPUs that they hold.

    A domain that is defined holds its pCPUs and pages even while it does
    not run: "rtvirt domain destroy --undefine" gives them back.
    """

    example = """\
Example::

    rtvirt domain list
    rtvirt domain list --connect qemu+ssh://compute7/system -f json
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the libvirt."""
        add_connect(parser)

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """List the domains."""
        listed = list_domains(parsed_args.connect)
        running = sum(one.state == 'running' for one in listed)
        return Report(
            document={
                'schema_version': _SCHEMA_VERSION,
                'domains': [dump(one) for one in listed],
            },
            headline=f'{count(len(listed), "domain")}, {running} running',
            tables=(
                Table(
                    columns=_COLUMNS,
                    rows=[
                        [
                            one.name,
                            one.state,
                            one.is_planned,
                            one.is_persistent,
                            one.vcpus,
                            CPUs(one.realtime),
                            CPUs(one.cpus),
                            MiB(one.memory_mib),
                        ]
                        for one in listed
                    ],
                ),
            ),
        )


def add_connect(parser: argparse.ArgumentParser) -> None:
    """Add ``--connect``, of a command that places nothing."""
    parser.add_argument(
        '--connect',
        metavar='URI',
        default=LOCAL_URI,
        help=f'the libvirt to ask (default: {LOCAL_URI})',
    )

# SPDX-License-Identifier: Apache-2.0
"""A command: "rtvirt flavor size"."""

from __future__ import annotations

import argparse

from rtvirt.cli.base import Show
from rtvirt.cli.column import MiB
from rtvirt.cli.guest import read_guest
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table


class ShowSize(Show):
    """Show how large a flavor is."""

    example = """\
Example::

    rtvirt flavor size rt1.small.yaml
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the flavor."""
        parser.add_argument('flavor', metavar='FLAVOR')

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Answer for a person and for a program."""
        guest = read_guest(parsed_args.flavor, None)
        return Report(
            document={
                'schema_version': 1,
                'vcpus': guest.vcpus,
                'memory_mib': guest.memory_mib,
            },
            headline=guest.name,
            tables=(
                Table(
                    columns={'vcpus': 'vCPUs', 'memory_mib': 'Memory'},
                    rows=[[guest.vcpus, MiB(guest.memory_mib)]],
                ),
            ),
        )

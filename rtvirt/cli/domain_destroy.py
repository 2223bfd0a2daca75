# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain destroy``: end a domain, and forget it."""

from __future__ import annotations

import argparse

from rtvirt.cli.base import Command
from rtvirt.cli.domain_list import add_connect
from rtvirt.cli.exitcode import ExitCode
from rtvirt.lifecycle.end import destroy_domain


class DestroyDomain(Command):
    """End a domain as a power cut would.

    One that is defined holds its pCPUs and pages until it is undefined
    too. Its disks stay.
    """

    example = """\
Example: nothing of it is left but its disks::

    rtvirt domain destroy --undefine plc-1
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the domain and what becomes of it."""
        parser.add_argument('name', metavar='NAME', help='a domain')
        parser.add_argument(
            '--undefine',
            action='store_true',
            help='forget it too; one that does not run is only forgotten',
        )
        add_connect(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """End the domain."""
        destroy_domain(
            parsed_args.connect,
            parsed_args.name,
            undefine=parsed_args.undefine,
        )
        return ExitCode.DONE

# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain start``: a domain that is defined, proved."""

from __future__ import annotations

import argparse

from rtvirt.cli.base import Show
from rtvirt.cli.domain_create import add_start
from rtvirt.cli.domain_create import report_start
from rtvirt.cli.placement import add_choice
from rtvirt.cli.placement import add_live_host
from rtvirt.cli.placement import effective_settings
from rtvirt.cli.refusal import emitted_refusal
from rtvirt.cli.report import Report
from rtvirt.lifecycle.start import start_domain
from rtvirt.model.cpuset import CPUSet


class StartDomain(Show):
    """Start a domain that is defined and prove that it runs as planned.

    If what its plan holds has been taken since it was made, it is planned
    anew first; if it does not fit any more, the reasons are printed and the
    exit code is 4. If it is not as planned it stays paused, and the exit
    code is 3.
    """

    example = """\
Example::

    rtvirt domain start plc-1 --dedicated 2-7 --shared 0-1
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the domain and its host."""
        parser.add_argument('name', metavar='NAME', help='a defined domain')
        add_start(parser)
        add_live_host(parser)
        add_choice(parser)

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Start the domain."""
        settings = effective_settings(parsed_args)
        with emitted_refusal(self, parsed_args):
            started = start_domain(
                parsed_args.name,
                settings=settings,
                pinned=parsed_args.pinned or CPUSet(),
                paused=parsed_args.paused,
                keep_going=parsed_args.keep_going,
            )
        return report_start(self, started, parsed_args)

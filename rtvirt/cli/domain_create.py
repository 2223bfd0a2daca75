# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain create``: from a flavor to a domain that is proved."""

from __future__ import annotations

import argparse
import functools
import logging

from rtvirt.cli.base import Show
from rtvirt.cli.guest import read_guest
from rtvirt.cli.placement import add_choice
from rtvirt.cli.placement import add_guest
from rtvirt.cli.placement import add_live_host
from rtvirt.cli.placement import effective_settings
from rtvirt.cli.refusal import emitted_refusal
from rtvirt.cli.render import add_base
from rtvirt.cli.render import add_boot
from rtvirt.cli.render import check_render
from rtvirt.cli.render import render
from rtvirt.cli.report import Report
from rtvirt.cli.verify import prove
from rtvirt.cli.verify import report_proofs
from rtvirt.lifecycle.create import create_domain
from rtvirt.lifecycle.prove import StartedDomain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.finding import Severity

LOG = logging.getLogger(__name__)


class CreateDomain(Show):
    """Create a domain where it fits, start it and prove that it runs so.

    What every domain of that libvirt holds already is taken off, whoever
    made it and whether it runs or not. The new one is verified while its
    vCPUs stand still. If it is not as planned it stays so, and the exit
    code is 3; if it does not fit, the reasons are printed and the exit code
    is 4.
    """

    example = """\
Example: a domain that boots from a disk, on the pCPUs 2-7::

    rtvirt domain create plc-1 --flavor rt1.small.yaml --dedicated 2-7 \\
        --shared 0-1 --disk /var/lib/libvirt/images/plc-1.raw

Another from a template that somebody else made, paused until it is let go::

    rtvirt domain create plc-2 --flavor rt1.small.yaml --dedicated 2-7 \\
        --base template.xml --paused
    virsh resume plc-2

With -f json it prints what "rtvirt domain verify" prints; if the guest does
not fit, an object with the list "reasons".
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of a domain, of its guest and of its host."""
        parser.add_argument('name', metavar='NAME', help='of the new domain')
        group = parser.add_argument_group('the domain')
        add_base(group)
        add_start(group)
        group.add_argument(
            '--transient',
            action='store_true',
            help='keep nothing of it after its end',
        )
        add_boot(parser)
        add_guest(parser)
        add_live_host(parser)
        add_choice(parser)

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Create the domain."""
        check_render(parsed_args)
        guest = read_guest(parsed_args.flavor, parsed_args.image)
        settings = effective_settings(parsed_args)
        with emitted_refusal(self, parsed_args):
            started = create_domain(
                guest,
                functools.partial(render, parsed_args=parsed_args),
                settings=settings,
                pinned=parsed_args.pinned or CPUSet(),
                paused=parsed_args.paused,
                transient=parsed_args.transient,
                keep_going=parsed_args.keep_going,
            )
        return report_start(self, started, parsed_args)


def add_start(group: argparse._ActionsContainer) -> None:
    """Add what becomes of a domain once it has started."""
    group.add_argument(
        '--paused',
        action='store_true',
        help='leave its vCPUs standing still: virsh resume lets them go',
    )
    group.add_argument(
        '--keep-going',
        action='store_true',
        help='let it run even if it is not as planned',
    )


def report_start(
    command: Show, started: StartedDomain, parsed_args: argparse.Namespace
) -> Report:
    """Return the proof of a domain that has just started."""
    name = started.running.domain.name
    if started.is_paused and not parsed_args.paused:
        LOG.warning(
            'domain %r is not as planned and stays paused: "virsh resume '
            '%s" lets it run nevertheless',
            name,
            name,
        )
    if command.app.stdout.isatty():
        parsed_args.fit_width = True
    return report_proofs([prove(started.running)], Severity.ERROR)

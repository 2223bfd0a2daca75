# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain``: libvirt domains from plans."""

from __future__ import annotations

import argparse

from rtvirt.cli.base import Command
from rtvirt.cli.exitcode import ExitCode
from rtvirt.cli.placement import add_plan
from rtvirt.cli.placement import make_plan
from rtvirt.cli.render import add_base
from rtvirt.cli.render import add_boot
from rtvirt.cli.render import check_render
from rtvirt.cli.render import render


class ShowXML(Command):
    """Print the XML of a domain that runs as planned.

    The guest is placed as "rtvirt plan" places it, then its plan is rendered:
    into a new domain, or into one that exists (--base), of which everything
    that is no matter of the plan stays as it is. If the guest does not fit,
    the reasons are printed and the exit code is 4.
    """

    example = """\
Example::

    rtvirt domain xml --flavor rt1.small.yaml --dedicated 2-7 --name rt1 \\
        --disk /var/lib/libvirt/images/rt1.qcow2,format=qcow2 > rt1.xml
    virsh define rt1.xml

    virsh dumpxml --inactive old | \\
        rtvirt domain xml --flavor rt1.small.yaml --dedicated 2-7 --base -
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of a plan and those of a domain."""
        group = parser.add_argument_group('the domain')
        group.add_argument('--name', help='needed unless there is a --base')
        add_base(group)
        add_boot(parser)
        add_plan(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Print the XML."""
        check_render(parsed_args)
        plan, _ = make_plan(parsed_args)
        self.app.stdout.write(render(plan, parsed_args))
        return ExitCode.DONE

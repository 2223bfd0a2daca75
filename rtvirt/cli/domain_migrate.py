# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain migrate``: a running domain on another host, proved."""

from __future__ import annotations

import argparse
import dataclasses
import logging

from rtvirt.cli.base import Show
from rtvirt.cli.over_ssh import add_ssh
from rtvirt.cli.over_ssh import route_of
from rtvirt.cli.placement import OVERRIDES
from rtvirt.cli.placement import add_choice
from rtvirt.cli.placement import add_lock
from rtvirt.cli.placement import add_sets
from rtvirt.cli.placement import effective_settings
from rtvirt.cli.placement import seconds
from rtvirt.cli.refusal import emitted_refusal
from rtvirt.cli.report import Report
from rtvirt.cli.verify import prove
from rtvirt.cli.verify import report_proofs
from rtvirt.lifecycle.migrate import migrate_domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.finding import Severity
from rtvirt.model.plan import Plan

LOG = logging.getLogger(__name__)


class MigrateDomain(Show):
    """Migrate a running domain to a host where it fits, and prove it there.

    It is planned on the destination, beside everybody who is there, and
    defined there by that plan, so that its place is kept; then it is
    migrated while it runs, and verified there: the rtvirt of the destination
    is asked over ssh what the kernel shows. What the guest sees stays as it
    is. If it does not fit there the reasons are printed, nothing moves, and
    the exit code is 4. If it does not get there it runs on where it is, and
    that is verified.
    """

    example = """\
Example: to a host whose pCPUs 4-7 are for real-time guests::

    rtvirt domain migrate plc-1 --to qemu+ssh://compute7/system \\
        --dedicated 4-7 --shared 0-3

The memory over a network of its own, for no longer than five minutes::

    rtvirt domain migrate plc-1 --to qemu+ssh://compute7/system \\
        --migrate-uri tcp://10.0.0.7 --timeout 300

To a libvirt that is reached by TLS; its machine by ssh, to verify::

    rtvirt domain migrate plc-1 --to qemu+tls://compute7/system \\
        --ssh root@compute7

With -f json it prints what "rtvirt domain verify" prints; if the guest does
not fit, an object with the list "reasons".
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the domain, its way and its destination."""
        parser.add_argument('name', metavar='NAME', help='a running domain')
        parser.add_argument(
            '--connect',
            metavar='URI',
            dest='connection_uri',
            help='the libvirt that runs it (connection_uri; default: '
            'qemu:///system)',
        )
        group = parser.add_argument_group('the destination', OVERRIDES)
        group.add_argument(
            '--to', metavar='URI', required=True, help='its libvirt'
        )
        add_sets(group)
        add_lock(group)
        add_choice(parser)
        _add_way(parser)
        add_ssh(
            parser.add_argument_group('the proof'),
            'the machine of the destination, where rtvirt is asked what the '
            'kernel shows; without a password (default: that of a --to which '
            'goes over ssh)',
        )

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Migrate the domain."""
        settings = effective_settings(parsed_args)
        route = route_of(parsed_args, parsed_args.to)
        with emitted_refusal(self, parsed_args):
            migrated = migrate_domain(
                parsed_args.name,
                parsed_args.to,
                settings=settings,
                pinned=parsed_args.pinned or CPUSet(),
                migrate_uri=parsed_args.migrate_uri,
                listen_address=parsed_args.listen_address,
                timeout=parsed_args.timeout,
                observe=route.observe if route else None,
            )
        if self.app.stdout.isatty():
            parsed_args.fit_width = True
        if migrated.proof is not None:
            return report_proofs(
                [prove(migrated.proof.running)], Severity.ERROR
            )
        LOG.warning(
            'domain %r is on %s now and is not verified: %s; run "rtvirt '
            'domain verify %s" there',
            migrated.name,
            migrated.host,
            migrated.unproved,
            migrated.name,
        )
        return dataclasses.replace(
            report_proofs([], Severity.ERROR),
            headline=f'{migrated.name} is planned on pCPUs '
            f'{_held(migrated.plan)} of {migrated.host}, and not verified',
        )


def _held(plan: Plan) -> CPUSet:
    """Return the pCPUs of the vCPUs, all together."""
    pinned = CPUSet(cpu for cpus in plan.pins.values() for cpu in cpus)
    return pinned or plan.floating


def _add_way(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('the way')
    group.add_argument(
        '--migrate-uri',
        metavar='URI',
        help='where its memory is sent to, as in tcp://10.0.0.7 (default: '
        'to the host name of the destination)',
    )
    group.add_argument(
        '--listen-address',
        metavar='ADDRESS',
        help='where the destination waits for it (default: everywhere)',
    )
    group.add_argument(
        '--timeout',
        metavar='SECONDS',
        type=seconds,
        help='give it up after so long (default: never)',
    )

# SPDX-License-Identifier: Apache-2.0
"""The arguments that describe a host and a plan, and what they stand for."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar

from rtvirt.cli.guest import add_image
from rtvirt.cli.guest import read_guest
from rtvirt.conf.choice import SMT_ISOLATE
from rtvirt.conf.choice import STRATEGIES
from rtvirt.conf.reserved import parse_reserved
from rtvirt.exception import ModelError
from rtvirt.fitting.engine import fit
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.model.partition import partition
from rtvirt.model.plan import Plan

if TYPE_CHECKING:
    from rtvirt.conf.settings import Settings

T = TypeVar('T')


def add_guest(parser: argparse.ArgumentParser) -> None:
    """Add ``--flavor`` and ``--image``."""
    group = parser.add_argument_group('the guest')
    group.add_argument(
        '--flavor',
        metavar='FILE',
        required=True,
        help='the flavor: a YAML or JSON file as "openstack flavor show -f '
        'yaml" prints it; - is standard input',
    )
    add_image(group)


OVERRIDES = 'Each of these wins over the option in rtvirt.conf.'


def add_host(parser: argparse.ArgumentParser) -> None:
    """Add what describes one host."""
    group = parser.add_argument_group('the host', OVERRIDES)
    group.add_argument(
        '--host',
        metavar='SRC',
        help="a file with libvirt's capabilities XML or with what "
        '"rtvirt host show -f json" prints, a snapshot, a sosreport, or a '
        'libvirt URI; default: this machine (connection_uri)',
    )
    add_sets(group)


def add_live_host(parser: argparse.ArgumentParser) -> None:
    """Add what describes a host that domains are created on."""
    group = parser.add_argument_group('the host', OVERRIDES)
    group.add_argument(
        '--connect',
        metavar='URI',
        dest='connection_uri',
        help='its libvirt (connection_uri; default: qemu:///system)',
    )
    add_sets(group)
    add_lock(group)


def add_lock(group: argparse._ActionsContainer) -> None:
    """Add what lets only one plan at a time."""
    group.add_argument(
        '--lock-path',
        metavar='DIR',
        help='where the lock is that lets only one plan at a time '
        '(lock_path; default: /run/rtvirt)',
    )
    group.add_argument(
        '--lock-timeout',
        metavar='SECONDS',
        type=seconds,
        help='how long to wait for it (lock_timeout; default: 60)',
    )


def add_sets(group: argparse._ActionsContainer) -> None:
    """Add what deals out the pCPUs and pages of a host."""
    group.add_argument(
        '--dedicated',
        metavar='CPUS',
        dest='cpu_dedicated_set',
        type=typed(CPUSet.parse),
        help='pCPUs for dedicated vCPUs, as in 2-7,^5 (cpu_dedicated_set)',
    )
    group.add_argument(
        '--shared',
        metavar='CPUS',
        dest='cpu_shared_set',
        type=typed(CPUSet.parse),
        help='pCPUs that shared vCPUs float over (cpu_shared_set)',
    )
    group.add_argument(
        '--pinned',
        metavar='CPUS',
        type=typed(CPUSet.parse),
        help='dedicated pCPUs that other guests hold already',
    )
    group.add_argument(
        '--reserved-pages',
        metavar='PAGES',
        dest='reserved_huge_pages',
        action='append',
        type=typed(parse_reserved),
        help='pages kept from guests, as in node:0,size:1GiB,count:2; can be '
        'repeated (reserved_huge_pages)',
    )
    group.add_argument(
        '--config-file',
        metavar='FILE',
        dest='config_files',
        action='append',
        default=[],
        help='read options from FILE and not from /etc/rtvirt/rtvirt.conf; '
        'can be repeated',
    )


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Add how to choose among what would do."""
    group = parser.add_argument_group('the choice among host cells')
    group.add_argument(
        '--strategy',
        choices=[*STRATEGIES],
        help='which host cell to try first: the one with the least left '
        '(best-fit), the fullest or the emptiest (strategy)',
    )
    group.add_argument(
        '--smt-isolate',
        choices=[*SMT_ISOLATE],
        help='what the thread policy isolate does where there is SMT: take '
        'whole cores, or refuse as nova does (smt_isolate)',
    )
    group.add_argument(
        '--cpu-allocation-ratio',
        metavar='RATIO',
        type=float,
        help='shared vCPUs per shared pCPU (cpu_allocation_ratio)',
    )
    group.add_argument(
        '--ram-allocation-ratio',
        metavar='RATIO',
        type=float,
        help='MiB promised per MiB of memory (ram_allocation_ratio)',
    )


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Add what a plan is made of: the guest, the host and the choice."""
    add_guest(parser)
    add_host(parser)
    add_choice(parser)


def effective_settings(parsed_args: argparse.Namespace) -> Settings:
    """Return the options of the files under those of the command line."""
    # oslo.config takes longer to import than all the rest of a command.
    from rtvirt.conf.log import set_up_logging  # noqa: PLC0415
    from rtvirt.conf.settings import read_settings  # noqa: PLC0415

    set_up_logging(parsed_args.config_files)
    settings = read_settings(parsed_args.config_files)
    given = {
        field.name: value
        for field in dataclasses.fields(settings)
        if (value := getattr(parsed_args, field.name, None)) is not None
    }
    return dataclasses.replace(settings, **given)


def read_topology(
    parsed_args: argparse.Namespace, settings: Settings
) -> HostTopology:
    """Read the host that the command line and the options describe."""
    source = source_of(parsed_args, settings)
    return read_source(parsed_args, settings, source)


def source_of(
    parsed_args: argparse.Namespace, settings: Settings
) -> str | None:
    """Return where the host is read from; None is this machine."""
    given: str | None = parsed_args.host
    return settings.connection_uri if given is None else given


def read_source(
    parsed_args: argparse.Namespace, settings: Settings, source: str | None
) -> HostTopology:
    """Read one host; its pCPUs and pages are dealt out as asked for."""
    # What can read any host takes its time to import.
    from rtvirt.host.source import read_host  # noqa: PLC0415

    return read_host(source, **_sets(parsed_args, settings))


def deal_out(
    parsed_args: argparse.Namespace, settings: Settings, host: HostTopology
) -> HostTopology:
    """Return a host with its pCPUs and pages dealt out as asked for."""
    sets = _sets(parsed_args, settings)
    return partition(host, **sets) if any(sets.values()) else host


def _sets(
    parsed_args: argparse.Namespace, settings: Settings
) -> dict[str, Any]:
    return {
        'dedicated': settings.cpu_dedicated_set,
        'shared': settings.cpu_shared_set,
        'pinned': parsed_args.pinned or CPUSet(),
        'reserved': settings.reserved_huge_pages,
    }


def make_plan(parsed_args: argparse.Namespace) -> tuple[Plan, HostTopology]:
    """Place the guest on the host that the command line describes.

    :raises FitError: if it does not fit.
    """
    guest = read_guest(parsed_args.flavor, parsed_args.image)
    settings = effective_settings(parsed_args)
    host = read_topology(parsed_args, settings)
    plan = fit(
        guest,
        host,
        limits=settings.limits,
        strategy=settings.strategy,
        smt_isolate=settings.smt_isolate,
    )
    return plan, host


def seconds(text: str) -> int:
    """Read a whole number of seconds, for argparse."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(
            f'{text!r:.40} is no whole number of seconds'
        )
    return int(text)


def typed(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Return a type for argparse, which shows no other error's text."""

    def parse_argument(text: str) -> T:
        try:
            return parse(text)
        except ModelError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse_argument

# SPDX-License-Identifier: Apache-2.0
"""``rtvirt latency run``: measure, and keep the evidence."""

from __future__ import annotations

import argparse
import contextlib
import logging
import re
import shlex
from collections.abc import Iterator
from typing import Final

from rtvirt.cli.base import Show
from rtvirt.cli.budget import add_budget
from rtvirt.cli.budget import read_budgets
from rtvirt.cli.latency_evidence import report_evidence
from rtvirt.cli.latency_progress import LatencyProgress
from rtvirt.cli.over_ssh import add_ssh
from rtvirt.cli.placement import typed
from rtvirt.cli.report import Report
from rtvirt.exception import ConfigError
from rtvirt.exception import ModelError
from rtvirt.host.source import LOCAL_URI
from rtvirt.latency.evidence import Where
from rtvirt.latency.result import Tool
from rtvirt.measure.console import SHELL_S
from rtvirt.measure.evidence import take_evidence
from rtvirt.measure.evidence import write_evidence
from rtvirt.measure.order import TOOLS
from rtvirt.measure.order import Order
from rtvirt.measure.order import stress
from rtvirt.measure.subject import Subject
from rtvirt.measure.subject import domain_subject
from rtvirt.measure.subject import local_subject
from rtvirt.measure.subject import ssh_subject
from rtvirt.model.cpuset import CPUSet

LOG = logging.getLogger(__name__)

_OPTIONS: Final = {
    'duration_s': '--duration',
    'interval_us': '--interval',
    'histogram_us': '--histogram',
    'priority': '--priority',
}
_DURATION: Final = re.compile(r'([0-9]{1,7})([smhd]?)')
_SECONDS: Final = {'': 1, 's': 1, 'm': 60, 'h': 3600, 'd': 86400}


def parse_duration(text: str) -> int:
    """Return the seconds of ``90``, ``90s``, ``10m``, ``12h`` or ``1d``."""
    match = _DURATION.fullmatch(text)
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not seconds:
        raise ModelError(
            f'{text!r:.20} is no duration: expected seconds, or a number '
            'with m, h or d'
        )
    return seconds


class RunLatency(Show):
    """Measure latency here or in a guest, and keep the evidence.

    Starts cyclictest (or oslat, or rtla) on the CPUs, under SCHED_FIFO, and
    watches the host meanwhile. What was measured is printed, and with -o
    written to a file, with everything that is needed to judge it again:
    histograms, facts of host and guest, plan, verification, samples of the
    host. Ctrl-C stops the measurement and keeps what there is. If a
    sample is above its budget, the exit code is 3.
    """

    example = """\
Example: four pCPUs of this host for a minute, against Red Hat's limits::

    rtvirt latency run --local --cpus 2-5 --profile rhel-kvm-rt -o host.json

Example: the real-time vCPUs of a guest through its serial console, where
root is logged in, for twelve hours with a load on the other vCPUs, and what
the host did whenever a latency was high::

    rtvirt latency run --domain plc-1 --duration 12h --load \\
        --budget-us 40 --correlate -o plc-1.json

Example: a guest over the network that runs on this host::

    rtvirt latency run --domain plc-1 --ssh root@192.0.2.7
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add where, what, how and against what."""
        _add_where(parser)
        _add_what(parser)
        add_budget(parser)
        parser.add_argument(
            '-o', '--output', metavar='FILE', help='the evidence, as JSON'
        )
        parser.add_argument(
            '--correlate',
            action='store_true',
            help='show what the host did beside each spike',
        )

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Measure."""
        with _subject(parsed_args) as subject:
            order = _order(parsed_args, subject)
            budgets = read_budgets(parsed_args, subject.plan, order.tool)
            with LatencyProgress(
                order.duration_s, self.app.stderr
            ) as progress:
                evidence = take_evidence(
                    subject,
                    order,
                    budgets,
                    realtime=parsed_args.realtime,
                    on_progress=progress.show,
                )
        if parsed_args.output:
            write_evidence(evidence, parsed_args.output)
            LOG.info('%s: sha256 %s', parsed_args.output, evidence.digest)
        if evidence.target.is_emulated:
            LOG.warning(
                'the guest is emulated in software: its latencies mean nothing'
            )
        if not evidence.is_complete:
            LOG.warning(
                'stopped after %.0f s of %.0f s',
                evidence.measured_s,
                evidence.planned_s,
            )
        return report_evidence(evidence, with_spikes=parsed_args.correlate)


def _add_where(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('where')
    group.add_argument(
        '--local', action='store_true', help='on this host itself'
    )
    add_ssh(
        group,
        'over ssh, without a password; with --domain it is known to be '
        'that guest, and this host is watched',
    )
    group.add_argument(
        '--domain', metavar='NAME', help='in a running domain of this host'
    )
    group.add_argument(
        '--via',
        choices=[Where.CONSOLE.value, Where.AGENT.value],
        default=Where.CONSOLE.value,
        help='through a root shell on its serial console (default), or '
        'through the QEMU guest agent',
    )
    group.add_argument(
        '--console-timeout',
        metavar='TIME',
        type=typed(parse_duration),
        default=SHELL_S,
        help='how long a shell on the serial console may take to answer, as '
        f'while the guest boots; default: {SHELL_S}',
    )
    group.add_argument(
        '--connect',
        metavar='URI',
        default=LOCAL_URI,
        help=f'the libvirt of this machine (default: {LOCAL_URI})',
    )
    group.add_argument(
        '--cpus',
        metavar='CPUS',
        type=typed(CPUSet.parse),
        help='what to measure; default: the real-time vCPUs of the domain',
    )
    group.add_argument(
        '--realtime',
        metavar='CPUS',
        type=typed(CPUSet.parse),
        help='which of them are real-time, the others being housekeeping; '
        "default: the domain's, or all",
    )


def _add_what(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('what')
    group.add_argument(
        '--tool',
        choices=[tool.value for tool in TOOLS],
        default=Tool.CYCLICTEST.value,
        help='default: cyclictest; timerlat is rtla timerlat hist',
    )
    group.add_argument(
        '--duration',
        metavar='TIME',
        type=typed(parse_duration),
        default=60,
        help='seconds, or with m, h, d; default: 60',
    )
    for name, default, help_text in (
        ('interval', 200, 'microseconds between samples'),
        ('histogram', 400, 'microseconds that the histogram goes to'),
        ('priority', 95, 'of the measuring threads under SCHED_FIFO'),
    ):
        group.add_argument(
            f'--{name}',
            metavar='N',
            type=int,
            default=default,
            help=f'{help_text}; default: {default}',
        )
    group.add_argument(
        '--main-cpus',
        metavar='CPUS',
        type=typed(CPUSet.parse),
        help="where the tool's own thread and the load go; default: the "
        "domain's vCPUs that are not real-time",
    )
    group.add_argument(
        '--load',
        metavar='COMMAND',
        nargs='?',
        const='stress-ng',
        help='run this beside it; alone, stress-ng on --main-cpus',
    )


@contextlib.contextmanager
def _subject(parsed_args: argparse.Namespace) -> Iterator[Subject]:
    """Reach the machine that is to be measured."""
    domain, destination = parsed_args.domain, parsed_args.ssh
    if parsed_args.local == bool(domain or destination):
        raise ConfigError(
            'where to measure is not clear: expected one of --local, --ssh '
            'and --domain',
            hint='--local is this host, --domain NAME a guest of it, --ssh '
            'USER@HOST a way to either',
        )
    cpus = parsed_args.cpus
    if domain:
        via = Where.SSH if destination else Where(parsed_args.via)
        with domain_subject(
            parsed_args.connect,
            domain,
            via,
            destination=destination or '',
            options=parsed_args.ssh_option,
            console_timeout_s=parsed_args.console_timeout,
        ) as subject:
            yield subject
        return
    if cpus is None:
        raise ConfigError(
            'which CPUs to measure is not given',
            hint='name them, as in --cpus 2-5',
        )
    if parsed_args.local:
        yield local_subject(cpus)
        return
    with ssh_subject(destination, parsed_args.ssh_option, cpus) as subject:
        yield subject


def _order(parsed_args: argparse.Namespace, subject: Subject) -> Order:
    """Return what is to be run."""
    duration = parsed_args.duration
    main = parsed_args.main_cpus
    if main is None:
        main = subject.others
    load: tuple[str, ...] = ()
    if parsed_args.load == 'stress-ng':
        if not main:
            raise ConfigError(
                '--load runs stress-ng on --main-cpus, which is not given',
                hint='name CPUs that are not measured, as in --main-cpus 0-1',
            )
        load = stress(main, duration)
    elif parsed_args.load:
        load = tuple(_split(parsed_args.load))
    try:
        return Order(
            tool=Tool(parsed_args.tool),
            cpus=subject.cpus
            if parsed_args.cpus is None
            else parsed_args.cpus,
            main=main,
            duration_s=duration,
            interval_us=parsed_args.interval,
            histogram_us=parsed_args.histogram,
            priority=parsed_args.priority,
            load=load,
        )
    except ModelError as error:
        name, verb, rest = str(error).partition(' is ')
        raise ConfigError(
            f'{_OPTIONS.get(name, name)}{verb}{rest}',
            hint=error.hint
            or '"rtvirt latency run --help" tells what each option takes',
        ) from error


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ConfigError(
            f'--load {text!r:.60}: {error}',
            hint='quote it as for a shell, as in --load "stress-ng --cpu 2"',
        ) from error

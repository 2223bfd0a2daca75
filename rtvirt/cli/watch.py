# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain watch``: tell when a domain strays from its plan."""

from __future__ import annotations

import argparse
import contextlib
import logging
import math
import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from rtvirt.cli.base import Command
from rtvirt.cli.exitcode import ExitCode
from rtvirt.cli.fail_on import add_fail_on
from rtvirt.cli.fail_on import findings_code
from rtvirt.cli.report import printable
from rtvirt.exception import ConfigError
from rtvirt.exception import HostError
from rtvirt.host.source import LOCAL_URI
from rtvirt.watch.watcher import Status
from rtvirt.watch.watcher import Watcher

if TYPE_CHECKING:
    from rtvirt.watch.metrics import Metrics

LOG = logging.getLogger(__name__)

_LISTEN: Final = re.compile(r'(\[[0-9a-fA-F:.]+\]|[^:\[\]]*):([0-9]{1,5})')
_LEAST_S: Final = 1.0
_MOST_S: Final = 86400.0


class WatchDomains(Command):
    """Verify all real-time domains again and again, and tell what changes.

    Every line on standard output is a change: a domain that came or went, a
    drift with what mends it, and when all was well again. Metrics for
    Prometheus go into a file for the textfile collector of its node
    exporter, or are served over HTTP. Ends with SIGTERM or SIGINT; while
    libvirt does not answer, it goes on asking. Runs on the host itself, best
    as root.
    """

    example = """\
Example: every half minute, as a service does it; and once, as cron does::

    rtvirt domain watch --listen 127.0.0.1:9177
    rtvirt domain watch --once --textfile /var/lib/node_exporter/rtvirt.prom
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add where to look, how often, and where metrics go."""
        parser.add_argument(
            '--interval',
            metavar='SECONDS',
            type=_parse_interval,
            default=30.0,
            help='from one look to the next (default: 30)',
        )
        parser.add_argument(
            '--once',
            action='store_true',
            help='look once; findings of severity error or fatal then end '
            'it with 3',
        )
        parser.add_argument(
            '--textfile',
            metavar='FILE',
            help='write the metrics into FILE, NAME.prom, after each look',
        )
        parser.add_argument(
            '--listen',
            metavar='ADDRESS:PORT',
            type=_parse_listen,
            help='serve the metrics over HTTP, as on 127.0.0.1:9177',
        )
        parser.add_argument(
            '--connect',
            metavar='URI',
            default=LOCAL_URI,
            help=f'the libvirt of this machine (default: {LOCAL_URI})',
        )
        add_fail_on(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Look until told to stop, or once."""
        metrics = None
        if parsed_args.textfile or parsed_args.listen:
            metrics = _load_metrics()
        _check_textfile(parsed_args.textfile)
        with contextlib.ExitStack() as stack:
            if metrics and parsed_args.listen:
                address, port = parsed_args.listen
                port = stack.enter_context(metrics.listen(address, port))
                LOG.info('metrics are on http://%s:%s', address, port)
            watcher = Watcher(
                parsed_args.connect,
                tell=self._tell,
                publish=lambda status: _publish(
                    status, metrics, parsed_args.textfile
                ),
            )
            if parsed_args.once:
                return _look_once(watcher, parsed_args.fail_on)
            stop = stack.enter_context(_stopped_by_signals())
            watcher.run(parsed_args.interval, stop)
        return ExitCode.DONE

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Watch and return the exit code."""
        return self.take_action(parsed_args)

    def _tell(self, line: str) -> None:
        self.app.stdout.write(f'{printable(line)}\n')
        self.app.stdout.flush()


def _look_once(watcher: Watcher, fail_on: str) -> ExitCode:
    status = watcher.look()
    if not status.is_up:
        return ExitCode.FAILED
    found = [finding for one in status.seen for finding in one.findings]
    return findings_code(found, fail_on)


def _publish(
    status: Status, metrics: Metrics | None, textfile: str | None
) -> None:
    if metrics is None:
        return
    metrics.set(status)
    if textfile:
        try:
            metrics.write(textfile)
        except OSError as error:
            # The disk may have room again with the next look.
            LOG.warning('cannot write %s: %s', textfile, error.strerror)


def _load_metrics() -> Metrics:
    try:
        from rtvirt.watch.metrics import Metrics  # noqa: PLC0415
    except ImportError:
        raise HostError(
            'prometheus_client is not installed',
            hint="install it: pip install 'rtvirt[watch]'",
        ) from None
    return Metrics()


def _check_textfile(path: str | None) -> None:
    """Refuse at once what could not be written, or would not be read."""
    if path is None:
        return
    if not path.endswith('.prom'):
        raise ConfigError(
            f'--textfile {path!r}: its name has to end in .prom',
            hint='rename it: the node exporter passes over other files',
        )
    directory = Path(path).parent
    if not os.access(directory, os.W_OK | os.X_OK) or Path(path).is_dir():
        raise ConfigError(
            f'--textfile {path!r} cannot be written',
            hint=f'make the directory {str(directory)!r}, or let the user of '
            'this command write in it',
        )


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Return what SIGTERM and SIGINT set."""
    stop = threading.Event()

    def handle(_number: int, _frame: Any) -> None:
        stop.set()

    before = {
        number: signal.signal(number, handle)
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _parse_interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not _LEAST_S <= seconds <= _MOST_S:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no number of seconds from 1 to 86400'
        )
    return seconds


def _parse_listen(text: str) -> tuple[str, int]:
    match = _LISTEN.fullmatch(text)
    if match is None or not match[1] or int(match[2]) > 65535:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no address with a port, as in 127.0.0.1:9177'
        )
    return match[1].strip('[]'), int(match[2])

# SPDX-License-Identifier: Apache-2.0
"""What the kernel of another machine shows: its own rtvirt is asked."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from typing import Final
from urllib.parse import SplitResult
from urllib.parse import parse_qsl
from urllib.parse import urlsplit

from rtvirt.cli.exitcode import ExitCode
from rtvirt.exception import ConfigError
from rtvirt.exception import HostError
from rtvirt.exception import MeasureError
from rtvirt.exception import ModelError
from rtvirt.measure.machine import Output
from rtvirt.measure.shell import ShellMachine
from rtvirt.measure.ssh import ssh_shell
from rtvirt.model.observed import ObservedDomain

_TRANSPORTS: Final = frozenset({'ssh', 'libssh', 'libssh2'})
_OBSERVE_S: Final = 120
_NOT_FOUND: Final = 127
_ANSWERS: Final = (ExitCode.DONE, ExitCode.FINDINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SSHRoute:
    """A way to the machine that a libvirt runs on.

    :ivar destination: ``USER@HOST``, as ssh takes it.
    :ivar options: further words for ssh.
    :ivar uri: the libvirt, as that machine itself reaches it.
    """

    destination: str
    options: tuple[str, ...] = ()
    uri: str

    def observe(self, name: str) -> ObservedDomain:
        """Return what the machine's kernel shows of a running domain.

        :raises HostError: if it cannot be asked, or does not know.
        """
        command = ('rtvirt', 'domain', 'verify', '--connect', self.uri)
        try:
            with ssh_shell(self.destination, self.options) as shell:
                done = ShellMachine(shell).run(
                    [*command, '-f', 'json', '--', name], _OBSERVE_S
                )
        except MeasureError as error:
            raise HostError(str(error), hint=error.hint) from error
        return self._read(done)

    def _read(self, done: Output) -> ObservedDomain:
        if done.code == _NOT_FOUND:
            raise HostError(
                f'there is no program rtvirt on {self.destination}',
                hint='install it there, where a command over ssh finds it: '
                f'ssh {self.destination} rtvirt --version',
            )
        if done.code not in _ANSWERS:
            said = ' '.join(done.stderr.split()) or f'exit code {done.code}'
            raise HostError(
                f'rtvirt on {self.destination} says: {said:.500}',
                hint='run "rtvirt domain verify" there by hand',
            )
        try:
            (domain,) = json.loads(done.stdout)['domains']
            return ObservedDomain.from_dict(domain['observed'])
        except (ValueError, KeyError, TypeError, ModelError) as error:
            raise HostError(
                f'what rtvirt on {self.destination} prints cannot be read: '
                f'{error!s:.200}',
                hint='have the same release of rtvirt on both machines',
            ) from error


def add_ssh(group: Any, purpose: str) -> None:
    """Add ``--ssh`` and ``--ssh-option``.

    :param group: of a parser's arguments.
    :param purpose: what the first is for.
    """
    group.add_argument('--ssh', metavar='USER@HOST', help=purpose)
    group.add_argument(
        '--ssh-option',
        metavar='WORD',
        action='append',
        default=[],
        help='a word for ssh itself, as in --ssh-option=-p2222; may be '
        'repeated',
    )


def route_of(parsed_args: argparse.Namespace, uri: str) -> SSHRoute | None:
    """Return the way to a libvirt's machine; None where none is known.

    :param uri: of libvirt; one that goes over ssh tells the way itself.
    :raises ConfigError: if the URI is none, or if there are words for ssh,
        and no way.
    """
    parts, port = _split(uri)
    driver, _, transport = parts.scheme.partition('+')
    local = f'{driver}://{parts.path}'
    further = tuple(parsed_args.ssh_option)
    if parsed_args.ssh:
        return SSHRoute(
            destination=parsed_args.ssh, options=further, uri=local
        )
    if transport in _TRANSPORTS and parts.hostname:
        user = f'{parts.username}@' if parts.username else ''
        return SSHRoute(
            destination=f'{user}{parts.hostname}',
            options=(*_options(parts.query, port), *further),
            uri=local,
        )
    if further:
        raise ConfigError(
            f'--ssh-option={further[0]:.60} has no machine to go to: '
            f'{uri:.80} does not go over ssh',
            hint='name it, as in --ssh root@compute7',
        )
    return None


def _split(uri: str) -> tuple[SplitResult, int | None]:
    """Return the parts of a URI, and its port."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise ConfigError(
            f'{uri!r:.80} is no URI of libvirt: {error}',
            hint='write it as in qemu+ssh://root@compute7/system',
        ) from None
    return parts, port


def _options(query: str, port: int | None) -> Iterator[str]:
    """Yield for ssh what a URI of libvirt says to it."""
    if port:
        yield from ('-p', str(port))
    given = dict(parse_qsl(query))
    if keyfile := given.get('keyfile'):
        yield from ('-i', keyfile)
    if known := given.get('known_hosts'):
        yield from ('-o', f'UserKnownHostsFile={known}')
    if given.get('no_verify', '0') != '0':
        yield from ('-o', 'StrictHostKeyChecking=no')

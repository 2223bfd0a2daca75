# SPDX-License-Identifier: Apache-2.0
"""Boot an emulated real-time host, use it, and take it down."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from rtvirt.demo.interrupt import raise_interrupts
from rtvirt.exception import RTVirtError
from tools.lab.error import LabError
from tools.lab.image import ensure_image
from tools.lab.machine import PREFIX
from tools.lab.machine import EmulatedHost
from tools.lab.machine import attached
from tools.lab.machine import boot_host
from tools.lab.machine import discard
from tools.lab.pair import boot_pair
from tools.lab.topology import TOPOLOGIES


def main() -> int:
    """Do what is asked for; return the exit code."""
    parser = argparse.ArgumentParser(
        prog='python -m tools.lab',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='topologies:\n'
        + ''.join(
            f'  {name:<13}{topology.description}\n'
            for name, topology in TOPOLOGIES.items()
        ),
    )
    commands = parser.add_subparsers(required=True, metavar='COMMAND')

    image = commands.add_parser('image', help='build the image, if need be')
    image.add_argument(
        'topology', choices=TOPOLOGIES, nargs='?', default='talk'
    )
    image.set_defaults(call=_image)

    up = commands.add_parser('up', help='boot a host, which stays')
    up.add_argument('topology', choices=TOPOLOGIES, nargs='?', default='talk')
    up.add_argument(
        'peer',
        choices=TOPOLOGIES,
        nargs='?',
        help='boot a second one, on a network with it',
    )
    up.set_defaults(call=_up)

    listed = commands.add_parser('list', help='name the hosts that are up')
    listed.set_defaults(call=_list)

    inside = commands.add_parser('run', help='run a command in a host')
    inside.add_argument('host', type=Path)
    inside.add_argument('argv', nargs=argparse.REMAINDER)
    inside.set_defaults(call=_run)

    down = commands.add_parser('down', help='end a host')
    down.add_argument('host', type=Path)
    down.set_defaults(call=_down)

    arguments = parser.parse_args()
    raise_interrupts()
    try:
        code: int = arguments.call(arguments)
    except KeyboardInterrupt:
        return 130
    except RTVirtError as error:
        sys.stderr.write(f'lab: {error}\n')
        if error.hint:
            sys.stderr.write(f'hint: {error.hint}\n')
        return 1
    return code


def _say(text: str) -> None:
    sys.stderr.write(f'lab: {text}\n')


def _image(arguments: argparse.Namespace) -> int:
    image = ensure_image(TOPOLOGIES[arguments.topology].kernel, _say)
    print(image.directory)
    return 0


def _up(arguments: argparse.Namespace) -> int:
    topology = TOPOLOGIES[arguments.topology]
    if arguments.peer is None:
        hosts: tuple[EmulatedHost, ...] = (boot_host(topology, say=_say),)
    else:
        hosts = boot_pair(topology, TOPOLOGIES[arguments.peer], say=_say)
    for host in hosts:
        print(host.directory)
        _say(
            f'{host.hostname}: {host.topology.description}; its libvirt: '
            f'{host.uri}'
        )
    return 0


def _list(_arguments: argparse.Namespace) -> int:
    """Name the hosts; of other users' nothing can be told."""
    for directory in sorted(Path(tempfile.gettempdir()).glob(f'{PREFIX}*')):
        with contextlib.suppress(RTVirtError, PermissionError):
            host = attached(directory)
            print(directory, host.topology.name, host.uri)
    return 0


def _run(arguments: argparse.Namespace) -> int:
    if not arguments.argv:
        raise LabError('no command is given')

    def echo(kind: str, text: str) -> None:
        stream = sys.stdout if kind == 'out' else sys.stderr
        stream.write(text)
        stream.flush()

    host = attached(arguments.host)
    return host.run(*arguments.argv, timeout_s=3600, echo=echo).code


def _down(arguments: argparse.Namespace) -> int:
    discard(arguments.host)
    return 0


if __name__ == '__main__':
    sys.exit(main())

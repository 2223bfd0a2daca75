# SPDX-License-Identifier: Apache-2.0
"""The demo's command line: how it ends, whatever happens."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from rtvirt.cli.exitcode import ExitCode
from rtvirt.cli.exitcode import exit_code
from rtvirt.demo.embed import private_directory
from rtvirt.demo.interrupt import raise_interrupts
from rtvirt.demo.screen import Screen
from rtvirt.demo.story import tell
from rtvirt.exception import RTVirtError

_LOG_OUTPUTS = 'LIBVIRT_LOG_OUTPUTS'


def main(argv: list[str] | None = None) -> int:
    """Run the demo and return the exit code.

    0 where every thread is as planned, 3 where one is not, 4 where the
    flavor does not fit, 1 where the demo could not run.

    :param argv: the arguments; those of the process where None.
    """
    parser = argparse.ArgumentParser(
        prog='rtvirt-demo',
        description='Plan a guest on this machine, start it with QEMU in a '
        'private directory, show that every thread is where the plan put '
        'it, and take everything away again.',
    )
    parser.add_argument('flavor', type=Path, help='a YAML or JSON file')
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of an error'
    )
    arguments = parser.parse_args(argv)
    raise_interrupts()
    try:
        with (
            private_directory('rtvirt-demo-') as root,
            _libvirt_log(root / 'libvirt.log'),
        ):
            return tell(arguments.flavor, root, Screen())
    except KeyboardInterrupt:
        return _complain(
            'interrupted; all is given back', '', ExitCode.INTERRUPTED
        )
    except BrokenPipeError:
        # Python flushes standard output once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except RTVirtError as error:
        if arguments.debug:
            raise
        return _complain(str(error), error.hint, exit_code(error))
    except Exception as error:
        if arguments.debug:
            raise
        what = f'{type(error).__name__}: {error}'.replace('\n', ' ')
        return _complain(
            f'this should not happen: {what}',
            '--debug shows where',
            ExitCode.FAILED,
        )


@contextlib.contextmanager
def _libvirt_log(path: Path) -> Iterator[None]:
    """Have libvirt, when it is loaded, log to a file, not the terminal.

    What the caller has asked for in the environment goes first. The file's
    name is taken back out: the file goes away with its directory, and a
    libvirt that is loaded later would end over it.
    """
    if _LOG_OUTPUTS in os.environ:
        yield
        return
    os.environ[_LOG_OUTPUTS] = f'3:file:{path}'
    try:
        yield
    finally:
        del os.environ[_LOG_OUTPUTS]


def _complain(message: str, hint: str, code: int) -> int:
    sys.stderr.write(f'demo: {message}\n')
    if hint:
        sys.stderr.write(f'hint: {hint}\n')
    return code

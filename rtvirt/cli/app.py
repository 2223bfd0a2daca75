# SPDX-License-Identifier: Apache-2.0
"""The program: ``rtvirt`` starts in :func:`main`."""

from __future__ import annotations

import os
import sys

from rtvirt.cli.exitcode import ExitCode


def main(argv: list[str] | None = None) -> int:
    """Run a command line and return the exit code.

    :param argv: the arguments; those of the process where None.
    """
    # Ctrl-C and a closed pipe may come at any time, also during the imports
    # of the next line: nobody wants to see a traceback of them.
    try:
        from rtvirt.cli.shell import Shell  # noqa: PLC0415

        code: int = Shell().run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        sys.stderr.write('rtvirt: interrupted\n')
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        code = ExitCode.BROKEN_PIPE
    _drop_unwritten()
    return code


def _drop_unwritten() -> None:
    """Give up what standard output does not take.

    That it does not is known by now; Python would try once more when it
    ends, and complain.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

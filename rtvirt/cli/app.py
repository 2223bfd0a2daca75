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

        code = Shell().run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write('rtvirt: interrupted\n')
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    return code

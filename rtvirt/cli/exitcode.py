# SPDX-License-Identifier: Apache-2.0
"""How a command ends."""

from __future__ import annotations

import enum
from typing import Final

from rtvirt.exception import ConfigError
from rtvirt.exception import FitError


class ExitCode(enum.IntEnum):
    """How a command ends. Programs rely on these numbers."""

    DONE = 0
    FAILED = 1
    """It could not run: a file, the host or a plug-in is of no use."""
    USAGE = 2
    """The command line or the configuration is wrong."""
    FINDINGS = 3
    """There are findings of severity error, or worse."""
    UNFIT = 4
    """The guest does not fit the host."""
    INTERRUPTED = 130
    """SIGINT, as a shell reports it."""
    BROKEN_PIPE = 141
    """SIGPIPE, as a shell reports it: nobody read all of the output."""


def exit_code(error: BaseException) -> ExitCode:
    """Return how a command that raised this error ends."""
    for kind, code in _EXIT_CODES.items():
        if isinstance(error, kind):
            return code
    return ExitCode.FAILED


_EXIT_CODES: Final = {
    FitError: ExitCode.UNFIT,
    ConfigError: ExitCode.USAGE,
    KeyboardInterrupt: ExitCode.INTERRUPTED,
    BrokenPipeError: ExitCode.BROKEN_PIPE,
}

# SPDX-License-Identifier: Apache-2.0
"""Signals that end the demo, and that must not end its clean-up."""

from __future__ import annotations

import signal
from typing import Final
from typing import NoReturn

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def raise_interrupts() -> None:
    """Make each of the signals a KeyboardInterrupt, the first time."""
    for number in SIGNALS:
        signal.signal(number, _interrupt)


def ignore_interrupts() -> None:
    """Let the signals pass: what is cleaned up from now on has to be."""
    for number in SIGNALS:
        signal.signal(number, _ignore)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    ignore_interrupts()
    raise KeyboardInterrupt


def _ignore(_number: int, _frame: object) -> None:
    """Do nothing; SIG_IGN would go on to the processes that are started."""

# SPDX-License-Identifier: Apache-2.0
"""Calls that may hang, ended by a deadline.

Works the same under nova's native threads and under eventlet, where
``threading`` is monkey-patched: what is called there waits for sockets or
in eventlet's own thread pool, and yields.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from typing import TypeVar

from rtvirt.exception import HostError

T = TypeVar('T')


def call_within(seconds: float, what: str, call: Callable[[], T]) -> T:
    """Return what a call returns, or raise what it raises.

    A call that hangs is left to itself, in a thread that nobody waits for.

    :param what: what is tried, as in "reading domain rt1".
    :raises HostError: if it takes longer.
    """
    done = threading.Event()
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome['value'] = call()
        # It is raised again where somebody waits for it.
        except BaseException as error:  # noqa: BLE001
            outcome['error'] = error
        done.set()

    start(what, run)
    if not done.wait(seconds):
        raise HostError(
            f'{what} took longer than {seconds:g} s and was given up',
            hint='look for a process or a daemon that hangs: '
            '[rtvirt] timeout in nova.conf is how long it may take',
        )
    if 'error' in outcome:
        raise outcome['error']
    value: T = outcome['value']
    return value


def start(what: str, call: Callable[[], None]) -> threading.Thread:
    """Start a call that nobody waits for, not even the end of the process."""
    thread = threading.Thread(target=call, name=f'rtvirt {what}', daemon=True)
    thread.start()
    return thread

# SPDX-License-Identifier: Apache-2.0
"""What hangs is given up, with native threads and under eventlet."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from rtvirt.exception import HostError
from rtvirt.nova.deadline import call_within

_GREEN = """
import eventlet
eventlet.monkey_patch()
import threading, time
from eventlet import tpool
from rtvirt.exception import HostError
from rtvirt.nova.deadline import call_within

ticks = []
def others():
    while True:
        ticks.append(1)
        time.sleep(0.01)
eventlet.spawn(others)
# A call of libvirt: nova sends them to threads of eventlet's own.
hang = eventlet.patcher.original('threading').Event()
try:
    call_within(0.3, 'it', lambda: tpool.execute(hang.wait, 30))
except HostError as error:
    print(error)
assert len(ticks) > 5, ticks
assert call_within(5, 'it', lambda: tpool.execute(time.monotonic)) > 0
hang.set()
"""


def test_the_answer_comes_back() -> None:
    assert call_within(30, 'it', lambda: 42) == 42


def test_an_error_comes_back() -> None:
    with pytest.raises(ValueError, match='three'):
        call_within(30, 'it', lambda: int('three'))


def test_what_hangs_is_given_up() -> None:
    hang = threading.Event()
    before = time.monotonic()
    with pytest.raises(HostError, match=r'it took longer than 0\.1 s'):
        call_within(0.1, 'it', hang.wait)
    assert time.monotonic() - before < 20
    hang.set()


def test_others_go_on_under_eventlet() -> None:
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', _GREEN],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert 'it took longer than 0.3 s' in done.stdout

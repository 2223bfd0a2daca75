# SPDX-License-Identifier: Apache-2.0
"""A serial console, with a guest behind it that boots."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import threading
import tty
from collections.abc import Callable
from collections.abc import Iterator

import pytest

from rtvirt.exception import MeasureError
from rtvirt.measure.console import ConsoleShell
from rtvirt.measure.console import console_shell

_MARKS = re.compile(
    rb'echo rt\\(virt-\w+-a); (.*); echo rt\\(virt-\w+-z)\r', re.DOTALL
)


class Guest:
    """What is behind a console.

    :param drops: how many greetings come too early for it.
    :param says: what it prints before it takes anything in.
    """

    def __init__(self, drops: int = 0, says: bytes = b'') -> None:
        self.drops = drops
        self.says = says
        self.typed: list[bytes] = []
        self.floods = False

    def run(self, device: int, ended: threading.Event) -> None:
        """Answer until the test is over."""
        os.write(device, self.says)
        got = b''
        while not ended.is_set():
            if self.floods:
                os.write(device, b'[ 1.0] still booting\r\n')
            if not select.select([device], [], [], 0.005)[0]:
                continue
            got += os.read(device, 4096)
            while match := _MARKS.search(got):
                got = got[match.end() :]
                self.typed.append(match[2])
                if self.drops:
                    self.drops -= 1
                    continue
                os.write(device, b'rt%s\r\n\r\nrt%s\r\n' % match.group(1, 3))


Opened = Callable[[Guest, float], ConsoleShell]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Open a console with a guest behind it."""
    monkeypatch.setattr('rtvirt.measure.console._PROBE_S', 0.03)
    monkeypatch.setattr('rtvirt.measure.console._SILENCE_S', 0.01)
    monkeypatch.setattr('rtvirt.measure.console._QUIET_S', 0.02)
    with contextlib.ExitStack() as stack:

        def make(guest: Guest, timeout_s: float) -> ConsoleShell:
            inside, outside = pty.openpty()
            tty.setraw(outside)
            stack.callback(os.close, inside)
            stack.callback(os.close, outside)
            ended = threading.Event()
            thread = threading.Thread(target=guest.run, args=(inside, ended))
            thread.start()
            stack.callback(thread.join)
            stack.callback(ended.set)
            shell = console_shell('rt1', os.ttyname(outside), timeout_s)
            return stack.enter_context(shell)

        yield make


def test_a_shell_that_is_there_answers(opened: Opened) -> None:
    guest = Guest()
    shell = opened(guest, 10)
    assert shell.name == 'rt1'
    assert guest.typed


def test_a_guest_that_boots_is_asked_again(opened: Opened) -> None:
    guest = Guest(drops=2, says=b'[    0.5] Run /init as init process\r\n')
    opened(guest, 10)
    assert len(guest.typed) > 2


@pytest.mark.parametrize('floods', [False, True])
def test_a_guest_without_a_shell_is_given_up(
    opened: Opened, floods: bool
) -> None:
    guest = Guest(drops=1000, says=b'Kernel panic: no init\r\n')
    guest.floods = floods
    with pytest.raises(MeasureError, match='no shell answers on') as caught:
        opened(guest, 0.1)
    assert '--console-timeout' in caught.value.hint


def test_somebody_has_to_log_in(opened: Opened) -> None:
    guest = Guest(drops=1000, says=b'Debian 12\r\nrt1 login: ')
    with pytest.raises(MeasureError, match="it shows 'rt1 login:") as caught:
        opened(guest, 600)
    assert 'log in as root' in caught.value.hint
    # It is not asked for ten minutes whether somebody has.
    assert len(guest.typed) < 50


def test_a_console_that_goes_away_is_told() -> None:
    inside, outside = pty.openpty()
    tty.setraw(outside)
    os.close(inside)
    try:
        with pytest.raises(MeasureError, match='console of rt1 is gone'):
            ConsoleShell('rt1', outside, 600)
    finally:
        os.close(outside)


def test_a_guest_that_stands_still_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('rtvirt.measure.console._HELLO_S', 0.05)
    inside, outside = pty.openpty()
    tty.setraw(outside)
    os.set_blocking(outside, False)
    try:
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(outside, bytes(1024))
        with pytest.raises(MeasureError, match='takes nothing in') as caught:
            ConsoleShell('rt1', outside, 600)
    finally:
        os.close(inside)
        os.close(outside)
    assert 'virsh domstate rt1' in caught.value.hint

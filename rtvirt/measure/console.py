# SPDX-License-Identifier: Apache-2.0
"""A guest behind a shell on its serial console.

A line of text and nothing else goes both ways, the kernel's messages among
it. So a script is sent in base64 in pieces, its output comes back compressed
and in base64 between marks, with its length and checksum; what does not
agree is asked for again.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import itertools
import os
import re
import select
import termios
import time
import tty
import zlib
from collections.abc import Iterator
from typing import Final

from rtvirt.exception import MeasureError
from rtvirt.latency.evidence import Where
from rtvirt.measure.machine import Output

_LINE: Final = 240
"""Characters of a line: a console's line discipline takes 4095, an emulated
serial port loses what comes too fast."""
_TRIES: Final = 3
_HELLO_S: Final = 20
_FETCH_S: Final = 120
_LIMIT: Final = 1 << 26

_GREETING: Final = (
    'stty -echo 2>/dev/null; PS1=; PS2=; umask 077; f=/tmp/.rtvirt-$$'
)
_RUN: Final = (
    "{{ ( {text} ) ; echo $? >$f.code; }} >$f.out 2>$f.err </dev/null"
)
_FETCH: Final = (
    'for n in code out err; do wc -c <$f.$n; gzip -c $f.$n | base64; '
    "echo -; done"
)


class ConsoleShell:
    """Scripts over a serial console.

    :param name: the domain's.
    :param device: the host's side of the console, open and raw.
    """

    where = Where.CONSOLE

    def __init__(self, name: str, device: int) -> None:
        self.name = name
        self._device = device
        self._marks = itertools.count(int(time.time()) % 100_000)
        self._greet()

    def script(self, text: str, timeout_s: float) -> Output:
        """Run a script to its end."""
        if '\n' in text or len(text) > _LINE:
            encoded = base64.b64encode(text.encode()).decode()
            self._say(': >$f.in')
            for start in range(0, len(encoded), _LINE):
                piece = encoded[start : start + _LINE]
                self._say(f'echo {piece} >>$f.in')
            text = 'base64 -d $f.in | sh'
        self._talk(_RUN.format(text=text), timeout_s)
        return self._fetch()

    def close(self) -> None:
        """Remove the files of scripts, and have the shell echo again."""
        with contextlib.suppress(MeasureError):
            self._say('rm -f $f.*; stty echo 2>/dev/null')

    def _greet(self) -> None:
        """Make sure that a shell answers, and have it be quiet.

        :raises MeasureError: if none does: somebody has to log in.
        """
        # What is half typed there is dropped first (Ctrl-C), and so is what
        # the console still has to tell.
        os.write(self._device, b'\x03\r')
        time.sleep(0.2)
        seen = self._drain()
        try:
            self._talk(_GREETING, _HELLO_S)
        except MeasureError as error:
            last = seen.strip().splitlines()[-1:] or ['nothing']
            raise MeasureError(
                f'no shell answers on the console of {self.name}; it shows '
                f'{last[0].strip()!r:.80}',
                hint='log in as root on its serial console (virsh console), '
                'leave with Ctrl-], and try again; or use the guest agent',
            ) from error

    def _say(self, line: str) -> None:
        """Have the shell run a line, and wait until it has."""
        self._talk(line, _HELLO_S)

    def _fetch(self) -> Output:
        """Return what a script left, asked for until it comes whole."""
        for _ in range(_TRIES):
            answer = self._talk(_FETCH, _FETCH_S)
            parts = [_unpack(part) for part in answer.split('-')[:3]]
            whole = [part for part in parts if part is not None]
            if len(whole) == 3 and whole[0].strip().isdecimal():
                code, *texts = whole
                return Output(code=int(code), stdout=texts[0], stderr=texts[1])
        raise MeasureError(
            f'what comes over the console of {self.name} is garbled',
            hint='does somebody else type there? Have the kernel be quiet '
            'there: dmesg -n 1',
        )

    def _talk(self, line: str, timeout_s: float) -> str:
        """Run a line; return what it printed."""
        mark = f'{next(self._marks):x}'
        # The marks as typed are not the marks as printed.
        sent = f"echo 'rt'virt-{mark}-a; {line}; echo 'rt'virt-{mark}-z\r"
        os.write(self._device, sent.encode())
        begin, end = f'rtvirt-{mark}-a', f'rtvirt-{mark}-z'
        text = self._read_until(end, timeout_s)
        return text.rpartition(end)[0].partition(begin)[2].strip('\r\n')

    def _read_until(self, mark: str, timeout_s: float) -> str:
        deadline = time.monotonic() + timeout_s
        found = bytearray()
        pattern = re.compile(re.escape(mark.encode()))
        while not pattern.search(found, max(len(found) - 8192, 0)):
            left = deadline - time.monotonic()
            if left <= 0 or len(found) > _LIMIT:
                raise MeasureError(
                    f'the console of {self.name} does not answer'
                )
            if select.select([self._device], [], [], left)[0]:
                with contextlib.suppress(BlockingIOError):
                    found += os.read(self._device, 65536)
        return found.decode(errors='replace')

    def _drain(self) -> str:
        """Return what is there to be read."""
        found = bytearray()
        while select.select([self._device], [], [], 0.1)[0]:
            piece = os.read(self._device, 65536)
            if not piece:
                break
            found += piece
        return found.decode(errors='replace')


def _unpack(text: str) -> str | None:
    """Return a file's content; None where it did not come whole."""
    size, *lines = text.split() or ['']
    try:
        packed = base64.b64decode(''.join(lines), validate=True)
        content = gzip.decompress(packed)
    except (ValueError, OSError, EOFError, zlib.error):
        return None
    if size != str(len(content)):
        return None
    return content.decode(errors='replace')


@contextlib.contextmanager
def console_shell(name: str, path: str) -> Iterator[ConsoleShell]:
    """Open the host's side of a console (``<serial type='pty'>``).

    :raises MeasureError: if it cannot be opened, or no shell answers.
    """
    try:
        device = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise MeasureError(
            f'cannot open {path}, the console of {name}: {error.strerror}'
        ) from error
    try:
        with contextlib.suppress(termios.error):
            # What is shown there already may tell who asks for a login.
            tty.setraw(device, termios.TCSANOW)
        shell = ConsoleShell(name, device)
        try:
            yield shell
        finally:
            shell.close()
    finally:
        os.close(device)

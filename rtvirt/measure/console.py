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
_PROBE_S: Final = 5.0
"""After that a greeting counts as lost: a guest that boots drops what comes
before its shell is there."""
_FETCH_S: Final = 120
_SILENCE_S: Final = 0.2
_QUIET_S: Final = 2.0
"""How long the kernel's messages are waited for to end."""
_LIMIT: Final = 1 << 26
_LOGIN: Final = re.compile(r'(?:login|[Pp]assword): *(?:echo .*)?\Z')
"""A last line that only somebody who logs in changes; after it stands what
was taken for a name."""

SHELL_S: Final = 60
"""How long a shell may take to answer, unless somebody says otherwise."""

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
    :param timeout_s: how long a shell may take to answer, as after a boot.
    :raises MeasureError: if none does: somebody has to log in.
    """

    where = Where.CONSOLE

    def __init__(
        self, name: str, device: int, timeout_s: float = SHELL_S
    ) -> None:
        self.name = name
        self._device = device
        self._marks = itertools.count(int(time.time()) % 100_000)
        self._greet(timeout_s)

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

    def _greet(self, timeout_s: float) -> None:
        """Make sure that a shell answers, and have it be quiet.

        It is asked again and again: what a guest that boots is told before
        its shell runs is lost, or comes in half.
        """
        deadline = time.monotonic() + timeout_s
        _, end, sent = self._frame(_GREETING)
        shown = ''
        while (left := deadline - time.monotonic()) > 0:
            # What is half typed there is dropped first (Ctrl-C), and so is
            # what the console still has to tell.
            self._write(b'\x03\r')
            shown = self._read('', min(_QUIET_S, left)) or shown
            # A greeting of before may have been answered late.
            if end not in shown:
                self._write(sent)
                left = deadline - time.monotonic()
                shown += self._read(end, min(_PROBE_S, left))
            if end in shown:
                return
            if _LOGIN.search(shown.rstrip('\r\n')):
                break
        last = shown.strip().splitlines()[-1:] or ['nothing']
        raise MeasureError(
            f'no shell answers on the console of {self.name}; it shows '
            f'{last[0].strip()!r:.80}',
            hint='log in as root on its serial console (virsh console), '
            'leave with Ctrl-], and try again; give one that still boots '
            'more time (--console-timeout); or use the guest agent (--via '
            'agent)',
        )

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
            hint='have the kernel be quiet there (dmesg -n 1), and nobody '
            'else type',
        )

    def _talk(self, line: str, timeout_s: float) -> str:
        """Run a line; return what it printed."""
        begin, end, sent = self._frame(line)
        self._write(sent)
        text = self._read(end, timeout_s)
        if end not in text:
            raise MeasureError(
                f'the console of {self.name} does not answer within '
                f'{timeout_s:.0f} s',
                hint='look whether somebody else types there, or the guest '
                f'hangs: virsh console {self.name}',
            )
        return text.rpartition(end)[0].partition(begin)[2].strip('\r\n')

    def _frame(self, line: str) -> tuple[str, str, bytes]:
        """Return the marks before and after its output, and what to type."""
        mark = f'{next(self._marks):x}'
        # The marks as typed are not the marks as printed. And not with a
        # quote: if half of it is lost, the shell waits for the other one,
        # and Ctrl-C may not reach it, for init starts some without a
        # controlling terminal.
        sent = rf'echo rt\virt-{mark}-a; {line}; echo rt\virt-{mark}-z' '\r'
        return f'rtvirt-{mark}-a', f'rtvirt-{mark}-z', sent.encode()

    def _write(self, data: bytes) -> None:
        """Type something; a guest that stands still takes nothing in."""
        while data:
            if not select.select([], [self._device], [], _HELLO_S)[1]:
                raise MeasureError(
                    f'the console of {self.name} takes nothing in',
                    hint=f'see whether the guest is paused: virsh domstate '
                    f'{self.name}',
                )
            with contextlib.suppress(BlockingIOError), self._ending():
                data = data[os.write(self._device, data) :]

    def _read(self, mark: str, timeout_s: float) -> str:
        """Return what comes until there is a mark, or the time is over.

        Without a mark: until nothing comes for a moment.
        """
        deadline = time.monotonic() + timeout_s
        found = bytearray()
        pattern = re.compile(re.escape(mark.encode()))
        while len(found) <= _LIMIT:
            if mark and pattern.search(found, max(len(found) - 8192, 0)):
                break
            left = deadline - time.monotonic()
            pause = left if mark else min(left, _SILENCE_S)
            if (
                left <= 0
                or not select.select([self._device], [], [], pause)[0]
            ):
                break
            with contextlib.suppress(BlockingIOError), self._ending():
                found += os.read(self._device, 65536)
        return found.decode(errors='replace')

    @contextlib.contextmanager
    def _ending(self) -> Iterator[None]:
        """Say that the console is gone where the kernel says so."""
        try:
            yield
        except BlockingIOError:
            raise
        except OSError as error:
            raise MeasureError(
                f'the console of {self.name} is gone: {error.strerror}',
                hint=f'see whether the domain still runs: virsh domstate '
                f'{self.name}',
            ) from error


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
def console_shell(
    name: str, path: str, timeout_s: float = SHELL_S
) -> Iterator[ConsoleShell]:
    """Open the host's side of a console (``<serial type='pty'>``).

    :param timeout_s: how long a shell may take to answer, as after a boot.
    :raises MeasureError: if it cannot be opened, or no shell answers.
    """
    try:
        device = os.open(
            path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        )
    except OSError as error:
        raise MeasureError(
            f'cannot open {path}, the console of {name}: {error.strerror}',
            hint='run this as root, on the host of the domain, outside of '
            'containers',
        ) from error
    try:
        with contextlib.suppress(termios.error):
            # What is shown there already may tell who asks for a login.
            tty.setraw(device, termios.TCSANOW)
        shell = ConsoleShell(name, device, timeout_s)
        try:
            yield shell
        finally:
            shell.close()
    finally:
        os.close(device)

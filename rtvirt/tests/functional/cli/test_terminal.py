# SPDX-License-Identifier: Apache-2.0
"""The program as a person meets it: a process on a terminal or in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[4] / 'etc' / 'rtvirt'
HOST = str(SAMPLES / 'hosts' / 'nps4-128.xml')
SHOW = ('host', 'show', '--host', HOST, '--dedicated', '2-63,66-127')
COMMAND = (sys.executable, '-m', 'rtvirt')


def on_terminal(*argv: str, width: int, **environ: str) -> tuple[int, str]:
    """Run on a pseudo-terminal; return the exit code and what it shows."""
    main, side = pty.openpty()
    size = struct.pack('HHHH', 50, width, 0, 0)
    fcntl.ioctl(side, termios.TIOCSWINSZ, size)
    base = {
        key: value
        for key, value in os.environ.items()
        if key not in {'NO_COLOR', 'COLUMNS', 'LINES', 'TERM'}
    }
    process = subprocess.Popen(
        [*COMMAND, *argv],
        stdin=side,
        stdout=side,
        stderr=side,
        env={**base, 'TERM': 'xterm', **environ},
    )
    os.close(side)
    shown = b''
    while True:
        try:
            data = os.read(main, 65536)
        except OSError:  # EIO: the process has ended
            break
        shown += data
    os.close(main)
    return process.wait(timeout=60), shown.decode().replace('\r\n', '\n')


@pytest.mark.parametrize('width', [80, 120])
def test_tables_fit_the_terminal(width: int) -> None:
    code, shown = on_terminal(*SHOW, width=width, NO_COLOR='1')
    assert code == 0
    assert max(map(len, shown.splitlines())) <= width
    code, shown = on_terminal('flavor', 'list-specs', width=width)
    assert code == 0
    assert max(map(len, shown.splitlines())) <= width
    assert 'hw:cpu_realtime_mask' in shown


def test_headings_are_bold_on_a_terminal_alone() -> None:
    _, shown = on_terminal(*SHOW, width=120)
    assert '\033[1mCells\033[0m\n' in shown
    for environ in ({'NO_COLOR': '1'}, {'TERM': 'dumb'}):
        _, shown = on_terminal(*SHOW, width=120, **environ)
        assert '\033' not in shown
    piped = subprocess.run(
        [*COMMAND, *SHOW], capture_output=True, check=True, text=True
    )
    assert '\033' not in piped.stdout
    assert piped.stderr == ''


def test_ctrl_c_is_one_line() -> None:
    # With nothing on standard input the program waits for a flavor.
    reader, writer = os.pipe()
    with subprocess.Popen(
        [*COMMAND, '-v', 'flavor', 'show', '-'],
        stdin=reader,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(reader)
        # It has read the byte: it is past its imports and wants more.
        os.write(writer, b'a')
        while _unread(writer):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    os.close(writer)
    assert (process.returncode, out) == (130, b'')
    assert err == b'rtvirt: interrupted\n'


def _unread(pipe: int) -> int:
    """Return how many bytes wait in a pipe."""
    answer = fcntl.ioctl(pipe, termios.FIONREAD, b'\0' * 4)
    (count,) = struct.unpack('i', answer)
    return int(count)


def test_the_installed_program_is_the_same() -> None:
    script = Path(sys.executable).with_name('rtvirt')
    assert script.exists(), 'rtvirt is not installed in this environment'
    done = subprocess.run(
        [script, *SHOW], capture_output=True, check=True, text=True
    )
    other = subprocess.run(
        [*COMMAND, *SHOW], capture_output=True, check=True, text=True
    )
    assert done.stdout == other.stdout


def test_help_imports_neither_oslo_nor_libvirt() -> None:
    code = (
        'import sys\n'
        'from rtvirt.cli.app import main\n'
        'main(["--help"])\n'
        'slow = {"oslo_config", "libvirt", "lxml", "yaml", "cmd2"}\n'
        'print(slow & set(sys.modules), file=sys.stderr)\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stderr == 'set()\n'

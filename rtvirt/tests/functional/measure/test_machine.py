# SPDX-License-Identifier: Apache-2.0
"""Programs behind a shell, which here is one of this machine."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt.exception import MeasureError
from rtvirt.latency.evidence import Where
from rtvirt.measure.console import console_shell
from rtvirt.measure.guest_facts import read_guest_facts
from rtvirt.measure.machine import Machine
from rtvirt.measure.machine import Output
from rtvirt.measure.process import LocalMachine
from rtvirt.measure.process import run
from rtvirt.measure.shell import ShellMachine

# What cyclictest does with signals, in two lines.
TOOL = """\
import signal, sys, time

def tell(*_):
    print('told', file=sys.stderr, flush=True)

def stop(*_):
    print('stopped', sys.argv[1:])
    sys.exit(0)

signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGUSR1, tell)
print('ready', file=sys.stderr, flush=True)
time.sleep(float(sys.argv[1]))
print('done', sys.argv[1:])
"""
ODD = ["it's", '"a"', '$HOME', '`b`', 'c\\d', 'e  f', '*', 'ü', '; exit 9']


class PlainShell:
    """sh of this machine."""

    where = Where.SSH
    name = 'here'

    def script(self, text: str, timeout_s: float) -> Output:
        return run(['sh', '-c', text], timeout_s)


@contextlib.contextmanager
def shell_on_console(lost: int = 0) -> Iterator[str]:
    """Run a shell on a terminal; yield the other end's name.

    :param lost: how many bytes that are typed get lost, as in a guest that
        boots.
    """
    # As QEMU does: the shell is behind one end, the pty of the host is
    # another, and bytes are passed on between them.
    inner, inner_name = pty.openpty()
    outer, outer_name = pty.openpty()
    shell = subprocess.Popen(
        ['sh', '-i'],
        stdin=inner_name,
        stdout=inner_name,
        stderr=inner_name,
        start_new_session=True,
        env={**os.environ, 'PS1': 'guest# '},
    )
    relay = subprocess.Popen(
        ['python3', '-c', RELAY, str(inner), str(outer), str(lost)],
        pass_fds=(inner, outer),
    )
    try:
        yield os.ttyname(outer_name)
    finally:
        for process in (relay, shell):
            process.kill()
            process.wait()
        for handle in (inner, inner_name, outer, outer_name):
            os.close(handle)


RELAY = """\
import os, select, sys, tty
one, two, lost = map(int, sys.argv[1:])
other = {one: two, two: one}
while True:
    for handle in select.select([one, two], [], [])[0]:
        data = os.read(handle, 4096)
        if handle == two:
            lost, data = max(0, lost - len(data)), data[lost:]
        os.write(other[handle], data)
"""


@pytest.fixture(scope='module', params=['local', 'shell', 'console'])
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Each way to run a program."""
    if request.param == 'local':
        yield LocalMachine()
    elif request.param == 'shell':
        yield ShellMachine(PlainShell())
    else:
        with shell_on_console() as path, console_shell('rt1', path) as shell:
            yield ShellMachine(shell)


def test_words_arrive_as_they_are(machine: Machine) -> None:
    done = machine.run(['printf', '%s\\n', *ODD])
    assert done.stdout.splitlines() == ODD
    assert (done.code, done.stderr) == (0, '')


def test_a_failure_is_told(machine: Machine) -> None:
    done = machine.run(['sh', '-c', 'echo out; echo err >&2; exit 3'])
    assert (done.code, done.stdout, done.stderr) == (3, 'out\n', 'err\n')


def test_a_program_that_is_not_there_is_named(machine: Machine) -> None:
    with pytest.raises(MeasureError, match="no program 'oslat-99'"):
        machine.start(['oslat-99'])


@pytest.fixture
def tool(tmp_path: Path) -> list[str]:
    path = tmp_path / 'tool.py'
    path.write_text(TOOL)
    return ['python3', str(path)]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_job_is_interrupted_and_says_what_it_has(
    machine: Machine, tool: list[str]
) -> None:
    job = machine.start([*tool, '60', *ODD])
    # SIGINT before its handler stands would end it; SIGUSR1 is not sent.
    # Only one that has another thread beside its own measures.
    until(lambda: 'ready' in job.ask(1))
    assert 'told' not in job.ask(1)
    until(lambda: 'told' in job.ask(0))
    assert not job.ended()
    job.interrupt()
    output = job.output()
    assert output.stdout == f'stopped {["60", *ODD]}\n'
    assert output.code == 0
    assert output.stderr.startswith('ready\ntold\n')


def test_a_job_ends_by_itself(machine: Machine, tool: list[str]) -> None:
    job = machine.start([*tool, '0'])
    assert job.output().stdout == "done ['0']\n"


def test_a_job_is_ended(machine: Machine) -> None:
    job = machine.start(['sleep', '61'])
    job.end()


def test_much_comes_whole(machine: Machine) -> None:
    job = machine.start(['seq', '20000'])
    lines = job.output().stdout.split()
    assert lines == [str(number) for number in range(1, 20001)]


def test_facts_are_read(machine: Machine) -> None:
    facts = read_guest_facts(machine)
    assert facts.kernel.release == os.uname().release


# Of each greeting something is lost: all of it, or what leaves the shell
# behind an open quote.
@pytest.mark.parametrize('lost', [10, 120, 150])
def test_a_console_whose_guest_boots_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    monkeypatch.setattr('rtvirt.measure.console._PROBE_S', 0.5)
    with (
        shell_on_console(lost) as path,
        console_shell('rt1', path) as shell,
    ):
        assert shell.script('echo $((6 * 7))', 20).stdout == '42\n'


def test_a_console_without_a_shell_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outer, name = pty.openpty()
    os.write(outer, b'\r\nrt1 login: ')
    console = console_shell('rt1', os.ttyname(name), 0.3)
    try:
        with pytest.raises(MeasureError) as caught:
            console.__enter__()
    finally:
        os.close(outer)
        os.close(name)
    assert "it shows 'rt1 login:" in str(caught.value)
    assert 'log in as root' in caught.value.hint

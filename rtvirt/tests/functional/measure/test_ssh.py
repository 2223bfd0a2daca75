# SPDX-License-Identifier: Apache-2.0
"""A real sshd, for this test alone: own keys, own port, ended by its id."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt.exception import ConfigError
from rtvirt.exception import MeasureError
from rtvirt.latency.evidence import Where
from rtvirt.measure.shell import ShellMachine
from rtvirt.measure.ssh import ssh_shell
from rtvirt.tests.require import require
from rtvirt.tests.require import require_program

SSHD = '/usr/sbin/sshd'
CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {directory}/host
AuthorizedKeysFile {directory}/user.pub
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PidFile none
StrictModes no
UsePAM no
"""
ODD = ["it's", '"a"', '$HOME', '`b`', 'c\\d', 'e  f', '*', 'ü', '; exit 9']


@pytest.fixture(scope='module')
def options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Start sshd; return what ssh needs to reach it."""
    require(Path(SSHD).exists(), 'the package openssh-server is missing')
    keygen = require_program('ssh-keygen')
    directory = tmp_path_factory.mktemp('sshd')
    for name in ('host', 'user'):
        subprocess.run(
            [keygen, '-q', '-t', 'ed25519', '-N', '', '-f', directory / name],
            check=True,
        )
    # sshd refuses to start without the place that it is confined to.
    if os.geteuid() == 0:
        Path('/run/sshd').mkdir(mode=0o755, exist_ok=True)
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    config = directory / 'sshd_config'
    config.write_text(CONFIG.format(port=port, directory=directory))
    with (directory / 'log').open('wb') as log:
        sshd = subprocess.Popen(
            [SSHD, '-D', '-e', '-f', config],
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        wait_for(port, sshd, directory / 'log')
        yield [
            *('-F', 'none', '-p', str(port), '-i', str(directory / 'user')),
            *('-o', 'StrictHostKeyChecking=no', '-o', 'LogLevel=ERROR'),
            *('-o', f'UserKnownHostsFile={directory}/known'),
        ]
    finally:
        sshd.terminate()
        sshd.wait(10)


def wait_for(port: int, sshd: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
        except OSError:
            gone = sshd.poll() is not None or time.monotonic() > deadline
            assert not gone, log.read_text()
            time.sleep(0.05)
        else:
            return


def me() -> str:
    return f'{pwd.getpwuid(os.geteuid()).pw_name}@127.0.0.1'


def test_a_machine_behind_ssh(options: list[str]) -> None:
    with ssh_shell(me(), options) as shell:
        machine = ShellMachine(shell)
        assert (machine.where, machine.name) == (Where.SSH, me())
        done = machine.run(['printf', '%s\\n', *ODD])
        assert done.stdout.splitlines() == ODD
        job = machine.start(['sh', '-c', 'echo out; echo err >&2; exit 3'])
        output = job.output()
        assert (output.code, output.stdout, output.stderr) == (
            3,
            'out\n',
            'err\n',
        )
        with pytest.raises(MeasureError, match="no program 'oslat-99' on"):
            machine.start(['oslat-99'])


def test_one_that_is_not_reached_is_named() -> None:
    with (
        pytest.raises(MeasureError, match='ssh does not reach') as caught,
        ssh_shell('nobody@127.0.0.1', ['-F', 'none', '-p', '1']),
    ):
        pass
    assert 'Connection refused' in str(caught.value)


@pytest.mark.parametrize('destination', ['', '-oProxyCommand=touch /tmp/x'])
def test_an_option_is_no_destination(destination: str) -> None:
    with (
        pytest.raises(ConfigError, match=r'is no USER@HOST'),
        ssh_shell(destination),
    ):
        pass

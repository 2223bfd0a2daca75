# SPDX-License-Identifier: Apache-2.0
"""A machine behind a real sshd."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rtvirt.exception import ConfigError
from rtvirt.exception import MeasureError
from rtvirt.latency.evidence import Where
from rtvirt.measure.shell import ShellMachine
from rtvirt.measure.ssh import ssh_shell
from rtvirt.tests.fixtures.sshd import me
from rtvirt.tests.fixtures.sshd import private_sshd

ODD = ["it's", '"a"', '$HOME', '`b`', 'c\\d', 'e  f', '*', 'ü', '; exit 9']


@pytest.fixture(scope='module')
def options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What ssh needs to reach it."""
    with private_sshd(tmp_path_factory.mktemp('sshd')) as options:
        yield options


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

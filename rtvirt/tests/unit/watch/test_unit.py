# SPDX-License-Identifier: Apache-2.0
"""The example of a systemd unit is one, and calls a command that is there."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rtvirt.cli.app import main
from rtvirt.exception import HostError
from rtvirt.watch import watcher

UNIT = (
    Path(__file__).parents[4]
    / 'etc'
    / 'rtvirt'
    / 'systemd'
    / 'rtvirt-watch.service'
)


@pytest.fixture
def unit() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text())
    return parser


def test_the_command_is_one_of_rtvirt(
    unit: configparser.RawConfigParser,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip('prometheus_client')

    def refuse(uri: str, *, wanted: object) -> None:
        raise HostError(f'{uri} is not asked here')

    monkeypatch.setattr(watcher, 'read_running', refuse)
    program, *words = shlex.split(unit['Service']['ExecStart'])
    assert Path(program).name == 'rtvirt'
    words = [word.replace(':9177', ':0') for word in words]
    assert main([*words, '--once']) == 1
    assert 'qemu:///system is not asked' in capsys.readouterr().out


def test_systemd_takes_it(tmp_path: Path) -> None:
    """The program is not where the example has it: any other will do."""
    verifier = shutil.which('systemd-analyze')
    if verifier is None:
        pytest.skip('systemd-analyze is not installed')
    copy = tmp_path / UNIT.name
    text = UNIT.read_text()
    assert '/usr/bin/rtvirt ' in text
    copy.write_text(text.replace('/usr/bin/rtvirt ', f'{sys.executable} '))
    done = subprocess.run(
        [verifier, 'verify', copy], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
    copy.write_text(copy.read_text().replace('NoNewPrivileges', 'NoPrivilege'))
    done = subprocess.run(
        [verifier, 'verify', copy], capture_output=True, text=True, check=False
    )
    assert 'NoPrivilege' in done.stderr

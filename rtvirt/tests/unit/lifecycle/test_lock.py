# SPDX-License-Identifier: Apache-2.0
"""The lock: one at a time, given back by the kernel, and told in a line."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rtvirt.exception import HostError
from rtvirt.lifecycle.lock import host_lock

HOLDER = """\
import sys, time
from rtvirt.lifecycle.lock import host_lock
with host_lock('h', sys.argv[1], 5):
    print('held', flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / 'lock')


def test_it_is_for_a_group_whatever_the_umask(path: str) -> None:
    before = os.umask(0o077)
    try:
        with host_lock('h', path, 0):
            pass
    finally:
        os.umask(before)

    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o2770
    assert stat.S_IMODE(Path(path, 'host-h').stat().st_mode) == 0o660


def test_whoever_is_killed_gives_it_back(path: str) -> None:
    with subprocess.Popen(
        [sys.executable, '-c', HOLDER, path],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == 'held\n'
            with (
                pytest.raises(HostError) as caught,
                host_lock('h', path, 0.1),
            ):
                pass
            with host_lock('other', path, 0):
                pass
        finally:
            process.send_signal(signal.SIGKILL)

    assert f'process {process.pid} has held it' in str(caught.value)
    assert '\n' not in str(caught.value)
    assert f'ps -p {process.pid}' in caught.value.hint
    with host_lock('h', path, 0):
        pass


def test_threads_of_one_process_take_turns(path: str) -> None:
    """A record lock does not keep them apart: it is the process's."""
    inside = threading.Event()
    go = threading.Event()

    def hold() -> None:
        with host_lock('h', path, 1):
            inside.set()
            go.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert inside.wait(10)
        with pytest.raises(HostError), host_lock('h', path, 0.05):
            pass
        # To ask for it has not taken it from its holder.
        other = subprocess.run(
            [sys.executable, '-c', HOLDER.replace(', 5)', ', 0.05)'), path],
            stderr=subprocess.DEVNULL,
            check=False,
        )
        assert other.returncode
    finally:
        go.set()
        thread.join()
    with host_lock('h', path, 0):
        pass


def test_it_is_given_back_after_an_error(path: str) -> None:
    with pytest.raises(KeyError), host_lock('h', path, 0):
        raise KeyError
    with host_lock('h', path, 0):
        pass


@pytest.mark.parametrize('host', ['', '../../etc/x', 'a/b', 'ü' * 300])
def test_no_name_leads_out_of_the_directory(path: str, host: str) -> None:
    with host_lock(host, path, 0):
        (file,) = Path(path).iterdir()
        assert file.name.startswith('host-')


def test_where_it_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    with (
        pytest.raises(HostError) as caught,
        host_lock('h', str(tmp_path / 'file' / 'lock'), 0),
    ):
        pass

    assert 'Not a directory' in str(caught.value)
    assert 'lock_path' in caught.value.hint


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / 'lock').mkdir()
    (tmp_path / 'lock' / 'host-h').symlink_to(tmp_path / 'elsewhere')
    with (
        pytest.raises(HostError, match='cannot be had'),
        host_lock('h', str(tmp_path / 'lock'), 0),
    ):
        pass
    assert not (tmp_path / 'elsewhere').exists()

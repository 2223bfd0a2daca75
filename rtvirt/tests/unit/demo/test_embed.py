# SPDX-License-Identifier: Apache-2.0
"""What was started in a directory is ended with it, and nothing else."""

import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from rtvirt.demo import embed
from rtvirt.demo.embed import end_process
from rtvirt.demo.embed import end_processes
from rtvirt.demo.embed import private_directory
from rtvirt.demo.embed import qemu_conf

DEAF = 'import signal; signal.signal(15, signal.SIG_IGN)\n'
WAIT = 'print("up", flush=True)\ninput()\n'


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for child in started:
        child.kill()
        child.communicate()


def start(
    children: list[subprocess.Popen[str]], *arguments: str, code: str = WAIT
) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, '-c', code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    children.append(child)
    assert child.stdout is not None
    assert child.stdout.readline() == 'up\n'
    return child


def test_only_processes_of_the_directory_are_ended(
    tmp_path: pathlib.Path, children: list[subprocess.Popen[str]]
) -> None:
    ours = start(children, f'-pidfile={tmp_path}/x.pid')
    longer = start(children, f'-pidfile={tmp_path}er/x.pid')
    others = start(children)

    end_processes(tmp_path)

    assert ours.wait() == -signal.SIGTERM
    assert longer.poll() is None
    assert others.poll() is None


def test_who_does_not_listen_is_made_to_end(
    monkeypatch: pytest.MonkeyPatch, children: list[subprocess.Popen[str]]
) -> None:
    monkeypatch.setattr(embed, '_GRACE_S', 0.1)
    deaf = start(children, code=DEAF + WAIT)

    end_process(deaf.pid)

    assert deaf.wait() == -signal.SIGKILL


def test_who_has_ended_already_is_no_error(
    children: list[subprocess.Popen[str]],
) -> None:
    child = start(children)
    child.kill()
    child.wait()

    end_process(child.pid)


def test_a_private_directory_goes_with_all_that_is_in_it() -> None:
    with private_directory() as path:
        assert path.stat().st_mode & 0o777 == 0o700
        (path / 'a').mkdir()
        (path / 'a' / 'b').touch()

    assert not path.exists()


def test_the_configuration_names_the_mount(tmp_path: pathlib.Path) -> None:
    assert f'hugetlbfs_mount = "{tmp_path}"\n' in qemu_conf(tmp_path)
    assert 'hugetlbfs_mount' not in qemu_conf()
    assert 'cgroup_controllers = []\n' in qemu_conf()

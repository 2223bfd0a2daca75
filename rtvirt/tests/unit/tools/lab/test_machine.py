# SPDX-License-Identifier: Apache-2.0
"""An emulated host is ended with its directory, and nothing else is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.lab.emulator import command
from tools.lab.error import LabError
from tools.lab.image import Image
from tools.lab.machine import discard
from tools.lab.topology import TOPOLOGIES
from tools.lab.topology import Topology


@contextlib.contextmanager
def sleeper(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Have a process with these on its command line."""
    with subprocess.Popen(
        [sys.executable, '-c', 'input()', *arguments], stdin=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """That of a host."""
    directory = tmp_path / 'rtvirt-lab-x'
    directory.mkdir()
    (directory / 'origin').write_text('talk\n/image\n/kernel\nrt-host\n')
    return directory


@pytest.mark.parametrize('way', ['absolute', 'relative'])
def test_only_who_has_its_disk_is_ended(
    directory: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(directory.parent)
    named = directory if way == 'absolute' else Path(directory.name)
    with (
        sleeper(f'file={directory}/root.qcow2,if=none') as emulator,
        sleeper(f'{directory}/console.log') as reader,
        sleeper(f'file={directory}y/root.qcow2,if=none') as other,
    ):
        discard(named)

        assert emulator.wait() == -signal.SIGTERM
        assert reader.poll() is None
        assert other.poll() is None
    assert not directory.exists()


def test_a_directory_of_somebody_else_stays(tmp_path: Path) -> None:
    with pytest.raises(LabError, match='no host of the lab'):
        discard(tmp_path)

    assert tmp_path.exists()


@pytest.mark.parametrize('topology', TOPOLOGIES.values(), ids=TOPOLOGIES)
def test_the_disk_is_on_the_command_line_and_all_pcpus(
    topology: Topology, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the first it is found to be ended."""
    bin_directory = directory / 'bin'
    bin_directory.mkdir()
    program = bin_directory / 'qemu-system-x86_64'
    program.touch(0o755)
    monkeypatch.setenv('PATH', str(bin_directory), prepend=os.pathsep)

    image = Image(directory, directory / 'vmlinux')
    words = [*map(str, command(topology, image, directory, ''))]

    assert any(
        word.startswith(f'file={directory}/root.qcow2,') for word in words
    )
    numbers = dict(
        part.split('=')
        for part in words[words.index('-smp') + 1].split(',')[1:]
    )
    sockets, cores, threads = map(int, numbers.values())
    assert sockets * cores * threads == len(topology.cpus)

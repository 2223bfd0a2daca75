# SPDX-License-Identifier: Apache-2.0
"""The demo as a newcomer runs it, and what is left of it: nothing."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt.demo.embed import private_directory
from rtvirt.demo.machine import memlock_trouble
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.facts.task import read_process_ids
from rtvirt.host.facts.tree import read_text
from rtvirt.tests.fixtures.libvirt import build_memlock_shim
from rtvirt.tests.require import require

POOL = Path('/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages')
STATE = Path('/run/libvirt')


def left_over(room: Path) -> dict[str, object]:
    """Return what a demo in this room could leave behind."""
    tree = DirectoryTree()
    commands = {
        pid: read_text(tree, f'/proc/{pid}/cmdline')
        for pid in read_process_ids(tree)
    }
    return {
        'files': sorted(path.name for path in room.iterdir()),
        'mounts': [
            line
            for line in Path('/proc/mounts').read_text().splitlines()
            if str(room) in line
        ],
        'pages': POOL.read_text(),
        'processes': [p for p, c in commands.items() if str(room) in str(c)],
        'state': sorted(STATE.iterdir()) if STATE.is_dir() else None,
    }


@pytest.fixture
def room(tools: None) -> Iterator[Path]:
    """A directory for temporary files, with a short name."""
    with private_directory('rtvirt-test-') as made:
        yield made


@pytest.fixture(scope='module')
def preload(tools: None) -> Iterator[dict[str, str]]:
    """What lets memory be locked where the machine forbids it."""
    if not memlock_trouble():
        yield {}
        return
    with private_directory('rtvirt-shim-') as directory:
        yield {'LD_PRELOAD': str(build_memlock_shim(directory))}


def start(
    flavor: Path, room: Path, *prefix: str, **environment: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, '-m', 'rtvirt.demo', str(flavor)],
        env={**os.environ, 'TMPDIR': str(room), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rows(output: str) -> dict[str, str]:
    """Return the lines of the last tables by what they are about."""
    table = output.partition('planned')[2].splitlines()[1:]
    return {line.strip().partition('  ')[0]: line for line in table}


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason='needs two CPUs')
def test_every_thread_is_where_the_plan_put_it(
    flavor: Path, room: Path, preload: dict[str, str]
) -> None:
    require(len(os.sched_getaffinity(0)) >= 2, 'needs two CPUs')
    before = left_over(room)

    process = start(flavor, room, **preload)
    output, errors = process.communicate()

    assert errors == ''
    assert process.returncode == 0
    found = rows(output)
    realtime = re.findall(r'pCPU (\d+), FIFO 1 ', found['vCPU 1'])
    other = re.findall(r'pCPU (\d+), other ', found['vCPU 0'])
    assert len(realtime) == len(other) == 2
    assert len({*realtime}) == len({*other}) == 1
    assert not {*realtime} & {*other}
    assert found['pages'].count('256 x 2 MiB on node ') == 2
    assert found['locked'].endswith('ok')
    assert 'vCPU 1 is thread' in output
    assert 'threads are as planned.' in output
    assert '\033' not in output
    assert left_over(room) == before


def test_where_memory_cannot_be_locked_it_says_so(
    flavor: Path, room: Path
) -> None:
    process = start(
        flavor,
        room,
        *('prlimit', '--memlock=8388608:8388608'),
        *('setpriv', '--bounding-set=-sys_resource'),
    )
    output, errors = process.communicate()

    assert errors == ''
    assert process.returncode == 0
    assert 'RLIMIT_MEMLOCK cannot be raised from 8192 KiB' in output
    assert 'left out' in rows(output)['locked']
    assert 'threads are as planned.' in output


def test_an_interrupt_leaves_nothing(flavor: Path, room: Path) -> None:
    before = left_over(room)
    process = start(flavor, room)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith('starting it'):
            break
    assert left_over(room) != before

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()

    assert process.returncode == 130
    assert errors == 'demo: interrupted; all is given back\n'
    assert left_over(room) == before


def test_what_does_not_fit_is_told_and_leaves_nothing(
    flavor: Path, room: Path
) -> None:
    before = left_over(room)
    big = room / 'big.yaml'
    big.write_text(flavor.read_text().replace('vcpus: 2', 'vcpus: 9999'))

    process = start(big, room)
    _, errors = process.communicate()

    big.unlink()
    assert process.returncode == 4
    assert '9999' in errors
    assert 'Traceback' not in errors
    assert left_over(room) == before

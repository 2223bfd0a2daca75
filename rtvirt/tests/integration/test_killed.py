# SPDX-License-Identifier: Apache-2.0
"""Nothing is half-claimed, wherever a command or libvirt was killed.

``RTVIRT_STRESS=1`` (tox -e stress) kills at every call of libvirt, and at
random times.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd
from rtvirt.tests.integration.commands import TIMEOUT_S
from rtvirt.tests.integration.commands import Commands
from rtvirt.tests.require import require

STRESS = bool(os.environ.get('RTVIRT_STRESS'))

DEFINE = 'virDomainDefineXMLFlags'
START = 'virDomainCreateWithFlags'
VERIFY = 'virConnectOpenReadOnly'
RESUME = 'virDomainResume'


@pytest.fixture(scope='module')
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('killed')


@pytest.fixture(scope='module')
def commands(daemon: PrivateLibvirtd, directory: Path) -> Iterator[Commands]:
    require(len(os.sched_getaffinity(0)) >= 2, 'needs two CPUs')
    commands = Commands(daemon, directory)
    yield commands
    commands.remove_all()


@pytest.fixture(scope='module')
def create(commands: Commands) -> list[str]:
    """Creates a domain that takes all pCPUs."""
    count = len(os.sched_getaffinity(0))
    flavor = commands.flavor('all', count, 32, 'hw:cpu_policy: dedicated')
    return commands.create('victim', flavor)


@pytest.fixture(scope='module')
def calls(commands: Commands, create: list[str]) -> list[str]:
    """The calls of libvirt that the command makes, in their order."""
    process = commands.step(0, 'SIGKILL', *create)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, (out[-999:], err)
    commands.remove('victim')
    return commands.steps.read_text().split()


def test_killed_between_two_steps(
    commands: Commands, create: list[str], calls: list[str]
) -> None:
    numbers = (
        range(1, len(calls) + 1)
        if STRESS
        else [
            calls.index(name) + 1 for name in (DEFINE, START, VERIFY, RESUME)
        ]
    )
    for number in numbers:
        process = commands.step(number, 'SIGKILL', *create)
        process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == -signal.SIGKILL
        is_defined = number > calls.index(DEFINE) + 1
        check_what_is_left(commands, create, is_defined=is_defined)


def check_what_is_left(
    commands: Commands, create: list[str], *, is_defined: bool | None
) -> None:
    """What is there is listed, holds its pCPUs, and can be removed.

    :param is_defined: whether the domain must be there; None where it may.
    """
    listed = commands.domains()
    if is_defined is not None:
        assert [*listed] == ['victim'] * is_defined
    if listed:
        assert len(listed['victim']['cpus']) == len(os.sched_getaffinity(0))
        other = [*create]
        other[other.index('victim')] = 'other'
        assert 'victim holds pCPU' in commands.fail(*other, code=4)
    else:
        # Nothing is claimed, and nobody has the lock.
        commands.run(*create, '--lock-timeout', '5', '--paused')
    commands.remove('victim')
    assert commands.domains() == {}


@pytest.mark.parametrize('step', [START, VERIFY, RESUME])
def test_libvirt_is_killed_and_comes_back(
    commands: Commands, create: list[str], calls: list[str], step: str
) -> None:
    process = commands.step(calls.index(step) + 1, 'SIGSTOP', *create)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    commands.daemon.kill()
    commands.daemon.start()
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=TIMEOUT_S)

    assert process.returncode == 1, (out[-999:], err)
    assert 'Traceback' not in err
    assert 'libvirt has ended meanwhile' in err.splitlines()[0]
    listed = commands.domains()['victim']
    if step == START:
        assert listed['state'] == 'shut off'
        conf = str(commands.conf)
        commands.run('domain', 'start', 'victim', '--config-file', conf)
    else:
        assert listed['state'] == 'paused'
    check_what_is_left(commands, create, is_defined=True)


def test_killed_at_any_time(commands: Commands, create: list[str]) -> None:
    seed = int(os.environ.get('RTVIRT_SEED', time.time_ns() % 1_000_000))
    print(f'RTVIRT_SEED={seed}')
    generator = random.Random(seed)
    for _ in range(20 if STRESS else 1):
        process = commands.start(*create)
        time.sleep(generator.uniform(0.5, 5))
        process.kill()
        process.communicate(timeout=TIMEOUT_S)
        check_what_is_left(commands, create, is_defined=None)

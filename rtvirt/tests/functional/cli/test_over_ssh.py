# SPDX-License-Identifier: Apache-2.0
"""A domain on another machine, whose rtvirt is asked over a real ssh."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt.cli.over_ssh import SSHRoute
from rtvirt.exception import HostError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.tests.fixtures.sshd import me
from rtvirt.tests.fixtures.sshd import private_sshd
from rtvirt.tests.require import require

OBSERVED = ObservedDomain(
    uuid='5a1ad9c3-9d7d-4c7f-8b2b-0d1f6e8a2b11',
    pid=7,
    threads=(
        ObservedThread(
            tid=8,
            name='CPU 0/KVM',
            role=ThreadRole.VCPU,
            number=0,
            scheduling=Scheduling(cpus=CPUSet((3,))),
            last_cpu=3,
        ),
    ),
)
SCRIPT = """\
#!/bin/sh
printf '%s\\n' "$@" >{asked}
cat <<'.'
{answer}
.
exit {code}
"""
ASKED = 'domain verify --connect qemu:///system -f json -- plc-1'


@pytest.fixture(scope='module')
def sshd(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, SSHRoute]]:
    """Where its programs are, and the way to it."""
    directory = tmp_path_factory.mktemp('sshd')
    (directory / 'bin').mkdir()
    with private_sshd(directory) as options:
        way = SSHRoute(
            destination=me(), options=tuple(options), uri='qemu:///system'
        )
        yield directory / 'bin' / 'rtvirt', way


@pytest.fixture
def machine(sshd: tuple[Path, SSHRoute]) -> Iterator[Machine]:
    program, way = sshd
    yield Machine(program, way)
    program.unlink(missing_ok=True)


class Machine:
    """A machine behind ssh.

    :ivar program: its rtvirt, which is not there at first.
    """

    def __init__(self, program: Path, way: SSHRoute) -> None:
        self.program = program
        self.way = way

    def install(self, answer: str, code: int = 0) -> Path:
        """Have an rtvirt say this; return where its words are noted."""
        asked = self.program.with_name('asked')
        self.program.write_text(
            SCRIPT.format(asked=asked, answer=answer, code=code)
        )
        self.program.chmod(0o755)
        return asked


@pytest.mark.parametrize('code', [0, 3])
def test_what_it_shows_is_read(machine: Machine, code: int) -> None:
    """Whether it finds it well or not: that is judged here."""
    answer = {'domains': [{'observed': OBSERVED.to_dict()}]}
    asked = machine.install(json.dumps(answer), code)

    assert machine.way.observe('plc-1') == OBSERVED
    assert asked.read_text().split() == ASKED.split()


@pytest.mark.parametrize(
    'answer', ['', 'Hello!', '{"domains": []}', '{"domains": [{}]}', '[]']
)
def test_what_is_no_answer(machine: Machine, answer: str) -> None:
    machine.install(answer)

    with pytest.raises(HostError, match='prints cannot be read'):
        machine.way.observe('plc-1')


def test_the_real_one_says_what_is_wrong(machine: Machine) -> None:
    require(
        importlib.util.find_spec('libvirt') is not None,
        'needs libvirt-python: pip install libvirt-python',
    )
    machine.program.symlink_to(Path(sys.executable).with_name('rtvirt'))
    way = dataclasses.replace(machine.way, uri='test:///default')

    with pytest.raises(HostError, match=r"says: .*domain 'none'"):
        way.observe('none')


def test_a_machine_without_it(machine: Machine) -> None:
    with pytest.raises(HostError, match='no program rtvirt on') as caught:
        machine.way.observe('plc-1')

    assert 'rtvirt --version' in caught.value.hint


def test_a_machine_that_is_not_reached() -> None:
    way = SSHRoute(
        destination=me(),
        options=('-F', 'none', '-p', '1'),
        uri='qemu:///system',
    )

    with pytest.raises(HostError, match='ssh does not reach'):
        way.observe('plc-1')

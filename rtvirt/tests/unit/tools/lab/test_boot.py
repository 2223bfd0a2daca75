# SPDX-License-Identifier: Apache-2.0
"""A host whose QEMU ends before it is up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.lab import machine
from tools.lab.error import LabError
from tools.lab.image import Image
from tools.lab.remote import Outcome
from tools.lab.topology import UNTUNED

ABORTS = 'echo asserted; kill -ABRT $$'
ENDS = 'echo refused; exit 1'
COMES_UP = 'echo "lab: ready" >console.log; exec sleep 60'


@pytest.fixture
def host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> machine.EmulatedHost:
    done = Outcome(argv=(), code=0, stdout='', stderr='')
    monkeypatch.setattr(machine, 'make_payload', lambda *_, **__: None)
    monkeypatch.setattr(machine, 'forwarded_ports', lambda _: {})
    monkeypatch.setattr(machine.EmulatedHost, 'run', lambda *_: done)
    image = Image(tmp_path, tmp_path / 'vmlinux')
    return machine.EmulatedHost(UNTUNED, image, tmp_path)


def starts(monkeypatch: pytest.MonkeyPatch, *scripts: str) -> None:
    """Have QEMU do this, one time after the other."""
    left = iter(scripts)

    def command(
        _topology: object, _image: object, to: Path, *_: object, **__: object
    ) -> list[str]:
        return ['sh', '-c', f'cd {to}; {next(left)}']

    monkeypatch.setattr(machine, 'command', command)


def test_one_that_asserts_once_is_booted_again(
    host: machine.EmulatedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts(monkeypatch, ABORTS, COMES_UP)

    host.boot({})

    process = host._process
    assert process is not None
    assert process.poll() is None
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ('scripts', 'said'), [((ABORTS, ABORTS), 'asserted'), ((ENDS,), 'refused')]
)
def test_one_that_does_not_come_up(
    host: machine.EmulatedHost,
    monkeypatch: pytest.MonkeyPatch,
    scripts: tuple[str, ...],
    said: str,
) -> None:
    starts(monkeypatch, *scripts)

    with pytest.raises(LabError, match=f'QEMU ended: {said}'):
        host.boot({})

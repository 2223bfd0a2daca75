# SPDX-License-Identifier: Apache-2.0
"""What QEMU's monitor says of an emulated host."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.lab.error import LabError
from tools.lab.remote import forwarded_ports
from tools.lab.remote import processors

USERNET = """\
Hub -1 (loopback):\r
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ
  TCP[ESTABLISHED]   30       127.0.0.1 41775       10.0.2.15  4242     0
  TCP[HOST_FORWARD]  14       127.0.0.1 46381       10.0.2.15 16509     0
  TCP[HOST_FORWARD]  13       127.0.0.1 41775       10.0.2.15  4242     0
"""
REGISTERS = """\r
CPU#0\r
RAX=000000000001ad40 RBX=ffffffff82a24a40\r
RIP=ffffffff81a59feb RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r
ES =0000 0000000000000000 00000000 00000000\r
\r
CPU#1\r
RAX=0000000000000000 RBX=0000000000000000\r
RIP=ffffffff810f1234 RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\r
"""


@contextlib.contextmanager
def monitor(path: Path, *answers: Mapping[str, object]) -> Iterator[Path]:
    """Have a QEMU that answers so to one who asks, and then ends."""

    def serve() -> None:
        with server.accept()[0] as to, to.makefile('rw') as stream:
            for answer in ({'QMP': {}}, *answers):
                stream.write(f'{json.dumps(answer)}\n')
                stream.flush()
                if 'event' not in answer:
                    stream.readline()

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield path
        thread.join()


def test_ports_that_lead_into_it(tmp_path: Path) -> None:
    with monitor(
        tmp_path / 'qmp', {'return': {}}, {'event': 'X'}, {'return': USERNET}
    ) as path:
        assert forwarded_ports(path) == {16509: 46381, 4242: 41775}


def test_where_its_pcpus_stand(tmp_path: Path) -> None:
    with monitor(
        tmp_path / 'qmp', {'return': {}}, {'return': REGISTERS}
    ) as path:
        assert processors(path) == [
            'pCPU 0: at ffffffff81a59feb, halted',
            'pCPU 1: at ffffffff810f1234',
        ]


def test_one_that_ends_meanwhile(tmp_path: Path) -> None:
    with (
        monitor(tmp_path / 'qmp', {'return': {}}) as path,
        pytest.raises(LabError, match='is not up: QEMU has ended'),
    ):
        processors(path)


def test_one_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(LabError, match='is not up: No such file'):
        processors(tmp_path / 'qmp')


def test_one_that_refuses(tmp_path: Path) -> None:
    refusal = {'error': {'desc': 'no such thing'}}
    with (
        monitor(tmp_path / 'qmp', {'return': {}}, refusal) as path,
        pytest.raises(
            LabError, match='QEMU refuses human-monitor-command: no'
        ),
    ):
        processors(path)

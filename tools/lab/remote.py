# SPDX-License-Identifier: Apache-2.0
"""The lab's side of the agent, and of QEMU's monitor."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import BinaryIO
from typing import Final

from tools.lab.error import LabError
from tools.lab.host.agent import GREETING

_CONNECT_S: Final = 20
_FORWARD: Final = re.compile(
    r'TCP\[HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)'
)
_PROCESSOR: Final = re.compile(
    r'^CPU#(?P<number>\d+)$.*?^RIP=(?P<at>\w+) .*?\bHLT=(?P<halted>\d)',
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command wrote, and how it ended."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    def check(self) -> Outcome:
        """Return this, if the command ended well.

        :raises LabError: if it did not.
        """
        if self.code:
            what = (self.stderr or self.stdout).strip()
            raise LabError(
                f'{" ".join(self.argv)}: exit code {self.code}: {what}'
            )
        return self


def run(
    port: int,
    argv: Sequence[str],
    *,
    data: bytes = b'',
    timeout_s: float = 180,
    echo: Callable[[str, str], None] = lambda _kind, _text: None,
) -> Outcome:
    """Run a command by the agent behind a loopback port.

    :param echo: called with ``out`` or ``err`` and the text as it comes.
    :raises LabError: if the agent does not answer in time.
    """
    texts = {'out': bytearray(), 'err': bytearray()}
    words = tuple(argv)
    try:
        with (
            socket.create_connection(('127.0.0.1', port), _CONNECT_S) as to,
            to.makefile('rb') as answer,
        ):
            if answer.readline() != GREETING:
                raise LabError('the agent of the emulated host is not there')
            to.settimeout(timeout_s)
            request = json.dumps({'argv': words, 'input': len(data)})
            to.sendall(f'{request}\n'.encode() + data)
            while True:
                kind, text = _frame(answer)
                if kind == 'exit':
                    break
                texts[kind] += text
                echo(kind, text.decode(errors='replace'))
    except OSError as error:
        raise LabError(
            f'{" ".join(words)}: the emulated host does not answer: '
            f'{error or "it took too long"}'
        ) from None
    return Outcome(
        argv=words,
        code=int(text),
        stdout=texts['out'].decode(errors='replace'),
        stderr=texts['err'].decode(errors='replace'),
    )


def _frame(answer: BinaryIO) -> tuple[str, bytes]:
    kind, _, length = answer.readline().partition(b' ')
    if not length:
        raise ConnectionResetError('the connection ended')
    return kind.decode(), answer.read(int(length))


def forwarded_ports(monitor: Path) -> dict[int, int]:
    """Return the loopback ports that QEMU found, by the guest's port.

    :param monitor: the socket of QEMU's monitor (QMP).
    :raises LabError: if QEMU does not answer.
    """
    text = _ask_monitor(monitor, 'info usernet')
    return {int(inner): int(outer) for outer, inner in _FORWARD.findall(text)}


def processors(monitor: Path) -> list[str]:
    """Return where each pCPU of the host stands, a line for each.

    :param monitor: the socket of QEMU's monitor (QMP).
    :raises LabError: if QEMU does not answer.
    """
    text = _ask_monitor(monitor, 'info registers -a').replace('\r', '')
    return [
        f'pCPU {found["number"]}: at {found["at"]}'
        + (', halted' if found['halted'] == '1' else '')
        for found in _PROCESSOR.finditer(text)
    ]


def _ask_monitor(monitor: Path, line: str) -> str:
    """Return the answer to a line for a human."""
    with socket.socket(socket.AF_UNIX) as to:
        to.settimeout(_CONNECT_S)
        try:
            to.connect(str(monitor))
            with to.makefile('rw', encoding='utf-8') as stream:
                stream.readline()
                _ask(stream, 'qmp_capabilities')
                return str(
                    _ask(
                        stream, 'human-monitor-command', {'command-line': line}
                    )
                )
        except OSError as error:
            raise LabError(
                f'the emulated host of {monitor.parent} is not up: '
                f'{error.strerror or error}'
            ) from None


def _ask(
    stream: Any, name: str, arguments: dict[str, str] | None = None
) -> object:
    """Return QEMU's answer to a command; events are passed over."""
    request = {'execute': name, 'arguments': arguments or {}}
    stream.write(json.dumps(request) + '\n')
    stream.flush()
    while True:
        line = stream.readline()
        if not line:
            raise ConnectionResetError('QEMU has ended')
        answer = json.loads(line)
        if 'return' in answer:
            return answer['return']
        if 'error' in answer:
            raise LabError(f'QEMU refuses {name}: {answer["error"]["desc"]}')

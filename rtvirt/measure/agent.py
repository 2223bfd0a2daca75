# SPDX-License-Identifier: Apache-2.0
"""A guest behind its QEMU guest agent, over libvirt: no network needed."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from typing import Final

from rtvirt.exception import MeasureError
from rtvirt.host.connection import translated
from rtvirt.latency.evidence import Where
from rtvirt.measure.machine import Output
from rtvirt.measure.process import STARVED

_POLL_S: Final = 0.1
_ANSWER_S: Final = 10


class AgentShell:
    """Scripts that the guest agent runs (``guest-exec``).

    :param domain: libvirt's own object of a running domain.
    :param command: ``libvirt_qemu.qemuAgentCommand``.
    """

    where = Where.AGENT

    def __init__(self, domain: Any, command: Any) -> None:
        self._domain = domain
        self._command = command
        self.name = str(domain.name())

    def script(self, text: str, timeout_s: float) -> Output:
        """Run a script to its end."""
        started = self._ask(
            'guest-exec',
            {
                'path': '/bin/sh',
                'arg': ['-c', text],
                'capture-output': True,
            },
        )
        pid = started.get('pid')
        deadline = time.monotonic() + timeout_s
        while True:
            status = self._ask('guest-exec-status', {'pid': pid})
            if status.get('exited'):
                return Output(
                    code=_code(status),
                    stdout=_decode(status, 'out-data'),
                    stderr=_decode(status, 'err-data'),
                )
            if time.monotonic() > deadline:
                raise MeasureError(
                    f'the agent in {self.name} runs a script that does not '
                    f'end in {timeout_s:.0f} s',
                    hint=STARVED,
                )
            time.sleep(_POLL_S)

    def _ask(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        question = json.dumps({'execute': name, 'arguments': arguments})
        with translated(f'the agent in {self.name} does not {name}'):
            answer = self._command(self._domain, question, _ANSWER_S, 0)
        try:
            found = json.loads(answer)['return']
        except (ValueError, KeyError, TypeError) as error:
            raise MeasureError(
                f'the agent in {self.name} answers {answer!r:.100} to {name}',
                hint='bring qemu-guest-agent up to date there, or use the '
                'console (--via console)',
            ) from error
        return found if isinstance(found, dict) else {}


def _code(status: dict[str, Any]) -> int:
    code = status.get('exitcode')
    if isinstance(code, int):
        return code
    signal = status.get('signal')
    return 128 + signal if isinstance(signal, int) else -1


def _decode(status: dict[str, Any], name: str) -> str:
    data = status.get(name)
    if not isinstance(data, str):
        return ''
    return base64.b64decode(data).decode(errors='replace')

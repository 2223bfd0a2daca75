# SPDX-License-Identifier: Apache-2.0
"""A machine behind ssh: the system's own client, with one connection."""

from __future__ import annotations

import contextlib
import shlex
import tempfile
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rtvirt.exception import ConfigError
from rtvirt.exception import MeasureError
from rtvirt.latency.evidence import Where
from rtvirt.measure.machine import Output
from rtvirt.measure.process import run

_OPTIONS: Final = (
    *('-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10'),
    *('-o', 'ServerAliveInterval=5', '-o', 'ServerAliveCountMax=3'),
)
_FAILED: Final = 255
"""What ssh itself ends with when it has not reached the machine."""


class SSHShell:
    """Scripts over ssh.

    :param destination: ``USER@HOST``, as ssh takes it.
    :param options: further words for ssh (``-p 2222``).
    :param control: the socket of the shared connection.
    """

    where = Where.SSH

    def __init__(
        self, destination: str, options: Sequence[str], control: Path
    ) -> None:
        self.name = destination
        self._words = (
            *('ssh', *_OPTIONS, '-o', f'ControlPath={control}'),
            *('-o', 'ControlMaster=auto', '-o', 'ControlPersist=60'),
            *options,
        )

    def script(self, text: str, timeout_s: float) -> Output:
        """Run a script to its end."""
        # The user's own shell sees one quoted word, sh all of the script.
        command = f'exec sh -c {shlex.quote(text)}'
        done = run([*self._words, '--', self.name, command], timeout_s)
        if done.code == _FAILED:
            raise MeasureError(
                f'ssh does not reach {self.name}: '
                f'{done.stderr.strip() or "it says nothing"}',
                hint=f'have "ssh {self.name} true" work without a question, '
                'for example with ssh-copy-id',
            )
        return done

    def close(self) -> None:
        """End the shared connection."""
        with contextlib.suppress(MeasureError):
            run([*self._words, '-O', 'exit', '--', self.name], 10)


@contextlib.contextmanager
def ssh_shell(
    destination: str, options: Sequence[str] = ()
) -> Iterator[SSHShell]:
    """Open a connection, and close it in the end.

    :raises ConfigError: if the destination is none.
    :raises MeasureError: if it is not reached.
    """
    if not destination or destination.startswith('-'):
        raise ConfigError(
            f'{destination!r:.60} is no USER@HOST',
            hint='write it as ssh takes it, as in root@192.0.2.7',
        )
    with tempfile.TemporaryDirectory(prefix='rtvirt-ssh-') as directory:
        shell = SSHShell(destination, options, Path(directory) / 'control')
        try:
            shell.script('true', 30)
            yield shell
        finally:
            shell.close()

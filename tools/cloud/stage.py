# SPDX-License-Identifier: Apache-2.0
"""Where the talk is given: commands as one types them, and their output."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from rtvirt.demo.screen import Screen
from tools.cloud.error import CloudError
from tools.cloud.process import Processes
from tools.story import Story

_TIMEOUT_S: Final = 180


class Stage(Story):
    """Runs commands, and shows what they truly print.

    :param processes: runs them, in its environment.
    :param directory: where they run.
    """

    def __init__(
        self, screen: Screen, processes: Processes, directory: Path
    ) -> None:
        super().__init__(screen)
        self._processes = processes
        self._directory = directory

    def run(self, line: str, *, code: int = 0) -> str:
        """Show a command line, run it, show and return what it prints.

        :param code: how it is to end.
        :raises StoryError: if it ends otherwise.
        """
        self.screen.say(f'$ {line}', 'command')
        text, ended = self._run(line, is_shown=True)
        self.expect_end(line, code, ended)
        return text

    def ask(self, line: str) -> str:
        """Run a command that nobody is to see; return what it prints.

        :raises CloudError: if it fails.
        """
        text, ended = self._run(line, is_shown=False)
        if ended:
            raise CloudError(f'{line!r} ended with {ended}: {text.strip()}')
        return text.strip()

    def expect_part(self, what: str, wanted: str, text: str) -> None:
        """Say that a text is part of what was printed.

        :raises CloudError: if it is not.
        """
        if wanted not in ' '.join(text.split()):
            raise CloudError(f'{what}: {wanted!r} is not in {text!r}')
        self.screen.say(f'{what}: {wanted}', 'good')

    def _run(self, line: str, *, is_shown: bool) -> tuple[str, int]:
        process = self._processes.open(
            ['sh', '-c', line], subprocess.PIPE, directory=self._directory
        )
        with process:
            try:
                data = self._read(process, is_shown=is_shown)
            except BaseException:
                process.kill()
                raise
        return data.decode(errors='replace'), process.returncode

    def _read(
        self, process: subprocess.Popen[bytes], *, is_shown: bool
    ) -> bytes:
        """Return what a process prints until it closes its output."""
        assert process.stdout is not None
        output = process.stdout.fileno()
        deadline = time.monotonic() + _TIMEOUT_S
        data = b''
        while True:
            if not select.select([output], [], [], 0)[0]:
                if time.monotonic() > deadline:
                    raise CloudError(
                        f'a command took more than {_TIMEOUT_S} s'
                    )
                self._processes.pause()
                continue
            part = os.read(output, 1 << 16)
            if not part:
                return data
            data += part
            if is_shown:
                sys.stdout.flush()
                os.write(sys.stdout.fileno(), part)

# SPDX-License-Identifier: Apache-2.0
"""Where the talk is given: a screen, and a host that commands run on."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import Final

from rtvirt.demo.screen import Screen
from tools.lab.machine import EmulatedHost
from tools.lab.remote import Outcome
from tools.story import Story

_WIDTH: Final = 'CLIFF_MAX_TERM_WIDTH'
_UNKNOWN_WIDTH: Final = (110, 40)


class Stage(Story):
    """Shows each command as it would be typed, and its true output.

    :param host: where commands run, from now on; a stage may go without
        one until it is booted.
    """

    def __init__(self, screen: Screen, host: EmulatedHost) -> None:
        super().__init__(screen)
        self.host = host
        columns = shutil.get_terminal_size(_UNKNOWN_WIDTH).columns
        self._environment = ['env', f'{_WIDTH}={columns}']

    def run(self, line: str, *, code: int = 0) -> Outcome:
        """Show a command line, run it, and show what it prints.

        :param code: how it is to end.
        :raises StoryError: if it ends otherwise.
        """
        prompt = f'{self.host.hostname}#'
        self.screen.say(f'{prompt} {line}', 'command')
        outcome = self.host.run(
            *self._environment,
            *('sh', '-c', line),
            timeout_s=300,
            echo=lambda _kind, text: self._pass_on(text),
        )
        self.expect_end(line, code, outcome.code)
        return outcome

    def put(self, source: Path, path: str) -> None:
        """Copy a file to the host, and show what is in it.

        The licence stays out of the picture.
        """
        data = source.read_bytes()
        self.host.write(path, data)
        self.screen.say(
            f'{self.host.hostname}# cat {shlex.quote(path)}', 'command'
        )
        for line in data.decode().splitlines():
            if 'SPDX' not in line:
                self.screen.say(line)

    def _pass_on(self, text: str) -> None:
        os.write(1, text.encode())

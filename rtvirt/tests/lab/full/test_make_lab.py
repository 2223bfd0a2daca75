# SPDX-License-Identifier: Apache-2.0
"""`make lab` comes to its end, and leaves nothing behind."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.lab.machine import PREFIX
from tools.lab.recipe import TOP


def test_the_talk_is_given_to_its_end(tools: None) -> None:
    there = set(Path(tempfile.gettempdir()).glob(f'{PREFIX}*'))

    subprocess.run(
        [sys.executable, '-m', 'tools.lab.talk'], cwd=TOP, check=True
    )

    assert set(Path(tempfile.gettempdir()).glob(f'{PREFIX}*')) == there

# SPDX-License-Identifier: Apache-2.0
"""`make lab` comes to its end, tells what the tutorial shows, and leaves
nothing behind.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rtvirt.tests.lab.record import recorded
from rtvirt.tests.lab.record import what_stays
from tools.lab.machine import PREFIX
from tools.lab.recipe import TOP


def test_the_talk_is_given_to_its_end_as_recorded(
    tools: None, tmp_path: Path
) -> None:
    there = set(Path(tempfile.gettempdir()).glob(f'{PREFIX}*'))
    told = tmp_path / 'talk.txt'
    # As wide as the record.
    environment = {k: v for k, v in os.environ.items() if k != 'COLUMNS'}

    with told.open('wb') as output:
        subprocess.run(
            [sys.executable, '-m', 'tools.lab.talk'],
            cwd=TOP,
            env=environment,
            stdout=output,
            check=True,
        )

    assert what_stays(told.read_text()) == recorded(), (
        f'copy what {told} has from its step 5 on to doc/source/talk.txt'
    )
    assert set(Path(tempfile.gettempdir()).glob(f'{PREFIX}*')) == there

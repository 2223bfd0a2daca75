# SPDX-License-Identifier: Apache-2.0
"""Run command lines in this process."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rtvirt.cli.app import main

SAMPLES = Path(__file__).parents[4] / 'etc' / 'rtvirt'
SMALL = str(SAMPLES / 'flavors' / 'rt1.small.yaml')
EDGE = str(SAMPLES / 'hosts' / 'edge-8.xml')


@dataclass(frozen=True)
class Ended:
    """How a command line ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """The cells of the first table."""
        lines = self.out.partition('\n\n')[2].splitlines() or []
        found = []
        for line in lines:
            if line.startswith('|'):
                found.append([cell.strip() for cell in line[1:-1].split('|')])
            elif not line and found:
                break
        return found


RTVirt = Callable[..., Ended]


@pytest.fixture
def rtvirt(
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> RTVirt:
    """Run ``rtvirt`` with these arguments, away from this machine's own."""
    home = tmp_path / 'home'
    (home / '.rtvirt').mkdir(parents=True)
    (home / '.rtvirt' / 'rtvirt.conf').touch()
    monkeypatch.setenv('HOME', str(home))
    monkeypatch.setenv('COLUMNS', '80')

    def run(*argv: str, stdin: str | bytes = b'') -> Ended:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(data)))
        code = main([str(arg) for arg in argv])
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    return run

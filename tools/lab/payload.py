# SPDX-License-Identifier: Apache-2.0
"""The second disk: rtvirt as it is here, and the files of one host."""

from __future__ import annotations

import compileall
import configparser
import importlib.metadata
import py_compile
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tools.lab import recipe
from tools.lab.debstrap import require_program
from tools.lab.initramfs import archive

_SIZE_MIB: Final = 48
_UNCHECKED: Final = py_compile.PycInvalidationMode.UNCHECKED_HASH

_COMMAND: Final = """\
#!/usr/bin/python3
import sys
sys.path.insert(0, '/lab/python')
from rtvirt.cli.app import main
sys.exit(main())
"""


def make_payload(
    disk: Path, *, hostname: str, files: Mapping[str, str]
) -> None:
    """Make a disk that is mounted on /lab.

    :param files: texts by absolute path, which the host has from its start.
    """
    with tempfile.TemporaryDirectory(dir=disk.parent) as scratch:
        top = Path(scratch)
        for name in ('init', 'agent.py', 'keep_kvm.py'):
            shutil.copy(recipe.HOST / name, top)
        (top / 'init').chmod(0o755)
        (top / 'guest.cpio').write_bytes(
            archive({'/init': recipe.GUEST / 'init'})
        )
        (top / 'hostname').write_text(f'{hostname}\n')
        _add_rtvirt(top / 'python')
        (top / 'files').mkdir()
        _write(top / 'files', '/usr/local/bin/rtvirt', _COMMAND, mode=0o755)
        for path, text in files.items():
            _write(top / 'files', path, text)
        subprocess.run(
            [
                *(require_program('mke2fs'), '-q', '-t', 'ext4'),
                *('-O', '^has_journal,^metadata_csum', '-E', 'root_owner=0:0'),
                *('-d', top, disk, f'{_SIZE_MIB}M'),
            ],
            stdout=subprocess.DEVNULL,
            check=True,
        )


def _add_rtvirt(target: Path) -> None:
    """Copy the package, and what its plug-ins are found by."""
    shutil.copytree(
        recipe.TOP / 'rtvirt',
        target / 'rtvirt',
        ignore=shutil.ignore_patterns('tests', '__pycache__'),
    )
    version = importlib.metadata.version('rtvirt')
    about = target / f'rtvirt-{version}.dist-info'
    about.mkdir()
    (about / 'METADATA').write_text(
        f'Metadata-Version: 2.1\nName: rtvirt\nVersion: {version}\n'
    )
    (about / 'entry_points.txt').write_text(_entry_points())
    if f'{sys.version_info.major}.{sys.version_info.minor}' == recipe.PYTHON:
        compileall.compile_dir(
            target,
            quiet=2,
            stripdir=target.parent,
            invalidation_mode=_UNCHECKED,
        )


def _entry_points() -> str:
    """Return those of setup.cfg: an older installation may lack some."""
    setup = configparser.ConfigParser()
    setup.read(recipe.TOP / 'setup.cfg', encoding='utf-8')
    return '\n'.join(
        f'[{group}]{entries}\n'
        for group, entries in setup['entry_points'].items()
    )


def _write(top: Path, path: str, text: str, mode: int = 0o644) -> None:
    file = top / path.lstrip('/')
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)

# SPDX-License-Identifier: Apache-2.0
"""The emulated host's files: Debian packages, and what rtvirt imports."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tools.lab import recipe
from tools.lab.debstrap import copy_in
from tools.lab.debstrap import debian
from tools.lab.debstrap import failure
from tools.lab.debstrap import inside
from tools.lab.debstrap import require_program
from tools.lab.error import LabError

LOADER: Final = 'ld-linux-x86-64.so.2'

_PLAIN: Final = ('doc', 'info', 'locale', 'man')
_STDLIB: Final = f'python{recipe.PYTHON}'


def make_rootfs(root: Path, log: Path) -> None:
    """Unpack the packages of the recipe and their dependencies.

    :param root: a directory that is made. Where the caller is not root, all
        files in it are the caller's, which the emulated host's root does
        not mind.
    :param log: the file that the output goes to.
    :raises LabError: if that fails.
    """
    require_program('mke2fs')
    root.mkdir()
    script = recipe.HOST / 'customize'
    with debian(
        recipe.PACKAGES,
        hooks=(
            copy_in(script, '/'),
            inside(
                *('sh', f'/{script.name}', recipe.KERNEL_PACKAGE),
                *recipe.MODULES,
            ),
        ),
        options=[f'--dpkgopt=path-exclude=/usr/share/{n}/*' for n in _PLAIN],
        log=log,
    ) as stream:
        tar = subprocess.run(
            [
                *('tar', '-x', '-C', root, '--no-same-owner'),
                *('--exclude=./dev/*', '--exclude=./var/lib/apt/lists/*'),
            ],
            stdin=stream,
            capture_output=True,
            text=True,
            check=False,
        )
        if tar.returncode:
            raise LabError(f'tar failed: {tar.stderr.strip()}')


def add_python_packages(root: Path, log: Path) -> None:
    """Install what rtvirt requires, for the interpreter in the root.

    Wheels alone, so nothing is compiled. Their byte code is made by that
    interpreter, which runs here by the root's own loader.

    :raises LabError: if a package cannot be had.
    """
    target = root / 'usr' / 'local' / 'lib' / _STDLIB / 'dist-packages'
    pip: list[str | Path] = [
        *(sys.executable, '-m', 'pip', 'install', '--quiet', '--no-compile'),
        *('--target', target, '--upgrade', '--only-binary=:all:'),
        *('--implementation=cp', f'--python-version={recipe.PYTHON}'),
        *(
            '--platform=manylinux_2_28_x86_64',
            '--platform=manylinux2014_x86_64',
        ),
        *('-r', recipe.REQUIREMENTS),
    ]
    _run(pip, log)
    compile_python(root, [target])


def compile_python(root: Path, directories: Iterable[Path]) -> None:
    """Make the byte code of modules with the interpreter in a root."""
    interpreter: list[str | Path] = [
        *loader(root),
        root / 'usr/bin' / _STDLIB,
    ]
    subprocess.run(
        [
            *(*interpreter, '-m', 'compileall', '-q', '-j2', '-s', root),
            *('-p', '/', '--invalidation-mode', 'unchecked-hash'),
            *directories,
        ],
        env={**os.environ, 'PYTHONHOME': str(root / 'usr')},
        stdout=subprocess.DEVNULL,
        check=False,
    )


def loader(root: Path) -> list[str | Path]:
    """Return the command that runs a program of the root with its libraries.

    The links to the loader are absolute, so it goes by its file's own name.
    """
    libraries = root / 'usr/lib/x86_64-linux-gnu'
    return [libraries / LOADER, '--library-path', libraries]


def _run(command: list[str | Path], log: Path) -> None:
    with log.open('ab') as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        raise failure(f'{Path(command[0]).name} failed', log)

# SPDX-License-Identifier: Apache-2.0
"""The emulated host's files: Debian packages, and what rtvirt imports."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tools.lab import recipe
from tools.lab.error import LabError

MIRROR: Final = 'RTVIRT_LAB_MIRROR'
"""Where Debian's packages come from; mmdebstrap's choice without it."""

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
    for program in ('mmdebstrap', 'mke2fs'):
        require_program(program)
    root.mkdir()
    with (
        log.open('wb') as output,
        subprocess.Popen(
            _mmdebstrap(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
        ) as debstrap,
    ):
        try:
            tar = subprocess.run(
                [
                    *('tar', '-x', '-C', root, '--no-same-owner'),
                    *('--exclude=./dev/*', '--exclude=./var/lib/apt/lists/*'),
                ],
                stdin=debstrap.stdout,
                stderr=output,
                check=False,
            )
        except BaseException:
            # It waits for apt and dpkg, so those have to end as well; then
            # it removes what it has unpacked.
            os.killpg(debstrap.pid, signal.SIGTERM)
            debstrap.wait()
            raise
    if debstrap.returncode or tar.returncode:
        raise _failure('mmdebstrap failed', log)


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


def require_program(name: str) -> str:
    """Return the path of a program, also where only root has it on PATH.

    :raises LabError: if it is not installed.
    """
    search = f'{os.environ.get("PATH", "")}:/usr/sbin:/sbin'
    path = shutil.which(name, path=search)
    if path is None:
        raise LabError(
            f'the program {name} is not installed',
            hint='bindep.txt names the Debian packages that the lab needs',
        )
    return path


def _mmdebstrap() -> list[str]:
    script = shlex.quote(str(recipe.HOST / 'customize'))
    inside = ['sh', '/customize', recipe.KERNEL, *recipe.MODULES]
    return [
        *(require_program('mmdebstrap'), '--variant=minbase', '--format=tar'),
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Languages "none"',
        *(f'--dpkgopt=path-exclude=/usr/share/{name}/*' for name in _PLAIN),
        f'--include={",".join(recipe.PACKAGES)}',
        f'--customize-hook=copy-in {script} /',
        f'--customize-hook=chroot "$1" {shlex.join(inside)}',
        *(recipe.SUITE, '-', *filter(None, [os.environ.get(MIRROR)])),
    ]


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
        raise _failure(f'{Path(command[0]).name} failed', log)


def _failure(what: str, log: Path) -> LabError:
    lines = log.read_text(errors='replace').splitlines()[-8:]
    return LabError('\n  '.join([f'{what}:', *lines]))

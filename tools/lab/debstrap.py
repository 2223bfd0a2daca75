# SPDX-License-Identifier: Apache-2.0
"""A Debian in a directory of its own: `mmdebstrap`, as root or not."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from typing import Final

from tools.lab import recipe
from tools.lab.error import LabError

MIRROR: Final = 'RTVIRT_LAB_MIRROR'
"""Where Debian's packages come from; mmdebstrap's choice without it."""


@contextlib.contextmanager
def debian(
    packages: Iterable[str],
    *,
    hooks: Iterable[str],
    log: Path,
    target: str = '-',
    options: Iterable[str] = (),
) -> Iterator[IO[bytes]]:
    """Unpack packages with what they depend on, then do more with them.

    :param hooks: what is done in the end, as mmdebstrap takes it.
    :param log: the file that the output goes to.
    :param target: where the Debian is then written to, by default to the
        stream that is had; ``/dev/null`` where only the hooks matter.
    :param options: more for mmdebstrap.
    :raises LabError: if that fails.
    """
    command = [
        *(require_program('mmdebstrap'), '--variant=minbase'),
        f'--format={"tar" if target == "-" else "null"}',
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Languages "none"',
        *options,
        f'--include={",".join(packages)}',
        *(f'--customize-hook={hook}' for hook in hooks),
        *(recipe.SUITE, target, *filter(None, [os.environ.get(MIRROR)])),
    ]
    with (
        log.open('wb') as output,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            yield process.stdout
            process.wait()
        except BaseException:
            # It waits for apt and dpkg, so those have to end as well; then
            # it removes what it has unpacked.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise
    if process.returncode:
        raise failure('mmdebstrap failed', log)


def copy_in(source: Path, to: str) -> str:
    """Return a hook that copies a file into a directory of it."""
    return f'copy-in {shlex.quote(str(source))} {to}'


def inside(*words: str) -> str:
    """Return a hook that runs a command in it."""
    return f'chroot "$1" {shlex.join(words)}'


def failure(what: str, log: Path) -> LabError:
    """Return an error with the last lines of a log."""
    lines = log.read_text(errors='replace').splitlines()[-8:]
    return LabError('\n  '.join([f'{what}:', *lines]))


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

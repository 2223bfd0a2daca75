# SPDX-License-Identifier: Apache-2.0
"""A kernel that Debian has only the source of: built once, then only read.

It is built in a Debian of its own, so this machine needs no compiler.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tools.lab import recipe
from tools.lab.cache import cache_directory
from tools.lab.cache import cached
from tools.lab.debstrap import copy_in
from tools.lab.debstrap import debian
from tools.lab.debstrap import inside

SOURCE: Final = 'linux-source-6.1'

_NAME: Final = 'vmlinux'
_PACKAGES: Final = (
    SOURCE,
    *('bc', 'bison', 'flex', 'gcc', 'libc6-dev', 'libelf-dev', 'make'),
)


def ensure_kernel(say: Callable[[str], None] = lambda _: None) -> Path:
    """Return the kernel, an ELF file; it is built if it is not cached.

    :param say: told what is done when that takes long.
    :raises LabError: if it cannot be built.
    """

    def build(made: Path, _scratch: Path) -> None:
        say('building a kernel with real-time group scheduling, once: 15 min')
        _build(made)

    return cached(recipe.kernel_digest(), build) / _NAME


def _build(directory: Path) -> None:
    with debian(
        _PACKAGES,
        hooks=(
            copy_in(recipe.KERNEL_CONFIG, '/'),
            copy_in(recipe.KERNEL_BUILD, '/'),
            inside('sh', f'/{recipe.KERNEL_BUILD.name}', SOURCE, _NAME),
            f'copy-out /{_NAME} {shlex.quote(str(directory))}',
        ),
        target='/dev/null',
        log=cache_directory() / 'build-kernel.log',
    ):
        pass

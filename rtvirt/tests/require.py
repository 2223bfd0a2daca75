# SPDX-License-Identifier: Apache-2.0
"""What a test needs from its machine, and what happens without it.

On a laptop a test that lacks root, a program or a package is skipped with
the reason.  In CI such a skip would hide that nothing was proved: with
``CI=true`` in the environment it is a failure.
"""

import os
import shutil

import pytest


def is_ci() -> bool:
    """Return whether this run has to prove everything."""
    return os.environ.get('CI', '').lower() in {'1', 'true', 'yes'}


def require(available: bool, reason: str) -> None:
    """Skip the calling test or module unless what it needs is there.

    Called from a fixture, a test or a module's top level.

    :param available: whether the machine has what is needed
    :param reason: what is missing and how to get it, one sentence
    """
    if available:
        return
    if is_ci():
        pytest.fail(f'required under CI: {reason}', pytrace=False)
    pytest.skip(reason, allow_module_level=True)


def require_program(name: str) -> str:
    """Return the path of a program on PATH; see :func:`require`."""
    path = shutil.which(name)
    require(path is not None, f'the program {name} is not installed')
    assert path is not None
    return path


def require_root() -> None:
    """Let only root go on; see :func:`require`."""
    require(os.geteuid() == 0, 'needs root')

# SPDX-License-Identifier: Apache-2.0
"""Metadata, extras and entry points live in setup.cfg."""

import os
import pathlib
import subprocess

import setuptools


def has_version(top: pathlib.Path) -> bool:
    """Return whether pbr can tell the version of this tree.

    It reads it from PKG-INFO in an sdist, else from git.
    """
    if (top / 'PKG-INFO').exists():
        return True
    try:
        found = subprocess.run(
            ['git', 'rev-parse', '--show-toplevel'],
            check=False,
            cwd=top,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    except OSError:
        return False
    # An exported tree below some other repository has no version of its own.
    return found.returncode == 0 and top.samefile(found.stdout.rstrip('\n'))


if not has_version(pathlib.Path(__file__).resolve().parent):
    # A packager says which release an exported tree is with PBR_VERSION.
    os.environ.setdefault('PBR_VERSION', '0.0.0')

setuptools.setup(setup_requires=['pbr>=6.1.1'], pbr=True)

# SPDX-License-Identifier: Apache-2.0
"""The checks rtvirt ships, without the plug-in system."""

from __future__ import annotations

import importlib
import pkgutil

import rtvirt.checks

PLUGINS = tuple(
    module.CHECKS
    for info in pkgutil.iter_modules(rtvirt.checks.__path__)
    if hasattr(
        module := importlib.import_module(f'rtvirt.checks.{info.name}'),
        'CHECKS',
    )
)

# SPDX-License-Identifier: Apache-2.0
"""Distributions that exist for the length of a test."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt import plugins


class Site:
    """Directories on ``sys.path``, one per distribution."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = path
        self._monkeypatch = monkeypatch

    def install(
        self, name: str, namespace: str, plugin: str, source: str
    ) -> Path:
        """Make a distribution of one module; return its directory.

        :param plugin: the name of its plug-in, which is ``Plugin`` in the
            module.
        """
        place = self._path / name
        module = name.replace('-', '_')
        info = place / f'{module}-1.0.dist-info'
        info.mkdir(parents=True)
        (place / f'{module}.py').write_text(source)
        (info / 'METADATA').write_text(
            f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n'
        )
        (info / 'entry_points.txt').write_text(
            f'[{namespace}]\n{plugin} = {module}:Plugin\n'
        )
        self._monkeypatch.syspath_prepend(place)
        return info


@contextlib.contextmanager
def temporary_site(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """Forget the plug-ins and the modules of the site at the end.

    :param path: an empty directory.
    """
    _forget()
    yield Site(path, monkeypatch)
    _forget()
    for name, module in list(sys.modules.items()):
        file = getattr(module, '__file__', None)
        if file and Path(file).is_relative_to(path):
            del sys.modules[name]


def _forget() -> None:
    plugins.configurators.cache_clear()
    plugins.host_checks.cache_clear()
    plugins.latency_parsers.cache_clear()
    plugins.lint_rules.cache_clear()
    plugins.verifiers.cache_clear()

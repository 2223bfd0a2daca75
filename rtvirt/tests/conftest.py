# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt.tests.distribution import Site
from rtvirt.tests.distribution import temporary_site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Install distributions for the length of a test."""
    with temporary_site(tmp_path, monkeypatch) as made:
        yield made

# SPDX-License-Identifier: Apache-2.0
"""What takes long to build: built once for a recipe, then only read."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CACHE: Final = 'RTVIRT_LAB_CACHE'


def digest(ingredients: Iterable[Path]) -> str:
    """Return a name for what is made of these files."""
    whole = hashlib.sha256()
    for path in ingredients:
        data = path.read_bytes()
        whole.update(b'%s %d\n' % (path.name.encode(), len(data)))
        whole.update(data)
    return whole.hexdigest()[:16]


def cache_directory() -> Path:
    """Return where all of it is kept."""
    if chosen := os.environ.get(CACHE):
        return Path(chosen)
    base = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(base) / 'rtvirt-lab'


def is_cached(name: str) -> bool:
    """Return whether it is there already."""
    return (cache_directory() / name).exists()


def cached(name: str, build: Callable[[Path, Path], None]) -> Path:
    """Return a directory of the cache, built if it is not there.

    Who comes while another builds waits, and then uses the same.

    :param build: called with a directory that is empty, and with another
        for what is needed meanwhile; what it leaves in the first is kept.
    """
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    place = cache / name
    if not place.exists():
        with _locked(cache / f'{name}.lock'):
            if not place.exists():
                _build(place, build)
    return place


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open('wb') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(place: Path, build: Callable[[Path, Path], None]) -> None:
    """Build beside the place, and move there what is complete."""
    with tempfile.TemporaryDirectory(
        prefix='building-', dir=place.parent, ignore_cleanup_errors=True
    ) as scratch:
        made = Path(scratch) / 'made'
        made.mkdir()
        build(made, Path(scratch))
        made.rename(place)

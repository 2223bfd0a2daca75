# SPDX-License-Identifier: Apache-2.0
"""Huge pages for a while: reserved, mounted, and given back."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rtvirt.exception import HostError
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.value import value_of
from rtvirt.model.facts.parse import parse_int

_POOL: Final = '/sys/devices/system/node/node{}/hugepages/hugepages-{}kB'
_OUTSIDE: Final = 'run it as root, outside of containers'
_MEMINFO: Final = '/proc/meminfo'
_AVAILABLE: Final = re.compile(r'MemAvailable:\s+([0-9]{1,15}) kB')

_MNT_DETACH: Final = 2


@contextlib.contextmanager
def reserved_pages(node: int, size_kib: int, count: int) -> Iterator[int]:
    """Have so many more huge pages on a node, and give them back.

    Pages that are free already may be meant for somebody else: they are
    used only where no others can be had. Yields how many were added.

    :raises HostError: if they cannot be had; then nothing has changed.
    """
    pool = Path(_POOL.format(node, size_kib))
    with contextlib.ExitStack() as stack:
        free = _count(pool / 'free_hugepages')
        try:
            stack.enter_context(_added(pool, count, size_kib))
        except HostError:
            if free < count:
                raise
            count = 0
        yield count


@contextlib.contextmanager
def _added(pool: Path, count: int, size_kib: int) -> Iterator[None]:
    """Add pages to a pool for a while."""
    _check_memory(count * size_kib)
    before = _count(pool / 'nr_hugepages')
    try:
        _write(pool / 'nr_hugepages', before + count)
        added = _count(pool / 'nr_hugepages') - before
        if added < count:
            raise HostError(
                f'only {max(0, added)} of {count} pages of {size_kib} KiB '
                'could be had',
                hint='boot with hugepages=N, or free memory first',
            )
        yield
    finally:
        # Others may have changed the pool meanwhile: only our part goes.
        now = _count(pool / 'nr_hugepages')
        if (ours := min(count, now - before)) > 0:
            _write(pool / 'nr_hugepages', now - ours)


@contextlib.contextmanager
def mounted_hugetlbfs(path: Path, size_kib: int) -> Iterator[None]:
    """Mount huge pages of one size for a while.

    :param path: a directory that is made.
    :raises HostError: if this is not permitted.
    """
    path.mkdir(mode=0o700)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f'pagesize={size_kib}K,mode=0700'
    if libc.mount(
        b'hugetlbfs', os.fsencode(path), b'hugetlbfs', 0, options.encode()
    ):
        reason = os.strerror(ctypes.get_errno())
        path.rmdir()
        raise HostError(
            f'huge pages cannot be mounted: {reason}', hint=_OUTSIDE
        )
    try:
        yield
    finally:
        # A process that is about to end may still use it: lazily then.
        if libc.umount2(os.fsencode(path), 0):
            libc.umount2(os.fsencode(path), _MNT_DETACH)
        path.rmdir()


def _check_memory(wanted_kib: int) -> None:
    """Leave the machine as much memory as is taken from it."""
    available_kib = value_of(DirectoryTree(), _MEMINFO, _parse_available, 0)
    if available_kib < 2 * wanted_kib:
        raise HostError(
            f'{wanted_kib >> 10} MiB of huge pages would be too much of the '
            f'{available_kib >> 10} MiB that are free',
            hint='free memory, or try a smaller flavor',
        )


def _parse_available(text: str) -> int:
    match = _AVAILABLE.search(text)
    if match is None:
        raise ValueError('no MemAvailable')
    return int(match[1])


def _count(path: Path) -> int:
    return value_of(DirectoryTree(), str(path), parse_int, 0)


def _write(path: Path, count: int) -> None:
    try:
        path.write_text(str(count), encoding='ascii')
    except OSError as error:
        raise HostError(
            f'cannot write {path}: {error.strerror}', hint=_OUTSIDE
        ) from None

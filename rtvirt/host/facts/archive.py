# SPDX-License-Identifier: Apache-2.0
"""Read a snapshot's archive without unpacking it.

An archive may come from anybody. It is read front to back within fixed
bounds of size and count, into memory; nothing is written anywhere, and one
that holds anything but plainly named files is refused as a whole.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rtvirt.exception import HostError
from rtvirt.host.facts.tree import MappingTree

MAX_BYTES: Final = 1 << 28
MAX_FILE_BYTES: Final = 1 << 25
MAX_MEMBERS: Final = 1 << 18

_MAX_NAME: Final = 512


def read_archive(path: str | os.PathLike[str]) -> MappingTree:
    """Read the files of a ``.tar.gz``.

    :raises HostError: if it is none, passes a bound, or holds a link, a
        device, a name that leads out of it or the same name twice.
    """
    try:
        with (
            Path(path).open('rb') as raw,
            gzip.GzipFile(fileobj=raw) as packed,
            tarfile.open(
                fileobj=_Bounded(packed, path),
                mode='r|',
                ignore_zeros=False,
            ) as tar,
        ):
            files = dict(_members(tar, path))
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise HostError(
            f'{os.fspath(path)!r} cannot be read as a snapshot: {error}',
            hint='name a .tar.gz that "rtvirt host snapshot" wrote',
        ) from error
    return MappingTree(files)


class _Bounded(io.RawIOBase):
    """A stream that refuses to give more than the bound."""

    def __init__(
        self, stream: gzip.GzipFile, path: str | os.PathLike[str]
    ) -> None:
        self._stream = stream
        self._path = path
        self._left = MAX_BYTES

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes; all of the stream is never asked."""
        # One byte beyond the bound tells that there is more.
        content = self._stream.read(min(max(size, 0), self._left + 1))
        self._left -= len(content)
        if self._left < 0:
            raise _refuse(self._path, f'unpacks to over {MAX_BYTES} bytes')
        return content


def _members(
    tar: tarfile.TarFile, path: str | os.PathLike[str]
) -> Iterator[tuple[str, bytes]]:
    seen = set()
    for count, member in enumerate(tar, 1):
        if count > MAX_MEMBERS:
            raise _refuse(path, f'has more than {MAX_MEMBERS} entries')
        name = _plain_name(member, path)
        if member.isdir():
            continue
        if not member.isreg() or member.issparse():
            raise _refuse(path, f'has {name!r}, which is no regular file')
        if member.size > MAX_FILE_BYTES:
            raise _refuse(path, f'has {name!r} of {member.size} bytes')
        if name in seen:
            raise _refuse(path, f'has {name!r} twice')
        seen.add(name)
        content = tar.extractfile(member)
        if content is not None:
            yield name, content.read()


def _plain_name(member: tarfile.TarInfo, path: str | os.PathLike[str]) -> str:
    """Return the member's path from the host's root."""
    name = member.name.removeprefix('./')
    if len(name) > _MAX_NAME:
        raise _refuse(path, f'has {name[:40]!r}..., which is too long a name')
    parts = name.split('/')
    if name.startswith('/') or '..' in parts or '\0' in name:
        raise _refuse(path, f'has {name!r}, which leads out of it')
    return '/' + '/'.join(part for part in parts if part not in ('', '.'))


def _refuse(path: str | os.PathLike[str], why: str) -> HostError:
    return HostError(
        f'the archive {os.fspath(path)!r} is refused: it {why}',
        hint='take the snapshot again with "rtvirt host snapshot"',
    )

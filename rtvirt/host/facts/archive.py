# SPDX-License-Identifier: Apache-2.0
"""Read the archive of a snapshot, or of a sosreport, without unpacking it.

An archive may come from anybody. It is read front to back within fixed
bounds of size and count, into memory; nothing is written anywhere, and one
that holds anything but plainly named files is refused as a whole. A
sosreport has links and long logs as well: these are passed over, and never
followed.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from typing import Final

from rtvirt.exception import HostError
from rtvirt.host.facts.tree import MappingTree
from rtvirt.host.facts.tree import too_long
from rtvirt.model.facts.missing import Missing

MAX_BYTES: Final = 1 << 28
MAX_FILE_BYTES: Final = 1 << 25
MAX_MEMBERS: Final = 1 << 18

_MAX_NAME: Final = 512
_MAX_XZ_MEMORY: Final = 1 << 27
"""``xz -9`` takes 65 MiB; what an archive may ask for is 1.5 GiB."""

_CHUNK: Final = 1 << 16
_GZIP: Final = b'\x1f\x8b'
_XZ: Final = b'\xfd7zXZ\0'
_REPORT: Final = 'sosreport'
"""How the one directory in a sosreport's archive begins."""


def is_packed(data: bytes) -> bool:
    """Whether a file that begins so may be read as an archive."""
    return data.startswith((_GZIP, _XZ))


def read_archive(path: str | os.PathLike[str]) -> MappingTree:
    """Read the files of a ``.tar.gz`` or ``.tar.xz``.

    :raises HostError: if it is none, passes a bound, or holds a link, a
        device, a name that leads out of it or the same name twice.
    """
    try:
        with (
            Path(path).open('rb') as raw,
            tarfile.open(
                fileobj=_Bounded(_unpack(raw), path),
                mode='r|',
                ignore_zeros=False,
            ) as tar,
        ):
            files = dict(_members(tar, path))
    except (
        OSError,
        EOFError,
        lzma.LZMAError,
        zlib.error,
        tarfile.TarError,
    ) as error:
        raise HostError(
            f'{os.fspath(path)!r} cannot be read as a snapshot: {error}',
            hint='name a .tar.gz that "rtvirt host snapshot" wrote, or a '
            'sosreport',
        ) from error
    return MappingTree(files)


def _unpack(raw: BinaryIO) -> gzip.GzipFile | _XZStream:
    begin = raw.read(len(_XZ))
    raw.seek(0)
    return _XZStream(raw) if begin == _XZ else gzip.GzipFile(fileobj=raw)


class _XZStream:
    """What is in an ``.xz``; unlike ``lzma.open`` its memory is bounded."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._unpacker = lzma.LZMADecompressor(
            lzma.FORMAT_XZ, memlimit=_MAX_XZ_MEMORY
        )

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes."""
        while not self._unpacker.eof:
            packed = b''
            if self._unpacker.needs_input:
                packed = self._raw.read(_CHUNK)
                if not packed:
                    raise EOFError('it ends too early')
            if content := self._unpacker.decompress(packed, size):
                return content
        return b''


class _Bounded(io.RawIOBase):
    """A stream that refuses to give more than the bound."""

    def __init__(
        self,
        stream: gzip.GzipFile | _XZStream,
        path: str | os.PathLike[str],
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
) -> Iterator[tuple[str, bytes | Missing]]:
    seen = set()
    for count, member in enumerate(tar, 1):
        if count > MAX_MEMBERS:
            raise _refuse(path, f'has more than {MAX_MEMBERS} entries')
        name = _plain_name(member, path)
        in_report = name.startswith(f'/{_REPORT}')
        if member.isdir() or (in_report and member.issym()):
            continue
        if not member.isreg() or member.issparse():
            raise _refuse(path, f'has {name!r}, which is no regular file')
        if member.size > MAX_FILE_BYTES and not in_report:
            raise _refuse(path, f'has {name!r} of {member.size} bytes')
        if in_report:
            name = '/' + name[1:].partition('/')[2]
        if name in seen:
            raise _refuse(path, f'has {name!r} twice')
        seen.add(name)
        if member.size > MAX_FILE_BYTES:
            yield name, too_long(name, MAX_FILE_BYTES)
        elif content := tar.extractfile(member):
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
        hint='take the snapshot again with "rtvirt host snapshot"; a '
        'sosreport may be unpacked, and its directory named',
    )

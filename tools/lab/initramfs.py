# SPDX-License-Identifier: Apache-2.0
"""Archives that a kernel unpacks at boot: cpio in the "newc" form.

Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
Made here, an archive needs neither root nor the modes of files on disk.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from pathlib import PurePosixPath
from typing import Final

_TRAILER: Final = 'TRAILER!!!'


def archive(
    files: Mapping[str, Path | bytes], links: Mapping[str, str] | None = None
) -> bytes:
    """Return an archive of files, all executable, all root's.

    :param files: a path or the content by absolute name.
    :param links: targets of symbolic links by absolute name.
    """
    links = links or {}
    parts: list[bytes] = []
    for name in _directories([*files, *links]):
        parts.append(_entry(name, stat.S_IFDIR | 0o755, b'', len(parts)))
    for name, source in files.items():
        data = source.read_bytes() if isinstance(source, Path) else source
        parts.append(_entry(name, stat.S_IFREG | 0o755, data, len(parts)))
    for name, target in links.items():
        mode = stat.S_IFLNK | 0o777
        parts.append(_entry(name, mode, target.encode(), len(parts)))
    parts.append(_entry(_TRAILER, 0, b'', 0))
    return b''.join(parts)


def _directories(names: list[str]) -> Iterator[str]:
    found = {
        parent
        for name in names
        for parent in PurePosixPath(name).parents
        if parent.name
    }
    yield from sorted(map(str, found))


def _entry(name: str, mode: int, data: bytes, inode: int) -> bytes:
    path = name.lstrip('/').encode() + b'\0'
    fields = (
        *(inode + 1, mode, 0, 0, 1, 0, len(data)),
        *(0, 0, 0, 0, len(path), 0),
    )
    head = b'070701' + b''.join(b'%08X' % field for field in fields)
    return _padded(head + path) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)

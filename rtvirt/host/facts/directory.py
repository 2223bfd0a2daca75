# SPDX-License-Identifier: Apache-2.0
"""A host's files below a directory: this host's, or a copy of another's."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from rtvirt.exception import HostError
from rtvirt.host.facts.tree import LIMIT
from rtvirt.host.facts.tree import too_long
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.facts.missing import absent

_MAX_LINKS: Final = 40
_CHUNK: Final = 8192
_NOT_THERE: Final = frozenset(
    {
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.ESRCH,
    }
)


class DirectoryTree:
    """The files below a directory.

    Below ``/`` a file is opened as it is named. Below any other root,
    symbolic links are followed as if that root were ``/``, so that no link
    leads out of it, and only regular files are opened.

    :raises HostError: if the root is no directory that can be entered.
    """

    def __init__(self, root: str | os.PathLike[str] = '/') -> None:
        top = Path(root)
        if not top.is_dir() or not os.access(top, os.R_OK | os.X_OK):
            raise HostError(
                f'{os.fspath(root)!r} is no directory that can be read',
                hint='name the root of a host, a snapshot or an unpacked '
                'sosreport',
            )
        real = os.path.realpath(top)
        self._is_host = real == '/'
        self._root = '' if self._is_host else real
        self._directories: dict[str, str | None] = {'': self._root}

    def read(self, path: str, limit: int = LIMIT) -> bytes | Missing:
        """Return what a file holds."""
        try:
            if self._is_host:
                # An attribute of sysfs comes as a whole, or not at all.
                is_whole = path.startswith('/sys/')
                return _read(path, path, limit, is_whole=is_whole)
            return _read(self._regular(path), path, limit, is_whole=True)
        except OSError as error:
            return _missing(path, error)

    def names(self, path: str) -> tuple[str, ...]:
        """Return the entries of a directory, sorted."""
        bare = path.rstrip('/')
        real = (bare or '/') if self._is_host else self._directory(bare)
        if real is None:
            return ()
        try:
            return tuple(sorted(os.listdir(real)))  # noqa: PTH208 - names
        except OSError:
            return ()

    def _regular(self, path: str) -> str:
        """Return where a file really lies.

        :raises OSError: if it is not there, or no regular file.
        """
        directory, _, name = path.rpartition('/')
        above = self._directories.get(directory) or self._directory(directory)
        if above is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        real = f'{above}/{name}'
        mode = os.lstat(real).st_mode
        if stat.S_ISLNK(mode):
            real = self._resolve(path)
            mode = os.lstat(real).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, 'not a regular file')
        return real

    def _directory(self, path: str) -> str | None:
        """Return where a directory really lies, None where there is none."""
        if path not in self._directories:
            self._directories[path] = self._find_directory(path)
        return self._directories[path]

    def _find_directory(self, path: str) -> str | None:
        parent, _, name = path.rpartition('/')
        above = self._directories.get(parent) or self._directory(parent)
        if above is None or name == '..':
            return None
        real = f'{above}/{name}'
        try:
            mode = os.lstat(real).st_mode
            if stat.S_ISLNK(mode):
                real = self._resolve(path)
                mode = os.lstat(real).st_mode
        except OSError:
            return None
        return real if stat.S_ISDIR(mode) else None

    def _resolve(self, path: str) -> str:
        """Follow the links in a path, the tree's root taken for ``/``."""
        pending = path.split('/')[::-1]
        here: list[str] = []
        links = 0
        while pending:
            name = pending.pop()
            if name == '..':
                del here[-1:]
            if name in ('', '.', '..'):
                continue
            real = '/'.join((self._root, *here, name))
            if not stat.S_ISLNK(os.lstat(real).st_mode):
                here.append(name)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            target = os.fspath(Path(real).readlink())
            if target.startswith('/'):
                here.clear()
            pending.extend(target.split('/')[::-1])
        return '/'.join((self._root, *here))


def _read(
    real: str, path: str, limit: int, *, is_whole: bool
) -> bytes | Missing:
    """Read a file.

    :param is_whole: whether a short piece is the last one. It is of a
        regular file; ``/proc`` gives what fits into a page, again and again.
    """
    # Nothing here may wait: neither a FIFO nor the kernel's log.
    opened = os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        content = _read_chunk(opened)
        if is_whole and len(content) < min(_CHUNK, limit):
            return content
        chunks = [content]
        length = len(content)
        while content and length <= limit:
            content = _read_chunk(opened)
            chunks.append(content)
            length += len(content)
    finally:
        os.close(opened)
    if length > limit:
        return too_long(path, limit)
    return b''.join(chunks)


def _read_chunk(opened: int) -> bytes:
    """Read what comes next; nothing is the end."""
    while True:
        try:
            return os.read(opened, _CHUNK)
        except BlockingIOError:
            return b''
        except BrokenPipeError:
            # /dev/kmsg: the record to come was overwritten meanwhile.
            continue


def _missing(path: str, error: OSError) -> Missing:
    if error.errno in _NOT_THERE:
        return absent(path)
    return Missing(
        missing=Why.UNREADABLE,
        path=path,
        detail=error.strerror or type(error).__name__,
    )

# SPDX-License-Identifier: Apache-2.0
"""One at a time looks what is free on a host and takes it.

The lock is a POSIX record lock on a file (oslo.concurrency): the kernel
gives it back when its holder ends, however that is.
"""

from __future__ import annotations

import contextlib
import fcntl
import grp
import os
import re
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import Final

from oslo_concurrency import lockutils

from rtvirt.exception import HostError

_GROUP: Final = 'libvirt'
_DIRECTORY_MODE: Final = 0o2770
_FILE_MODE: Final = 0o660
_OTHER: Final = re.compile(r'[^a-zA-Z0-9._-]')

# struct flock of fcntl(2): type, whence, start, length and process.
_FLOCK: Final = struct.Struct('hhqqi4x')

# Record locks are the process's: between its threads stands this. To close
# the file while another thread has it locked would unlock it.
_thread_lock: Final = threading.Lock()


@contextlib.contextmanager
def host_lock(host: str, path: str, timeout: float) -> Iterator[None]:
    """Keep others on this machine from planning for a host meanwhile.

    :param host: the host's name, for each has a lock of its own.
    :param path: the directory of the lock; made where it is not there.
    :param timeout: how many seconds to wait.
    :raises HostError: if the lock cannot be had.
    """
    name = f'host-{_OTHER.sub("_", host)[:200]}'
    file = Path(path, name)
    deadline = time.monotonic() + timeout
    if not _thread_lock.acquire(timeout=timeout):
        raise _taken(file, timeout, os.getpid())
    try:
        _prepare(file)
        lock = lockutils.external_lock(name, lock_path=path)
        left = max(0.0, deadline - time.monotonic())
        if not _acquire(lock, file, left):
            raise _taken(file, timeout, _holder(file))
        try:
            yield
        finally:
            lock.release()
    finally:
        _thread_lock.release()


def _acquire(lock: Any, file: Path, timeout: float) -> bool:
    try:
        return bool(lock.acquire(delay=0.01, max_delay=0.1, timeout=timeout))
    # fasteners: what it could not do stands behind its own words.
    except (OSError, threading.ThreadError) as error:
        raise _useless(file, error.__cause__ or error) from error
    finally:
        # Left to the garbage collector it would be closed at any time, and
        # with it a lock that another thread has by then.
        if not lock.acquired and lock.lockfile is not None:
            lock.lockfile.close()


def _prepare(file: Path) -> None:
    """Make the file, for everybody who may manage libvirt.

    :raises HostError: if that is not permitted.
    """
    directory = file.parent
    try:
        if not directory.is_dir():
            _make_directory(directory)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(file, flags, _FILE_MODE)
        try:
            if os.fstat(handle).st_uid == os.geteuid():
                # Whatever the umask took away.
                os.fchmod(handle, _FILE_MODE)
        finally:
            os.close(handle)
    except OSError as error:
        raise _useless(file, error) from error


def _make_directory(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        with contextlib.suppress(KeyError):
            os.chown(directory, -1, grp.getgrnam(_GROUP).gr_gid)
    directory.chmod(_DIRECTORY_MODE)


def _useless(file: Path, error: BaseException) -> HostError:
    why = getattr(error, 'strerror', None) or str(error)
    return HostError(
        f'the lock {file} cannot be had: {why}',
        hint='let root create a domain once, or make the directory: '
        f'install -d -m 2770 -g {_GROUP} {file.parent}; or choose another '
        'by lock_path in rtvirt.conf',
    )


def _taken(file: Path, timeout: float, pid: int) -> HostError:
    who = f'process {pid}' if pid else 'somebody else'
    return HostError(
        f'the lock {file} cannot be had: {who} has held it for all of '
        f'{timeout:g} s',
        hint='try again, or wait longer by lock_timeout in rtvirt.conf'
        + (f'; ps -p {pid} tells who it is' if pid else ''),
    )


def _holder(file: Path) -> int:
    """Return the process that holds the lock; 0 where none is seen."""
    with contextlib.suppress(OSError):
        handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        try:
            asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            answer = _FLOCK.unpack(fcntl.fcntl(handle, fcntl.F_GETLK, asked))
        finally:
            os.close(handle)
        if answer[0] != fcntl.F_UNLCK:
            return int(answer[4])
    return 0

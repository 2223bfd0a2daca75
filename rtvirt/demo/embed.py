# SPDX-License-Identifier: Apache-2.0
"""libvirt's QEMU driver inside this process, in a directory of its own.

No daemon is needed and none is touched: configuration, state, logs and
sockets lie in the directory (``qemu:///embed?root=``), and go with it.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import Final

from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.connection import translated
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.facts.task import read_process_ids
from rtvirt.model.facts.missing import Missing

_QEMU_CONF: Final = """\
# A new cpu cgroup has no real-time runtime where the kernel was built with
# CONFIG_RT_GROUP_SCHED: SCHED_FIFO would be refused.
cgroup_controllers = []

# <locked/> needs CAP_IPC_LOCK in QEMU.
user = "root"
group = "root"
clear_emulator_capabilities = 0

# There is no virtlogd.
stdio_handler = "file"

# Nothing outside of this directory is changed.
security_driver = "none"
namespaces = []
remember_owner = 0
"""

_STATE: Final = Path('/run/libvirt')
_LEFTOVERS: Final = frozenset({'common', 'hostdevmgr'})
_GRACE_S: Final = 5


def qemu_conf(hugetlbfs: Path | None = None) -> str:
    """Return a qemu.conf for a libvirt that nobody else uses.

    :param hugetlbfs: where huge pages are mounted for the guests.
    """
    if hugetlbfs is None:
        return _QEMU_CONF
    return f'{_QEMU_CONF}\nhugetlbfs_mount = "{hugetlbfs}"\n'


@contextlib.contextmanager
def private_directory(prefix: str = 'rtvirt-') -> Iterator[Path]:
    """Make a directory for one user and remove it in the end.

    QEMU's sockets have names of at most 107 characters: it is a short one.
    """
    path = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def embedded_libvirt(
    root: Path, *, hugetlbfs: Path | None = None
) -> Iterator[Any]:
    """Open libvirt's QEMU driver in a directory, and end what it started.

    :param root: an empty directory; root's own, for QEMU runs as root.
    :param hugetlbfs: where huge pages are mounted for the guests.
    :raises HostError: if libvirt or its QEMU driver is not there.
    """
    conf = root / 'etc' / 'qemu.conf'
    conf.parent.mkdir()
    conf.write_text(qemu_conf(hugetlbfs), encoding='utf-8')
    with _kept_state(), contextlib.ExitStack() as stack:
        stack.callback(end_processes, root)
        driver = stack.enter_context(
            connect(f'qemu:///embed?root={root}', read_only=False)
        )
        stack.callback(_destroy_all, driver)
        yield driver


@contextlib.contextmanager
def _kept_state() -> Iterator[None]:
    """Remove what even an embedded driver leaves in /run."""
    known = (
        {path.name for path in _STATE.iterdir()} if _STATE.is_dir() else None
    )
    try:
        yield
    finally:
        for name in _LEFTOVERS - (known or set()):
            shutil.rmtree(_STATE / name, ignore_errors=True)
        if known is None:
            with contextlib.suppress(OSError):
                _STATE.rmdir()


def _destroy_all(driver: Any) -> None:
    """End the domains as libvirt does; what resists is ended later."""
    with (
        contextlib.suppress(HostError),
        translated('cannot list the domains'),
    ):
        for domain in driver.listAllDomains():
            if domain.isActive():
                domain.destroy()


def end_processes(root: Path) -> None:
    """End every process that was started in a directory.

    All that libvirt starts have its path on their command line.
    """
    for pid in find_processes(f'{root}/'):
        end_process(pid)


def find_processes(text: str) -> tuple[int, ...]:
    """Return the processes that have a text on their command line."""
    tree = DirectoryTree()
    lines = {
        pid: tree.read(f'/proc/{pid}/cmdline')
        for pid in read_process_ids(tree)
    }
    mark = os.fsencode(text)
    return tuple(
        pid
        for pid, line in lines.items()
        if not isinstance(line, Missing) and mark in line
    )


def end_process(pid: int) -> None:
    """Ask a process to end, and make it after some seconds."""
    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        try:
            for number in (signal.SIGTERM, signal.SIGKILL):
                signal.pidfd_send_signal(process, number)
                if select.select([process], [], [], _GRACE_S)[0]:
                    return
        finally:
            os.close(process)

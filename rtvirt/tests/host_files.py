# SPDX-License-Identifier: Apache-2.0
"""The files of a host that does not exist, to be changed one by one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from rtvirt.host.facts import read_tree
from rtvirt.host.facts.tree import MappingTree
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why

CPU: Final = '/sys/devices/system/cpu'
NODE: Final = '/sys/devices/system/node'

_KTHREAD: Final = 0x00200000
_NO_SETAFFINITY: Final = 0x04000000


class HostFiles:
    """Files by path, to be changed one by one."""

    def __init__(self) -> None:
        self.files: dict[str, bytes | Missing] = {}

    def write(self, path: str, content: str | bytes) -> None:
        """Make a file; a text gets the line end that the kernel gives it."""
        if isinstance(content, str):
            content = content.encode()
            content += b'' if content.endswith(b'\n') else b'\n'
        self.files[path] = content

    def text(self, path: str) -> str:
        """Return what a file holds."""
        content = self.files[path]
        assert isinstance(content, bytes), path
        return content.decode()

    def replace(self, path: str, old: str, new: str) -> None:
        """Change a part of a file, which must be there."""
        text = self.text(path)
        assert old in text, (path, old)
        self.write(path, text.replace(old, new))

    def remove(self, path: str) -> None:
        """Remove a file, or all files below a directory."""
        doomed = [
            name
            for name in self.files
            if name == path or name.startswith(f'{path}/')
        ]
        assert doomed, path
        for name in doomed:
            del self.files[name]

    def forbid(self, path: str) -> None:
        """Make a file unreadable."""
        self.files[path] = Missing(
            missing=Why.UNREADABLE, path=path, detail='Permission denied'
        )

    def tree(self) -> MappingTree:
        """Return the files as the readers take them."""
        return MappingTree(dict(self.files))

    def facts(self) -> HostFacts:
        """Read the facts of this host."""
        return read_tree(self.tree())

    def unpack(self, root: Path) -> None:
        """Write the files below a directory; those unreadable are left."""
        for path, content in self.files.items():
            if isinstance(content, bytes):
                place = root / path.lstrip('/')
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)

    def add_task(
        self,
        pid: int,
        name: str,
        cpus: CPUSet,
        *,
        tid: int | None = None,
        fifo: int = 0,
        kernel: bool = False,
        bound: bool = False,
        status: str = '',
    ) -> None:
        """Add a thread, of a process or of the kernel."""
        flags = kernel * _KTHREAD | bound * _NO_SETAFFINITY | 0x40
        after = ['0'] * 50
        after[0] = 'S'
        after[6] = str(flags)
        after[36] = str(min(cpus, default=0))
        after[37] = str(fifo)
        after[38] = '1' if fifo else '0'
        number = pid if tid is None else tid
        stat = f'{number} ({name}) {" ".join(after)}'
        text = (
            f'Name:\t{name}\nPid:\t{number}\n{status}'
            f'Cpus_allowed:\t{cpus.mask:x}\nCpus_allowed_list:\t{cpus}\n'
            'Mems_allowed_list:\t0\n'
        )
        places = [f'/proc/{pid}/task/{number}']
        if tid is None:
            places.append(f'/proc/{pid}')
        for place in places[kernel:]:
            self.write(f'{place}/stat', stat)
            self.write(f'{place}/status', text)


def without(host: HostFiles, *parameters: str) -> None:
    """Take parameters out of the kernel command line, by their names."""
    words = host.text('/proc/cmdline').split()
    kept = [w for w in words if w.partition('=')[0] not in parameters]
    assert len(kept) < len(words), parameters
    host.write('/proc/cmdline', ' '.join(kept))


def append(host: HostFiles, *parameters: str) -> None:
    """Add parameters to the kernel command line."""
    line = host.text('/proc/cmdline').strip()
    host.write('/proc/cmdline', ' '.join([line, *parameters]))


def set_all(
    host: HostFiles, cpus: Iterable[int], path: str, text: str
) -> None:
    """Write a per-CPU file of these CPUs; ``{}`` stands for the CPU."""
    for cpu in cpus:
        host.write(path.format(cpu), text)

# SPDX-License-Identifier: Apache-2.0
"""An emulated host: booted, driven, rebooted, taken down."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rtvirt.demo.embed import end_processes
from tools.lab.emulator import LIBVIRT_PORT
from tools.lab.emulator import command
from tools.lab.error import LabError
from tools.lab.host.agent import PORT
from tools.lab.image import Image
from tools.lab.image import ensure_image
from tools.lab.payload import make_payload
from tools.lab.remote import Outcome
from tools.lab.remote import forwarded_ports
from tools.lab.remote import run
from tools.lab.rootfs import require_program
from tools.lab.topology import Topology
from tools.lab.tuning import installed
from tools.lab.tuning import kernel_parameters
from tools.lab.tuning import tuned_files

PREFIX: Final = 'rtvirt-lab-'
_READY: Final = 'lab: ready'
_BOOT_S: Final = 300


class EmulatedHost:
    """A host in a directory of its own, which has all that it writes.

    :param directory: an empty one; sockets lie in it, so its name is short.
    :param hostname: what the host calls itself.
    """

    def __init__(
        self,
        topology: Topology,
        image: Image,
        directory: Path,
        *,
        hostname: str = 'rt-host',
    ) -> None:
        self.topology = topology
        self.directory = directory
        self.hostname = hostname
        self.pid = 0
        self._image = image
        self._ports: dict[int, int] = {}
        subprocess.run(
            [
                *(require_program('qemu-img'), 'create', '-q', '-f', 'qcow2'),
                *('-b', image.disk, '-F', 'raw', directory / 'root.qcow2'),
            ],
            check=True,
        )

    @property
    def uri(self) -> str:
        """Where its libvirt answers."""
        return f'qemu+tcp://127.0.0.1:{self._ports[LIBVIRT_PORT]}/system'

    @property
    def console(self) -> str:
        """What its kernel and first process said since it was booted."""
        path = self.directory / 'console.log'
        return path.read_text(errors='replace') if path.exists() else ''

    def boot(self, files: Mapping[str, str]) -> None:
        """Start it and wait until its libvirt and its agent answer.

        :param files: what `rtvirt host tune` printed, installed before; the
            kernel gets its parameters from among them.
        :raises LabError: if it does not come up.
        """
        make_payload(
            self.directory / 'payload.img',
            hostname=self.hostname,
            files=installed(files),
        )
        (self.directory / 'console.log').unlink(missing_ok=True)
        log = self.directory / 'qemu.log'
        with log.open('wb') as output:
            process = subprocess.Popen(
                command(
                    self.topology,
                    self._image,
                    self.directory,
                    kernel_parameters(files),
                ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.pid = process.pid
        self._wait(process)
        self._ports = forwarded_ports(self.directory / 'qmp')
        self.run('true').check()
        self._save()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _BOOT_S
        while _READY not in self.console:
            if process.poll() is not None:
                said = (self.directory / 'qemu.log').read_text().strip()
                raise LabError(f'QEMU ended: {said}\n{self._tail()}')
            if time.monotonic() > deadline:
                raise LabError(
                    f'the emulated host is not up after {_BOOT_S} s:\n'
                    f'{self._tail()}'
                )
            time.sleep(0.2)

    def _tail(self) -> str:
        return '\n'.join(self.console.splitlines()[-60:])

    def run(
        self,
        *argv: str,
        data: bytes = b'',
        timeout_s: float = 180,
        echo: Callable[[str, str], None] = lambda _kind, _text: None,
    ) -> Outcome:
        """Run a command in it, as root.

        :param data: for the command's standard input.
        :raises LabError: if the host does not answer.
        """
        return run(
            self._ports[PORT],
            argv,
            data=data,
            timeout_s=timeout_s,
            echo=echo,
        )

    def shell(self, script: str, *, timeout_s: float = 180) -> Outcome:
        """Run a script of a shell in it."""
        return self.run('sh', '-c', script, timeout_s=timeout_s)

    def write(self, path: str, data: bytes) -> None:
        """Write a file in it."""
        self.run('tee', '--', path, data=data).check()

    def read(self, path: str) -> str:
        """Return the text of a file in it."""
        return self.run('cat', '--', path).check().stdout

    def down(self) -> None:
        """End it, as a power cut does; what it has written stays."""
        end_processes(self.directory)
        self.pid = 0

    def reboot(self, files: Mapping[str, str]) -> None:
        """End it in an orderly way for its disks, and boot it again."""
        self.run('sync').check()
        self.down()
        self.boot(files)

    def _save(self) -> None:
        (self.directory / 'lab.json').write_text(
            json.dumps(
                {
                    'topology': self.topology.name,
                    'pid': self.pid,
                    'uri': self.uri,
                    'agent': self._ports[PORT],
                }
            )
        )


@contextlib.contextmanager
def emulated_host(
    topology: Topology,
    *,
    hostname: str = 'rt-host',
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[EmulatedHost]:
    """Boot a host, set up as its topology says; in the end nothing is left.

    :param say: told what is done when that takes long.
    :raises LabError: if the image or the host cannot be had.
    """
    image = ensure_image(say)
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        host = EmulatedHost(topology, image, directory, hostname=hostname)
        host.boot(tuned_files(topology))
        yield host
    finally:
        end_processes(directory)
        shutil.rmtree(directory, ignore_errors=True)

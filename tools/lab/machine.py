# SPDX-License-Identifier: Apache-2.0
"""An emulated host: booted, driven, rebooted, taken down."""

from __future__ import annotations

import contextlib
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
from tools.lab.topology import TOPOLOGIES
from tools.lab.topology import Topology
from tools.lab.tuning import installed
from tools.lab.tuning import kernel_parameters
from tools.lab.tuning import tuned_files

PREFIX: Final = 'rtvirt-lab-'
_ORIGIN: Final = 'origin'
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
        self._image = image
        self._process: subprocess.Popen[bytes] | None = None
        self._ports: dict[int, int] = {}

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
            self._process = subprocess.Popen(
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
        self._wait(self._process)
        self._ports = forwarded_ports(self.directory / 'qmp')
        self.run('true').check()

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

    def attach(self) -> None:
        """Take over one that is up, and was booted by another process.

        :raises LabError: if there is none in the directory.
        """
        self._ports = forwarded_ports(self.directory / 'qmp')

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
        if self._process is not None:
            self._process.wait()
            self._process = None

    def reboot(self, files: Mapping[str, str]) -> None:
        """End it in an orderly way for its disks, and boot it again."""
        self.run('sync').check()
        self.down()
        self.boot(files)

    def remove(self) -> None:
        """End it, and remove its directory."""
        self.down()
        shutil.rmtree(self.directory, ignore_errors=True)


def prepare(
    topology: Topology,
    *,
    hostname: str = 'rt-host',
    say: Callable[[str], None] = lambda _: None,
) -> EmulatedHost:
    """Return a host that is yet to be booted.

    :param say: told what is done when that takes long.
    :raises LabError: if the image cannot be had.
    """
    image = ensure_image(say)
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    (directory / _ORIGIN).write_text(f'{topology.name}\n{image.directory}\n')
    subprocess.run(
        [
            *(require_program('qemu-img'), 'create', '-q', '-f', 'qcow2'),
            *('-b', image.disk, '-F', 'raw', directory / 'root.qcow2'),
        ],
        check=True,
    )
    return EmulatedHost(topology, image, directory, hostname=hostname)


def attached(directory: Path) -> EmulatedHost:
    """Return a host that is up.

    :raises LabError: if there is none in the directory.
    """
    try:
        name, image = (directory / _ORIGIN).read_text().splitlines()
    except OSError:
        raise LabError(
            f'{directory} is no host of the lab',
            hint='python -m tools.lab list',
        ) from None
    host = EmulatedHost(TOPOLOGIES[name], Image(Path(image)), directory)
    host.attach()
    return host


@contextlib.contextmanager
def prepared_host(
    topology: Topology,
    *,
    hostname: str = 'rt-host',
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[EmulatedHost]:
    """Have a host that is yet to be booted; in the end nothing is left."""
    host = prepare(topology, hostname=hostname, say=say)
    try:
        yield host
    finally:
        host.remove()


@contextlib.contextmanager
def emulated_host(
    topology: Topology, *, hostname: str = 'rt-host'
) -> Iterator[EmulatedHost]:
    """Boot a host that is set up as its topology says; as above.

    :raises LabError: if the image or the host cannot be had.
    """
    with prepared_host(topology, hostname=hostname) as host:
        host.boot(tuned_files(topology))
        yield host

# SPDX-License-Identifier: Apache-2.0
"""An emulated host: booted, driven, rebooted, taken down."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rtvirt.demo.embed import end_process
from rtvirt.demo.embed import find_processes
from tools.lab.debstrap import require_program
from tools.lab.emulator import LIBVIRT_PORT
from tools.lab.emulator import ROOT
from tools.lab.emulator import command
from tools.lab.error import LabError
from tools.lab.host.agent import PORT
from tools.lab.image import Image
from tools.lab.image import ensure_image
from tools.lab.link import Link
from tools.lab.payload import make_payload
from tools.lab.remote import Outcome
from tools.lab.remote import forwarded_ports
from tools.lab.remote import processors
from tools.lab.remote import run
from tools.lab.topology import TOPOLOGIES
from tools.lab.topology import Topology
from tools.lab.tuning import installed
from tools.lab.tuning import kernel_parameters
from tools.lab.tuning import tuned_files

PREFIX: Final = 'rtvirt-lab-'
HOSTNAME: Final = 'rt-host'
_ORIGIN: Final = 'origin'
_READY: Final = 'lab: ready'
_BOOT_S: Final = 300


class EmulatedHost:
    """A host in a directory of its own, which has all that it writes.

    :param directory: an empty one; sockets lie in it, so its name is short.
    :param hostname: what the host calls itself.
    :param link: the network to another host.
    """

    def __init__(
        self,
        topology: Topology,
        image: Image,
        directory: Path,
        *,
        hostname: str = HOSTNAME,
        link: Link | None = None,
    ) -> None:
        self.topology = topology
        self.directory = directory
        self.hostname = hostname
        self._link = link
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
            files={
                **installed(files),
                **(self._link.files if self._link else {}),
            },
        )
        parameters = kernel_parameters(files)
        code = self._start(parameters)
        if code == -signal.SIGABRT:
            # Until QEMU 8.2 a processor may take one device for another that
            # is set up meanwhile, which then asserts that it is not meant.
            code = self._start(parameters)
        if code is not None:
            said = (self.directory / 'qemu.log').read_text().strip()
            raise LabError(f'QEMU ended: {said}\n{self._tail()}')
        self._ports = forwarded_ports(self.directory / 'qmp')
        self.run('true').check()

    def _start(self, parameters: str) -> int | None:
        """Start QEMU; return None when the host is up, or how QEMU ended."""
        (self.directory / 'console.log').unlink(missing_ok=True)
        log = self.directory / 'qemu.log'
        with log.open('wb') as output:
            self._process = subprocess.Popen(
                command(
                    self.topology,
                    self._image,
                    self.directory,
                    parameters,
                    link=self._link,
                ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _BOOT_S
        while _READY not in self.console:
            code = self._process.poll()
            if code is not None:
                return code
            if time.monotonic() > deadline:
                raise LabError(
                    f'the emulated host is not up after {_BOOT_S} s:\n'
                    f'{self._tail()}'
                )
            time.sleep(0.2)
        return None

    def _tail(self, lines: int = 60) -> str:
        return '\n'.join(self.console.splitlines()[-lines:])

    def _standing(self) -> str:
        """Return what is known of a host that does not answer."""
        try:
            where = processors(self.directory / 'qmp')
        except LabError as error:
            where = [str(error)]
        return '\n'.join([*where, 'its console ends with', self._tail(10)])

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
        try:
            return run(
                self._ports[PORT],
                argv,
                data=data,
                timeout_s=timeout_s,
                echo=echo,
            )
        except LabError as error:
            raise LabError(f'{error}\n{self._standing()}') from None

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
        end_emulator(self.directory)
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
    hostname: str = HOSTNAME,
    link: Link | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> EmulatedHost:
    """Return a host that is yet to be booted.

    :param link: the network to another host, which is connected besides.
    :param say: told what is done when that takes long.
    :raises LabError: if the image cannot be had.
    """
    image = ensure_image(topology.kernel, say)
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        (directory / _ORIGIN).write_text(
            f'{topology.name}\n{image.directory}\n{image.kernel}\n{hostname}\n'
        )
        subprocess.run(
            [
                *(require_program('qemu-img'), 'create', '-q', '-f', 'qcow2'),
                *('-b', image.disk, '-F', 'raw', directory / ROOT),
            ],
            check=True,
        )
    except BaseException:
        shutil.rmtree(directory)
        raise
    return EmulatedHost(
        topology, image, directory, hostname=hostname, link=link
    )


def attached(directory: Path) -> EmulatedHost:
    """Return a host that is up.

    :raises LabError: if there is none in the directory.
    """
    try:
        origin = (directory / _ORIGIN).read_text()
        name, image, kernel, hostname = origin.splitlines()
        topology = TOPOLOGIES[name]
    except (OSError, ValueError, KeyError):
        # Also one of another version of the lab.
        raise _no_host(directory) from None
    host = EmulatedHost(
        topology,
        Image(Path(image), Path(kernel)),
        directory,
        hostname=hostname,
    )
    host.attach()
    return host


def end_emulator(directory: Path) -> None:
    """End the QEMU that has its disk in a directory, and nobody else.

    Not who looks at a file there, nor a host that has a link to this one.
    """
    for pid in find_processes(f'file={directory / ROOT},'):
        end_process(pid)


def discard(directory: Path) -> None:
    """End a host, also one that does not answer, and remove its directory.

    :raises LabError: if the directory is not that of one.
    """
    if not (directory / _ORIGIN).exists():
        raise _no_host(directory)
    end_emulator(directory.absolute())
    shutil.rmtree(directory)


def _no_host(directory: Path) -> LabError:
    return LabError(
        f'{directory} is no host of the lab',
        hint='python -m tools.lab list',
    )


@contextlib.contextmanager
def prepared_host(
    topology: Topology,
    *,
    hostname: str = HOSTNAME,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[EmulatedHost]:
    """Have a host that is yet to be booted; in the end nothing is left."""
    host = prepare(topology, hostname=hostname, say=say)
    try:
        yield host
    finally:
        host.remove()


def boot_host(
    topology: Topology,
    *,
    hostname: str = HOSTNAME,
    say: Callable[[str], None] = lambda _: None,
) -> EmulatedHost:
    """Boot a host that is set up as its topology says.

    :param say: told what is done when that takes long.
    :raises LabError: if it cannot be had; then nothing of it is left.
    """
    host = prepare(topology, hostname=hostname, say=say)
    try:
        host.boot(tuned_files(topology))
    except BaseException:
        host.remove()
        raise
    return host


@contextlib.contextmanager
def emulated_host(
    topology: Topology, *, hostname: str = HOSTNAME
) -> Iterator[EmulatedHost]:
    """Have a host that is up; in the end nothing of it is left.

    :raises LabError: if the image or the host cannot be had.
    """
    host = boot_host(topology, hostname=hostname)
    try:
        yield host
    finally:
        host.remove()

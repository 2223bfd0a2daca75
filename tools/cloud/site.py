# SPDX-License-Identifier: Apache-2.0
"""Where everything of one cloud is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.cloud.port import HOST

NAMES: Final = (
    'keystone',
    'placement',
    'glance',
    'nova',
    'neutron',
    'rabbit',
    'erlang',
    'epmd',
)
"""What listens on a port of its own."""

REGION: Final = 'RegionOne'

_UNKNOWN_WIDTH: Final = (110, 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A cloud that is yet to be built.

    :ivar root: the directory that has all it writes.
    :ivar prefix: the Python environment with the services.
    :ivar ports: of 127.0.0.1, by NAMES.
    :ivar password: of the one user that there is, everywhere.
    :ivar cell: the host cell of its guests.
    :ivar cpus: the pCPUs there for dedicated vCPUs, as nova has them:
        ``0-1``.
    :ivar kvm: whether the processor runs guests, or QEMU alone.
    """

    root: Path
    prefix: Path
    ports: Mapping[str, int]
    password: str
    cell: int
    cpus: str
    kvm: bool

    @property
    def conf(self) -> Path:
        """The directory of all configuration files."""
        return self.root / 'conf'

    @property
    def log(self) -> Path:
        """The directory of all logs."""
        return self.root / 'log'

    @property
    def state(self) -> Path:
        """The directory of databases, images and disks."""
        return self.root / 'state'

    @property
    def rabbit(self) -> Path:
        """The directory of RabbitMQ, and the home of its Erlang."""
        return self.root / 'rabbit'

    @property
    def daemon(self) -> Path:
        """The directory of libvirtd."""
        return self.root / 'libvirt'

    @property
    def run(self) -> Path:
        """What is /run for libvirtd."""
        return self.daemon / 'run'

    @property
    def uri(self) -> str:
        """The libvirt for its guests."""
        socket = self.run / 'libvirt' / 'libvirt-sock'
        return f'qemu+unix:///system?socket={socket}'

    def program(self, name: str) -> str:
        """Return the path of a program of the environment."""
        return str(self.prefix / 'bin' / name)

    def url(self, name: str, path: str = '') -> str:
        """Return where a service answers."""
        return f'http://{HOST}:{self.ports[name]}{path}'

    def database(self, name: str) -> str:
        """Return a database's URL.

        Several processes write to one file: they wait for each other.
        """
        return f'sqlite:///{self.state}/{name}.sqlite?timeout=60'

    def environment(self) -> dict[str, str]:
        """Return what processes of this cloud find in their environment."""
        here = str(self.conf)
        return {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(('OS_', 'RABBITMQ_', 'ERL_'))
            },
            'PATH': f'{self.prefix}/bin:{os.environ.get("PATH", "")}',
            'PYTHONWARNINGS': 'ignore',
            'CLIFF_MAX_TERM_WIDTH': str(
                shutil.get_terminal_size(_UNKNOWN_WIDTH).columns
            ),
            'OS_CLIENT_CONFIG_FILE': f'{here}/clouds.yaml',
            'OS_CLOUD': 'rtvirt',
            'OS_KEYSTONE_CONFIG_DIR': here,
            'OS_PLACEMENT_CONFIG_DIR': here,
            'OS_GLANCE_CONFIG_DIR': here,
            'OS_NOVA_CONFIG_DIR': here,
            'LIBVIRT_DEFAULT_URI': self.uri,
        }

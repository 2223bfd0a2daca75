# SPDX-License-Identifier: Apache-2.0
"""The network between two emulated hosts.

It is as the one between two machines, but for its cable: each QEMU has a
socket for datagrams in its host's directory, and a symbolic link to the
other's. So either may be booted, rebooted or cut off by itself, and what is
sent meanwhile is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SOCKET: Final = 'link'
_PEER: Final = 'peer'
_PREFIX: Final = 24
_ADDRESS: Final = '192.168.76.{}'
_MAC: Final = '52:54:00:76:00:{:02x}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A network, as one host sees it.

    :ivar number: of the host, from 1.
    :ivar names: every address there, by host name.
    """

    number: int
    names: Mapping[str, str]

    def network_card(self, directory: Path) -> list[str]:
        """Return QEMU's options for a host at this end of the cable.

        The other host's directory is not named: whoever ends this host goes
        by the directories on command lines.
        """
        cable = [
            'dgram,id=link',
            *('local.type=unix', f'local.path={directory / _SOCKET}'),
            *('remote.type=unix', f'remote.path={directory / _PEER}'),
        ]
        card = [
            'virtio-net-pci,netdev=link,romfile=',
            f'mac={_MAC.format(self.number)}',
        ]
        return ['-netdev', ','.join(cable), '-device', ','.join(card)]

    @property
    def files(self) -> dict[str, str]:
        """What the host's first process sets the network up by."""
        known = {'localhost': '127.0.0.1', **self.names}
        return {
            '/etc/hosts': ''.join(
                f'{address} {name}\n' for name, address in known.items()
            ),
            '/etc/lab/address': f'{_ADDRESS.format(self.number)}/{_PREFIX}\n',
        }


def links(one: str, other: str) -> tuple[Link, Link]:
    """Return a network of two hosts, as each of them sees it."""
    names = {
        name: _ADDRESS.format(number)
        for number, name in enumerate((one, other), start=1)
    }
    return Link(number=1, names=names), Link(number=2, names=names)


def connect(one: Path, other: Path) -> None:
    """Lay the cable between the directories of two hosts."""
    for end, far in ((one, other), (other, one)):
        (end / _PEER).symlink_to(far / _SOCKET)

# SPDX-License-Identifier: Apache-2.0
"""The two ends of a network between two emulated hosts."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from tools.lab.link import connect
from tools.lab.link import links

SOCKET = re.compile(r'(local|remote)\.path=([^,\s]+)')


def test_what_one_end_sends_the_other_gets(tmp_path: Path) -> None:
    places = [tmp_path / 'a', tmp_path / 'b']
    for place in places:
        place.mkdir()
    connect(*places)
    ends = [
        dict(SOCKET.findall(' '.join(link.network_card(place))))
        for link, place in zip(links('here', 'there'), places, strict=True)
    ]

    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other,
    ):
        for end, way in zip((one, other), ends, strict=True):
            end.bind(way['local'])
            end.settimeout(5)
        one.sendto(b'frame', ends[0]['remote'])
        assert other.recv(9) == b'frame'
        other.sendto(b'answer', ends[1]['remote'])
        assert one.recv(9) == b'answer'


def test_each_names_nothing_of_the_other_but_its_address() -> None:
    """Whoever ends a host looks for its directory on command lines."""
    here, there = links('here', 'there')
    cards = [link.network_card(Path('/x')) for link in (here, there)]
    macs = {re.findall(r'mac=([0-9a-f:]{17})', str(card))[0] for card in cards}

    assert len(macs) == 2
    assert all(
        path.startswith('/x/') for _, path in SOCKET.findall(str(cards))
    )
    assert here.files['/etc/hosts'] == there.files['/etc/hosts']
    for link, name in ((here, 'here'), (there, 'there')):
        own, _, _ = link.files['/etc/lab/address'].partition('/')
        assert f'{own} {name}\n' in link.files['/etc/hosts']

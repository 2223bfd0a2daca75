# SPDX-License-Identifier: Apache-2.0
"""Ports of this machine that nobody listens on."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from collections.abc import Iterable
from typing import Final

from tools.cloud.error import CloudError

HOST: Final = '127.0.0.1'

# Above those with a name in most systems, and below the ones from which the
# kernel takes a client's (net.ipv4.ip_local_port_range): those come and go.
RANGE: Final = range(20000, 32768)


def choose_ports(
    names: Iterable[str],
    *,
    is_free: Callable[[int], bool] | None = None,
    ports: Iterable[int] | None = None,
) -> dict[str, int]:
    """Return a port of its own for each name.

    :param is_free: says whether nobody listens on a port; without it the
        kernel is asked.
    :param ports: those to try; random ones where None, since another cloud
        may be choosing at the same time.
    :raises CloudError: if there are too few.
    """
    is_free = is_free or is_unused
    left = iter(random.sample(RANGE, len(RANGE)) if ports is None else ports)
    chosen = {}
    for name in names:
        port = next(filter(is_free, left), None)
        if port is None:
            raise CloudError(
                f'no port is free for {name}',
                hint='end what has them: ss -ltnp',
            )
        chosen[name] = port
    return chosen


def is_unused(port: int) -> bool:
    """Return whether a server could listen there, on every address."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(('', port))
        except OSError:
            return False
    return True


def is_answering(port: int) -> bool:
    """Return whether a server takes connections there."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((HOST, port)) == 0

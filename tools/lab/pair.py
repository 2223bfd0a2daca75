# SPDX-License-Identifier: Apache-2.0
"""Two emulated hosts with a network between them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tools.lab.link import connect
from tools.lab.link import links
from tools.lab.machine import EmulatedHost
from tools.lab.machine import prepare
from tools.lab.topology import Topology
from tools.lab.tuning import tuned_files

Pair = tuple[EmulatedHost, EmulatedHost]

_NAMES: Final = ('rt-here', 'rt-there')
"""What they call themselves, and each other."""


def boot_pair(
    one: Topology,
    other: Topology,
    say: Callable[[str], None] = lambda _: None,
) -> Pair:
    """Boot two hosts at once, each set up as its topology says.

    :param say: told what is done when that takes long.
    :raises LabError: if one of them cannot be had; then there is none.
    """
    with contextlib.ExitStack() as stack:
        hosts = []
        for topology, name, link in zip(
            (one, other), _NAMES, links(*_NAMES), strict=True
        ):
            host = prepare(topology, hostname=name, link=link, say=say)
            stack.callback(host.remove)
            hosts.append(host)
        here, there = hosts
        connect(here.directory, there.directory)
        with ThreadPoolExecutor(len(hosts)) as pool:
            list(pool.map(_boot, hosts))
        stack.pop_all()
    return here, there


def _boot(host: EmulatedHost) -> None:
    host.boot(tuned_files(host.topology))


@contextlib.contextmanager
def emulated_pair(one: Topology, other: Topology) -> Iterator[Pair]:
    """Have two hosts that are up; in the end nothing of them is left.

    :raises LabError: if one of them cannot be had.
    """
    pair = boot_pair(one, other)
    try:
        yield pair
    finally:
        for host in pair:
            host.remove()

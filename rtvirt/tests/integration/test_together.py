# SPDX-License-Identifier: Apache-2.0
"""Many create domains at once: nothing is given away twice, and all that
fits is.

``RTVIRT_STRESS=1`` (tox -e stress) tries it often.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt.host.source import read_host
from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd
from rtvirt.tests.integration.commands import Commands
from rtvirt.tests.integration.commands import together
from rtvirt.tests.require import require

STRESS = bool(os.environ.get('RTVIRT_STRESS'))
ROUNDS = 10 if STRESS else 1
MEMORY_MIB = 256
PAGE_KIB = 2048


@pytest.fixture
def commands(daemon: PrivateLibvirtd, tmp_path: Path) -> Iterator[Commands]:
    require(len(os.sched_getaffinity(0)) >= 2, 'needs two CPUs')
    commands = Commands(daemon, tmp_path)
    yield commands
    commands.remove_all()


@pytest.mark.parametrize('round', range(ROUNDS))
def test_sixteen_race_for_the_pcpus(commands: Commands, round: int) -> None:
    flavor = commands.flavor('one', 1, 16, 'hw:cpu_policy: dedicated')
    places = sum(len(c.free) for c in read_host(commands.daemon.uri).cells)
    racers = 16 * (1 + places // 16)

    ended = together(
        racers,
        lambda n: commands.start(*commands.create(f'r{n}', flavor)),
    )

    codes = sorted(code for code, _, _ in ended)
    assert codes == [0] * places + [4] * (racers - places), [
        e[2] for e in ended
    ]
    listed = commands.domains().values()
    assert [one['state'] for one in listed] == ['running'] * places
    for one, other in itertools.combinations(listed, 2):
        assert not {*one['cpus']} & {*other['cpus']}


@pytest.mark.parametrize('round', range(ROUNDS))
def test_all_race_for_the_pages(commands: Commands, round: int) -> None:
    """They float, so that only pages are scarce."""
    flavor = commands.flavor('wide', 1, MEMORY_MIB, 'hw:numa_nodes: 1')
    each = MEMORY_MIB * 1024 // PAGE_KIB
    places = sum(
        pool.free // each
        for cell in read_host(commands.daemon.uri).cells
        for pool in cell.pages
        if pool.size_kib == PAGE_KIB
    )
    racers = places + 4

    ended = together(
        racers,
        lambda n: commands.start(*commands.create(f'p{n}', flavor)),
    )

    codes = sorted(code for code, _, _ in ended)
    assert codes == [0] * places + [4] * (racers - places), [
        e[2] for e in ended
    ]
    assert len(commands.domains()) == places


def test_others_come_and_go(commands: Commands) -> None:
    """What was given back is taken again, and never twice."""
    flavor = commands.flavor('one', 1, 16, 'hw:cpu_policy: dedicated')
    racers = 6 if STRESS else 3
    for round in range(8 if STRESS else 2):
        ended = together(
            racers,
            lambda n, round=round: commands.start(  # type: ignore[misc]
                *commands.create(f'g{round}-{n}', flavor)
            ),
        )
        assert {code for code, _, _ in ended} <= {0, 4}, [e[2] for e in ended]
        listed = [*commands.domains().values()]
        for one, other in itertools.combinations(listed, 2):
            assert not {*one['cpus']} & {*other['cpus']}
        assert len(listed) == 2
        commands.remove(listed[round % 2]['name'])

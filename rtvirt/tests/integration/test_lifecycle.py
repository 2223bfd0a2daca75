# SPDX-License-Identifier: Apache-2.0
"""From a flavor to a proved domain and to its end, by the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rtvirt.host.connection import connect
from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd
from rtvirt.tests.integration.commands import Commands
from rtvirt.tests.require import require

PLAIN = """\
<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory>
<vcpu>1</vcpu><cputune>{pin}<emulatorpin cpuset='0'/></cputune>
<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
"""


@pytest.fixture
def commands(daemon: PrivateLibvirtd, tmp_path: Path) -> Iterator[Commands]:
    require(len(os.sched_getaffinity(0)) >= 2, 'needs two CPUs')
    commands = Commands(daemon, tmp_path)
    yield commands
    commands.remove_all()


@pytest.fixture
def small(commands: Commands) -> Path:
    """Two dedicated vCPUs, of which one is real-time."""
    return commands.flavor(
        'small',
        2,
        64,
        'hw:cpu_policy: dedicated\n  hw:cpu_realtime: yes\n'
        '  hw:cpu_realtime_mask: ^0',
    )


def define(daemon: PrivateLibvirtd, name: str, pin: str) -> None:
    """Define a domain as virsh does."""
    with connect(daemon.uri, read_only=False) as connection:
        connection.defineXML(PLAIN.format(name=name, pin=pin))


def test_from_a_flavor_to_its_end(commands: Commands, small: Path) -> None:
    proof = json.loads(commands.run(*commands.create('a', small, '-fjson')))

    (domain,) = proof['domains']
    assert domain['name'] == 'a'
    assert domain['findings'] == []
    assert {t['subject'] for t in domain['threads']} >= {'vCPU 0', 'vCPU 1'}
    listed = commands.domains()['a']
    assert listed['state'] == 'running'
    assert (listed['cpus'], listed['realtime']) == ([0, 1], [1])
    shown = show(commands, 'a')
    assert shown['plan']['cells'][0]['pins'].keys() == {'0', '1'}
    assert shown['observed']['uuid'] == domain['uuid']

    # Defined, it holds what it held when it ran.
    at = ('--connect', commands.daemon.uri)
    commands.run('domain', 'destroy', 'a', *at)
    assert commands.domains()['a']['state'] == 'shut off'
    assert show(commands, 'a')['observed'] is None
    refused = commands.fail(*commands.create('b', small), code=4)
    assert 'a holds pCPUs 0-1' in refused
    assert 'does not run' in commands.fail('domain', 'destroy', 'a', *at)

    again = ('domain', 'start', 'a', '--config-file', str(commands.conf))
    commands.run(*again, '--paused')
    assert commands.domains()['a']['state'] == 'paused'
    assert 'runs already' in commands.fail(*again)
    commands.remove('a')
    assert commands.domains() == {}


def show(commands: Commands, name: str) -> dict[str, Any]:
    out = commands.run(
        *('domain', 'show', name, '-f', 'json'),
        *('--connect', commands.daemon.uri),
    )
    shown: dict[str, Any] = json.loads(out)
    return shown


def test_one_that_is_transient_leaves_nothing(
    commands: Commands, small: Path
) -> None:
    commands.run(*commands.create('t', small, '--transient', '--paused'))
    assert commands.domains()['t']['is_persistent'] is False
    assert commands.domains()['t']['state'] == 'paused'

    commands.run('domain', 'destroy', 't', '--connect', commands.daemon.uri)
    assert commands.domains() == {}


def test_what_is_taken_since_is_planned_anew(
    commands: Commands, daemon: PrivateLibvirtd
) -> None:
    """Somebody defined a domain on the same pCPU by virsh."""
    one = commands.flavor('one', 1, 64, 'hw:cpu_policy: dedicated')
    commands.run(*commands.create('a', one, '--dedicated', '0-1'))
    (mine,) = commands.domains()['a']['cpus']
    commands.run('domain', 'destroy', 'a', '--connect', daemon.uri)
    define(daemon, 'rival', f"<vcpupin vcpu='0' cpuset='{mine}'/>")

    start = ('domain', 'start', 'a', '--config-file', str(commands.conf))
    if mine == 0:
        commands.run(*start)
        assert commands.domains()['a']['cpus'] == [1]
    else:
        # Its emulator is on the other: there is no place left.
        refused = commands.fail(*start, code=4)
        assert 'rival holds pCPU' in refused
        assert commands.domains()['a']['state'] == 'shut off'


def test_one_that_is_not_as_planned_stays_paused(
    commands: Commands, daemon: PrivateLibvirtd, small: Path
) -> None:
    """A plain domain that floats may run where the new one is alone."""
    with connect(daemon.uri, read_only=False) as connection:
        rival = connection.createXML(
            PLAIN.format(name='rival', pin='').replace(
                "<emulatorpin cpuset='0'/>", ''
            )
        )
        try:
            said = commands.fail(*commands.create('a', small), code=3)
            assert 'stays paused' in said
            assert commands.domains()['a']['state'] == 'paused'
            commands.remove('a')

            commands.run(*commands.create('a', small, '--keep-going'), code=3)
            assert commands.domains()['a']['state'] == 'running'
        finally:
            rival.destroy()


def test_one_that_cannot_start_is_not_left_behind(
    commands: Commands, small: Path
) -> None:
    said = commands.fail(
        *commands.create('a', small, '--disk', '/nowhere/disk.raw')
    )

    assert said.splitlines()[0].startswith(
        "rtvirt: cannot start domain 'a': the file /nowhere/disk.raw cannot "
        'be opened'
    )
    assert commands.domains() == {}
    assert 'there is no such domain' in commands.fail(
        'domain', 'show', 'a', '--connect', commands.daemon.uri
    )

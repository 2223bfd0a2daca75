# SPDX-License-Identifier: Apache-2.0
"""A running guest from one libvirtd to another, by the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt.demo.embed import private_directory
from rtvirt.host.connection import connect
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.lifecycle.listing import list_domains
from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd
from rtvirt.tests.fixtures.libvirt import private_libvirtd
from rtvirt.tests.integration.commands import Commands
from rtvirt.tests.require import require

FLAVOR = """\
name: small
vcpus: 1
ram: 64
properties:
  hw:cpu_policy: dedicated
  hw:cpu_realtime: yes
  hw:mem_page_size: small
  hw:emulator_threads_policy: share
"""
RIVAL = """\
<domain type='qemu'><name>rival</name><memory unit='MiB'>64</memory>
<vcpu>1</vcpu><cputune><vcpupin vcpu='0' cpuset='1'/></cputune>
<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
"""
LISTEN = ('--listen-address', '127.0.0.1')
LOCAL = ('--migrate-uri', 'tcp://127.0.0.1', *LISTEN)
INACTIVE = 2


@pytest.fixture(scope='module')
def daemons(tools: None) -> Iterator[tuple[PrivateLibvirtd, PrivateLibvirtd]]:
    """Two hosts, which libvirt tells apart by name and UUID."""
    require(len(os.sched_getaffinity(0)) >= 2, 'needs two CPUs')
    with (
        private_directory('rtvirt-here-') as here,
        private_directory('rtvirt-there-') as there,
        private_libvirtd(here, hostname='here') as source,
        private_libvirtd(there, hostname='there') as destination,
    ):
        yield source, destination


@pytest.fixture
def here(
    daemons: tuple[PrivateLibvirtd, PrivateLibvirtd], tmp_path: Path
) -> Commands:
    return Commands(daemons[0], tmp_path)


def test_where_there_is_room(
    daemons: tuple[PrivateLibvirtd, PrivateLibvirtd], here: Commands
) -> None:
    """Refused, failed on the way, and then there; one guest, three tries."""
    uri, to = (daemon.uri for daemon in daemons)
    flavor = here.directory / 'small.yaml'
    flavor.write_text(FLAVOR)
    here.run(*here.create('plc', flavor, '--dedicated', '0', '--shared', '1'))
    migrate = (
        *('domain', 'migrate', 'plc', '--to', to, '--dedicated', '1'),
        *('--shared', '0', '--config-file', str(here.conf)),
    )
    (before,) = list_domains(uri)

    # Somebody is there.
    with connect(to, read_only=False) as connection:
        rival = connection.defineXML(RIVAL)
        said = here.fail(*migrate, *LOCAL, code=4)
        assert 'rival holds pCPU 1' in said
        assert [one.name for one in list_domains(to)] == ['rival']
        assert list_domains(uri) == (before,)
        rival.undefine()

    # Nobody listens where its memory is sent to.
    said = here.fail(*migrate, '--migrate-uri', 'tcp://127.0.0.9:1', *LISTEN)
    first = said.splitlines()[0]
    assert first.startswith("rtvirt: cannot migrate domain 'plc' to there: ")
    assert first.endswith(
        '; it is running at the source as before, verified: it is as planned'
    )
    assert list_domains(to) == ()
    assert list_domains(uri) == (before,)

    proof = json.loads(here.run(*migrate, *LOCAL, '-fjson'))
    (domain,) = proof['domains']
    assert domain['uuid'] == before.uuid
    assert domain['findings'] == []
    subjects = {thread['subject']: thread for thread in domain['threads']}
    assert subjects['vCPU 0']['ok'] is True
    assert list_domains(uri) == ()
    (moved,) = list_domains(to)
    assert (moved.state, moved.is_persistent) == ('running', True)
    for flags in (0, INACTIVE):
        document = read(to, flags)
        assert document.cputune.vcpupins == {0: {1}}
        plan = plan_of(document)
        assert plan is not None
        assert plan.pins == {0: {1}}


def read(uri: str, flags: int) -> Domain:
    with connect(uri) as connection:
        return parse_domain(connection.lookupByName('plc').XMLDesc(flags))

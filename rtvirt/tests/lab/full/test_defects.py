# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a host is reported by its code, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rtvirt import plugins
from rtvirt.checks.base import Profile
from rtvirt.checks.run import table
from rtvirt.tests.lab.full import defects
from rtvirt.tests.lab.full.defects import Defect
from rtvirt.tests.lab.guests import codes_of
from rtvirt.tests.lab.guests import look
from tools.lab.error import LabError
from tools.lab.machine import EmulatedHost
from tools.lab.machine import emulated_host
from tools.lab.topology import UNTUNED


def test_no_check_is_forgotten() -> None:
    """Each is broken here, or it is said why it cannot be."""
    rows = table(plugins.host_checks()).values()
    checks = {row.code for row in rows if Profile.HOST in row.profiles}
    broken = set().union(
        *map(defects.codes, defects.LIVE),
        *(defects.STANDING, defects.FLAVORS, defects.DOMAINS),
        *(defects.INSTALLED, defects.WORST_CODES, defects.SIBLINGS),
    )

    assert broken | set(defects.IMPOSSIBLE) == checks
    assert not broken & set(defects.IMPOSSIBLE)


@pytest.fixture(scope='module')
def tuned(host: EmulatedHost) -> set[tuple[str, str, str]]:
    """What is found on the tuned host, one thread of which was throttled."""
    host.shell(defects.THROTTLE)
    return look(host)


def test_what_an_emulated_host_lacks(tuned: set[tuple[str, str, str]]) -> None:
    assert codes_of(tuned) == defects.STANDING


@pytest.mark.parametrize(
    'broken', defects.LIVE, ids=['kernel', 'services', 'kvm', 'libvirtd']
)
def test_a_host_that_is_broken_while_it_is_up(
    host: EmulatedHost,
    tuned: set[tuple[str, str, str]],
    broken: tuple[Defect, ...],
) -> None:
    settled = {code for one in broken for code in one.settles.split()}
    try:
        for defect in broken:
            host.shell(defect.breaks).check()
        found = look(host)
    finally:
        for defect in reversed(broken):
            host.shell(defect.mends)

    assert codes_of(found - tuned) == defects.codes(broken)
    assert codes_of(tuned) - codes_of(found) == settled
    assert look(host) == tuned


@pytest.mark.parametrize('code', defects.FLAVORS)
def test_a_flavor_for_which_something_is_lacking(
    host: EmulatedHost, tuned: set[tuple[str, str, str]], code: str
) -> None:
    host.write('needy.yaml', defects.FLAVORS[code].encode())

    found = look(host, '--flavor needy.yaml')

    assert codes_of(found - tuned) == {code}


@pytest.fixture
def intruders(host: EmulatedHost) -> Iterator[None]:
    try:
        for name, document in defects.INTRUDERS.items():
            host.write(f'{name}.xml', document.encode())
            host.run('virsh', 'create', f'{name}.xml', '--paused').check()
        yield
    finally:
        for name in defects.INTRUDERS:
            host.run('virsh', 'destroy', name)


def test_domains_that_disturb(
    host: EmulatedHost, tuned: set[tuple[str, str, str]], intruders: None
) -> None:
    assert codes_of(look(host) - tuned) == defects.DOMAINS


def test_an_installed_host_and_one_beside_it(host: EmulatedHost) -> None:
    """Two hosts share nothing; to end one leaves the other as it was."""
    with emulated_host(UNTUNED) as other:
        steered = '/sys/class/net/eth0/queues/rx-0/rps_cpus'
        other.shell(f'echo ff >{steered}').check()
        found = look(other, '--dedicated 2-7')

        assert codes_of(found) - {'RT-H03'} == defects.INSTALLED
        assert other.directory != host.directory
        assert other.uri != host.uri
        other.write('/tmp/mine', b'')
        assert host.run('test', '-e', '/tmp/mine').code == 1

    assert not other.directory.exists()
    with pytest.raises(LabError, match='does not answer'):
        other.run('true')
    host.run('virsh', 'list').check()


def test_a_machine_that_is_unfit() -> None:
    """What its firmware, processor and command line are to blame for."""
    with emulated_host(defects.WORST) as host:
        found = look(host, f'--dedicated {defects.WORST_CPUS}')

    assert codes_of(found) - {'RT-H03'} == defects.WORST_CODES

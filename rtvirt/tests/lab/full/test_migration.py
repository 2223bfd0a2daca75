# SPDX-License-Identifier: Apache-2.0
"""A running guest goes from one emulated host to another, or stays."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from rtvirt.tests.lab.conftest import hosts_that_run
from rtvirt.tests.lab.guests import Guest
from rtvirt.tests.lab.guests import guest
from rtvirt.tests.lab.guests import rtvirt
from tools.lab.guest_domain import wait_for_shell
from tools.lab.kernel_view import HugePages
from tools.lab.machine import EmulatedHost
from tools.lab.pair import Pair
from tools.lab.pair import emulated_pair
from tools.lab.remote import Outcome
from tools.lab.topology import DESTINATION
from tools.lab.topology import TALK

_HERE: Final = '--dedicated 2-7 --shared 0-1'
_THERE: Final = '--dedicated 4-7 --shared 0-3'
# It does not run, and holds what it was defined to have.
_RIVAL: Final = b"""\
<domain type='kvm'><name>rival</name><memory unit='MiB'>64</memory>
<vcpu>1</vcpu><cputune><vcpupin vcpu='0' cpuset='5'/></cputune>
<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
"""
_STAYS: Final = (
    'it is running at the source as before, verified: it is as planned'
)
_FIFO: Final = [*[('SCHED_OTHER', 0)] * 2, *[('SCHED_FIFO', 1)] * 2]
_FREE: Final = '/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages'
_PATIENCE_S: Final = 120


@pytest.fixture(scope='module')
def pair(tools: None) -> Iterator[Pair]:
    """Two hosts of different shapes, or two that are up already."""
    running = hosts_that_run()
    if len(running) > 1:
        here, there = running
        yield here, there
        return
    with emulated_pair(TALK, DESTINATION) as booted:
        yield booted


@pytest.fixture(scope='module')
def rt1(pair: Pair) -> Iterator[Guest]:
    """The talk's guest, with its kernel up, at the source."""
    with guest(pair[0], 'rt1', options='') as created:
        wait_for_shell(created.host, 'rt1')
        yield created


@pytest.fixture
def slow(rt1: Guest) -> Iterator[None]:
    """Memory that is sent so slowly that there is time to interfere."""
    rt1.host.shell('virsh migrate-setspeed rt1 1').check()
    yield
    rt1.host.shell('virsh migrate-setspeed rt1 1000').check()


def migrate(
    one: EmulatedHost,
    other: EmulatedHost,
    sets: str,
    more: str = '',
    *,
    way: str = 'tcp',
) -> Outcome:
    """Migrate it.

    :param way: of libvirt; over ssh, the destination is asked for the proof
        too.
    """
    return one.shell(
        f'rtvirt domain migrate rt1 --to qemu+{way}://{other.hostname}/system '
        f'{sets} {more}',
        timeout_s=300,
    )


def proved(outcome: Outcome) -> None:
    """What the destination's kernel shows was read, and is as planned."""
    assert outcome.code == 0, outcome
    (domain,) = json.loads(outcome.stdout)['domains']
    assert domain['findings'] == []
    assert all(thread['ok'] for thread in domain['threads'])
    assert len(domain['threads']) >= len(_FIFO)
    assert domain['memory']['pages_ok']
    assert domain['memory']['locked_ok']


def disturbed(pair: Pair, disturb: Callable[[], object]) -> Outcome:
    """Return the end of a migration that something befell on its way."""
    here, there = pair
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(migrate, here, there, _THERE)
        deadline = time.monotonic() + _PATIENCE_S
        while (
            'Data processed' not in here.shell('virsh domjobinfo rt1').stdout
        ):
            assert not done.done(), done.result()
            assert time.monotonic() < deadline
            time.sleep(1)
        disturb()
        return done.result()


def names(host: EmulatedHost) -> list[str]:
    listed = rtvirt(host, 'domain list')['domains']
    return [domain['name'] for domain in listed]


def tell(guest: Guest, line: str, answer: str) -> None:
    """Say something to the guest's shell, and wait for the answer.

    QEMU looks once a second whether somebody is at the other end.
    """
    guest.host.shell(
        f"(echo '{line}'; sleep 3) >$(virsh ttyconsole {guest.name})"
    ).check()
    deadline = time.monotonic() + _PATIENCE_S
    while answer not in guest.host.read(f'/run/{guest.name}.console'):
        assert time.monotonic() < deadline
        time.sleep(1)


def stays(rt1: Guest, there: EmulatedHost) -> None:
    """It runs where it did, as planned, and nowhere else."""
    assert names(there) == []
    assert rt1.host.shell('virsh domstate rt1').stdout.strip() == 'running'
    assert rt1.verify(code=0) == []
    assert rt1.masks() == ['4', '8', '10', '20']


def test_without_room_nothing_moves(pair: Pair, rt1: Guest) -> None:
    _, there = pair
    there.write('rival.xml', _RIVAL)
    there.shell('virsh define rival.xml').check()
    try:
        refused = migrate(*pair, _THERE)
        assert names(there) == ['rival']
    finally:
        there.shell('virsh undefine rival').check()

    assert refused.code == 4
    assert 'rival holds pCPU 5' in refused.stderr
    stays(rt1, there)


def test_where_qemu_ends_on_the_way_it_stays(
    pair: Pair, rt1: Guest, slow: None
) -> None:
    _, there = pair

    failed = disturbed(
        pair,
        lambda: there.shell('kill -9 $(cat /run/libvirt/qemu/rt1.pid)'),
    )

    assert failed.code == 1
    assert _STAYS in failed.stderr
    stays(rt1, there)


def test_one_that_takes_too_long_stays(
    pair: Pair, rt1: Guest, slow: None
) -> None:
    _, there = pair

    failed = migrate(*pair, _THERE, '--timeout 30')

    assert failed.code == 1
    assert 'within 30 s and was called back' in failed.stderr
    assert _STAYS in failed.stderr
    stays(rt1, there)


def test_it_runs_where_it_was_planned_anew(pair: Pair, rt1: Guest) -> None:
    here, there = pair
    tell(rt1, 'mark=$((40 + 2)); echo it is $mark', 'it is 42')

    proved(migrate(*pair, _THERE, '-f json', way='ssh'))

    assert names(here) == []
    assert rtvirt(here, 'domain verify --all')['domains'] == []
    assert here.read(_FREE).strip() == str(TALK.pages)
    moved = Guest(there, 'rt1', {})
    assert moved.verify(code=0) == []
    assert moved.masks() == ['10', '20', '40', '80']
    assert moved.schedulers() == _FIFO
    assert moved.pages() == [
        HugePages('bind:1', node=1, count=1, size_kib=1 << 20)
    ]
    # The same guest runs on.
    tell(moved, 'echo still $mark', 'still 42')


def test_a_transient_one_comes_back(pair: Pair, rt1: Guest) -> None:
    here, there = pair
    there.shell('virsh undefine rt1').check()

    way = f'--ssh {here.hostname} -f json'
    proved(migrate(there, here, _HERE, way))

    stays(rt1, there)
    assert here.shell('virsh list --name --persistent').stdout.strip() == ''
    assert rt1.schedulers() == _FIFO
    assert rt1.pages() == [
        HugePages('bind:0', node=0, count=1, size_kib=1 << 20)
    ]


def test_where_the_destination_is_cut_off_it_stays(
    pair: Pair, rt1: Guest, slow: None
) -> None:
    _, there = pair

    failed = disturbed(pair, there.down)

    assert failed.code == 1
    assert 'rt-there has gone while' in failed.stderr
    assert _STAYS in failed.stderr
    assert rt1.verify(code=0) == []

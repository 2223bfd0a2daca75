# SPDX-License-Identifier: Apache-2.0
"""The talk's host and guest: what it shows of them is what there is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from rtvirt.tests.lab.guests import Guest
from rtvirt.tests.lab.guests import guest
from tools.lab.error import LabError
from tools.lab.guest_domain import wait_for_shell
from tools.lab.kernel_view import HugePages
from tools.lab.machine import EmulatedHost
from tools.lab.talk import EMULATED
from tools.lab.talk import MEASURE


@pytest.fixture(scope='module')
def rt1(host: EmulatedHost) -> Iterator[Guest]:
    """The talk's guest, whose vCPUs stand still."""
    with guest(host, 'rt1') as created:
        yield created


def test_the_tuned_host_is_ready(host: EmulatedHost) -> None:
    host.run('rtvirt', 'host', 'check', '--skip', EMULATED).check()


def test_the_proof_of_the_new_domain_is_whole(rt1: Guest) -> None:
    [domain] = rt1.proof['domains']

    assert domain['findings'] == []
    assert all(thread['ok'] for thread in domain['threads'])
    assert len(domain['threads']) >= 7
    assert domain['memory']['pages_ok']
    assert domain['memory']['locked_ok']


def test_the_kernel_shows_the_tables_of_the_talk(rt1: Guest) -> None:
    assert rt1.masks() == ['4', '8', '10', '20']
    assert rt1.schedulers() == [
        *[('SCHED_OTHER', 0)] * 2,
        *[('SCHED_FIFO', 1)] * 2,
    ]
    assert rt1.pages() == [
        HugePages('bind:0', node=0, count=1, size_kib=1 << 20)
    ]


def test_a_moved_thread_and_a_lost_priority_are_caught(rt1: Guest) -> None:
    *_, moved, demoted = rt1.tids
    rt1.pin(moved, '6')
    rt1.host.shell(f'chrt -o -p 0 {demoted}').check()
    assert rt1.verify(code=3) == ['RV-S01', 'RV-T03', 'RV-T06']

    rt1.pin(moved, '4')
    rt1.host.shell(f'chrt -f -p 1 {demoted}').check()
    assert rt1.verify(code=0) == []


@pytest.fixture(scope='module')
def booted(rt1: Guest) -> Guest:
    """The same guest, let go.

    An emulated guest that does not come up says nothing of rtvirt: it is
    booted once more.
    """
    rt1.host.run('virsh', 'resume', 'rt1').check()
    try:
        wait_for_shell(rt1.host, 'rt1')
    except LabError:
        rt1.host.shell('virsh destroy rt1; rtvirt domain start rt1').check()
        wait_for_shell(rt1.host, 'rt1')
    return rt1


def test_latency_is_measured_in_the_guest_by_its_console(
    booted: Guest,
) -> None:
    booted.host.shell(MEASURE, timeout_s=300).check()
    evidence = json.loads(booted.host.read('rt1.json'))

    assert evidence['target']['where'] == 'console'
    assert booted.schedulers()[2:] == [('SCHED_FIFO', 1)] * 2

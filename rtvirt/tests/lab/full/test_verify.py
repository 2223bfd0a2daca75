# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a running guest is told by its code, and no other.

Broken is the kernel's side, behind the back of libvirt, or the document that
libvirt has, behind the back of the plan. Each is mended before the next one
is broken, which would have more codes than its own otherwise, and in the end
there is nothing to be said.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator
from typing import Final

import pytest

from rtvirt.tests.lab.guests import Guest
from rtvirt.tests.lab.guests import guest
from tools.lab.machine import EmulatedHost

Act = Callable[[Guest], None]


@pytest.fixture(scope='module')
def rt1(host: EmulatedHost) -> Iterator[Guest]:
    """The talk's guest, whose vCPUs stand still."""
    with guest(host, 'rt1') as created:
        yield created
        assert created.verify(code=0) == []


def _widen(rt1: Guest) -> None:
    """Give a vCPU's group one pCPU more, and not the vCPU."""
    rt1.pin(rt1.tids[2], '4,6')
    rt1.host.run('taskset', '-pc', '4', str(rt1.tids[2])).check()


def _pin(vcpu: int, cpus: str) -> Act:
    return lambda rt1: rt1.pin(rt1.tids[vcpu], cpus)


def _pin_emulator(cpus: str) -> Act:
    return lambda rt1: rt1.pin(rt1.pid, cpus)


def _sh(script: str) -> Act:
    """Return what a script does that knows threads and process."""

    def act(rt1: Guest) -> None:
        tids = {f'tid{i}': tid for i, tid in enumerate(rt1.tids)}
        line = script.format(pid=rt1.pid, **tids)
        rt1.host.shell(line).check()

    return act


@pytest.mark.parametrize(
    ('breaks', 'mends', 'codes'),
    [
        (_pin(2, '6'), _pin(2, '4'), ['RV-T03', 'RV-T06']),
        (_widen, _pin(2, '4'), ['RV-T06']),
        (
            _sh('virsh vcpupin rt1 0 6 --live'),
            _sh('virsh vcpupin rt1 0 2 --live'),
            ['RV-L01', 'RV-P02'],
        ),
        (_pin_emulator('2'), _pin_emulator('2-3'), ['RV-T04', 'RV-T06']),
        (_pin_emulator('2-4'), _pin_emulator('2-3'), ['RV-T05', 'RV-T06']),
        (
            _sh('chrt -o -p 0 {tid3}'),
            _sh('chrt -f -p 1 {tid3}'),
            ['RV-S01'],
        ),
        (
            _sh('chrt -r -p 1 {tid3}'),
            _sh('chrt -f -p 1 {tid3}'),
            ['RV-S01'],
        ),
        (
            _sh('chrt -f -p 1 {tid0}'),
            _sh('chrt -o -p 0 {tid0}'),
            ['RV-S01'],
        ),
        (
            _sh('chrt -f -p 2 {tid3}'),
            _sh('chrt -f -p 1 {tid3}'),
            ['RV-S02'],
        ),
        (
            _sh('migratepages {pid} 0 1'),
            _sh('migratepages {pid} 1 0'),
            ['RV-M02'],
        ),
    ],
    ids=[
        'moved',
        'group-too-wide',
        'moved-by-libvirt',
        'emulator-narrowed',
        'emulator-on-realtime',
        'demoted',
        'another-policy',
        'promoted',
        'another-priority',
        'on-the-other-node',
    ],
)
def test_a_guest_that_is_broken_while_it_runs(
    rt1: Guest, breaks: Act, mends: Act, codes: list[str]
) -> None:
    breaks(rt1)
    found = rt1.verify(code=3)
    mends(rt1)

    assert found == codes


_SMALL_PAGES: Final = (
    '/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages'
)


@pytest.fixture(scope='module')
def small_pages(host: EmulatedHost) -> Iterator[None]:
    """As many of 2 MiB as the guest would take."""
    host.shell(f'echo 512 >{_SMALL_PAGES}').check()
    yield
    host.shell(f'echo 0 >{_SMALL_PAGES}').check()


@pytest.fixture(scope='module')
def document(rt1: Guest, small_pages: None) -> Iterator[str]:
    """The guest's document, by which it runs again in the end."""
    whole = rt1.host.run('virsh', 'dumpxml', 'rt1', '--inactive').stdout
    yield whole
    _restart(rt1, whole)


def _restart(rt1: Guest, document: str) -> None:
    rt1.host.write('edited.xml', document.encode())
    rt1.host.shell(
        'virsh destroy rt1; virsh define edited.xml && '
        'virsh start rt1 --paused'
    ).check()


# libvirt 9.0 starts no guest on a node where its emulator may not run.
_OTHER_NODE: Final = {
    "(<memnode cellid='0' mode='strict' nodeset)='0'": r"\1='1'",
    "(<memory mode='strict' nodeset)='0'": r"\1='1'",
    "(<emulatorpin cpuset)='2-3'": r"\1='2-3,6'",
}


@pytest.mark.parametrize(
    ('edits', 'codes'),
    [
        ({"(<vcpupin vcpu='3' cpuset)='5'": r"\1='6'"}, ['RV-P02']),
        ({"(scheduler='fifo' priority)='1'": r"\1='2'"}, ['RV-P03']),
        ({"scheduler='fifo' priority='1'": "scheduler='batch'"}, ['RV-P03']),
        ({"(<page size)='1048576'": r"\1='2048'"}, ['RV-P04']),
        ({'<hugepages>.*</hugepages>': ''}, ['RV-P04']),
        (_OTHER_NODE, ['RV-P02', 'RV-P04']),
    ],
    ids=['pin', 'priority', 'policy', '2M-pages', '4K-pages', 'node'],
)
def test_a_guest_whose_document_was_edited(
    rt1: Guest, document: str, edits: dict[str, str], codes: list[str]
) -> None:
    edited = document
    for pattern, text in edits.items():
        edited, count = re.subn(pattern, text, edited, flags=re.DOTALL)
        assert count
    _restart(rt1, edited)

    assert rt1.verify(code=3) == codes


@pytest.mark.parametrize(
    'mount',
    ['-t hugetlbfs -o pagesize=2M', '-t tmpfs -o size=1200m,mpol=bind:0'],
    ids=['2M', '4K'],
)
def test_a_mount_that_has_other_pages_than_it_should(
    rt1: Guest, document: str, mount: str
) -> None:
    """The document asks for 1 GiB, and so does QEMU's command line."""
    where = '/dev/hugepages-1048576kB/libvirt/qemu'
    rt1.host.shell(f'virsh destroy rt1; mount {mount} none {where}').check()
    try:
        _restart(rt1, document)
        assert rt1.verify(code=3) == ['RV-M01']
    finally:
        rt1.host.shell(f'virsh destroy rt1; umount {where}')

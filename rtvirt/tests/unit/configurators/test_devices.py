# SPDX-License-Identifier: Apache-2.0
"""The balloon, and the I/O threads of disks."""

from __future__ import annotations

from rtvirt.configurators.devices import DevicesConfigurator
from rtvirt.tests.plans import floating_plan
from rtvirt.tests.plans import make_plan
from rtvirt.tests.unit.configurators.rendering import NOVA
from rtvirt.tests.unit.configurators.rendering import ODD
from rtvirt.tests.unit.configurators.rendering import PLAIN
from rtvirt.tests.unit.configurators.rendering import changed

DEVICES = DevicesConfigurator()

ADDRESS = "<address type='pci' domain='0x0000' bus='0x05' slot='0x00' "


def test_real_time_guest() -> None:
    assert changed(DEVICES, make_plan()) == [
        "- <driver name='qemu' type='qcow2' discard='unmap'/>",
        "+ <driver name='qemu' type='qcow2' discard='unmap' iothread='1'/>",
        "- <controller type='scsi' index='0' model='virtio-scsi'/>",
        "+ <controller type='scsi' index='0' model='virtio-scsi'>",
        "+ <driver iothread='1'/>",
        '+ </controller>',
        "- <memballoon model='virtio'>",
        "+ <memballoon model='none'/>",
        "- <stats period='5'/>",
        f"- {ADDRESS}function='0x0'/>",
        '- </memballoon>',
    ]


def test_threads_are_dealt_out_in_turn() -> None:
    lines = changed(DEVICES, make_plan(iothreads=2))
    assert [line for line in lines if 'iothread' in line] == [
        "+ <driver name='qemu' type='qcow2' discard='unmap' iothread='1'/>",
        "+ <driver iothread='2'/>",
    ]


def test_balloon_of_nova_goes() -> None:
    assert changed(DEVICES, make_plan(), NOVA) == [
        '- <driver name="qemu" type="qcow2" cache="none"/>',
        '+ <driver name="qemu" type="qcow2" cache="none" iothread="1"/>',
        '+ <memballoon model="none"/>',
        (
            '- <memballoon model="virtio" autodeflate="on" '
            'freePageReporting="on">'
        ),
        '- <stats period="10"/>',
        '- </memballoon>',
    ]


def test_vhost_user_serves_itself_and_no_thread_is_named_in_vain() -> None:
    assert changed(DEVICES, make_plan(), ODD) == [
        "- <driver name='qemu' type='raw' iothread='9'/>",
        "+ <driver name='qemu' type='raw' iothread='1'/>",
        "+ <driver iothread='1'/>",
        "+ <memballoon model='none'/>",
    ]
    kept = ODD.replace("iothread='9'", "iothread='2'")
    assert changed(DEVICES, make_plan(iothreads=2), kept) == [
        "+ <driver iothread='1'/>",
        "+ <memballoon model='none'/>",
    ]


def test_disks_with_threads_of_their_own_are_left() -> None:
    text = PLAIN.replace(
        "discard='unmap'/>",
        "discard='unmap'><iothreads><iothread id='1'/></iothreads></driver>",
    )
    lines = changed(DEVICES, make_plan(), text)
    assert not [line for line in lines if 'qcow2' in line]


def test_without_threads() -> None:
    plan = make_plan(iothreads=0)
    assert [
        line for line in changed(DEVICES, plan) if 'iothread' in line
    ] == []
    assert changed(DEVICES, plan, ODD)[:2] == [
        "- <driver name='qemu' type='raw' iothread='9'/>",
        "+ <driver name='qemu' type='raw'/>",
    ]


def test_other_guests_keep_their_devices() -> None:
    for plan in (make_plan(realtime=''), floating_plan()):
        assert changed(DEVICES, plan) == []
        assert changed(DEVICES, plan, NOVA) == []
        # But for a thread that is not there: libvirt would refuse that.
        assert changed(DEVICES, plan, ODD) == [
            "- <driver name='qemu' type='raw' iothread='9'/>",
            "+ <driver name='qemu' type='raw' iothread='1'/>",
        ]

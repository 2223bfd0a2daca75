# SPDX-License-Identifier: Apache-2.0
"""The libvirt that does not exist answers as libvirt's QEMU driver does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libvirt
import pytest

import rtvirt
from rtvirt.host.connection import connect
from rtvirt.testing import FakeLibvirt
from rtvirt.tests.fixtures.libvirt import PrivateLibvirtd
from rtvirt.tests.libvirt_scenario import Story
from rtvirt.tests.libvirt_scenario import play_definitions
from rtvirt.tests.libvirt_scenario import play_pins
from rtvirt.tests.libvirt_scenario import play_runs


def paused(story: Story) -> None:
    play_runs(story, paused=True)


@pytest.mark.parametrize('play', [play_definitions, paused, play_pins])
def test_the_same_story(
    driver: Any, daemon: PrivateLibvirtd, play: Callable[[Story], None]
) -> None:
    host = rtvirt.HostTopology.from_capabilities(driver.getCapabilities())
    error = libvirt.libvirtError
    with connect(daemon.uri) as reader:
        real = Story(driver, reader, error, 'qemu', 'x86_64')
        play(real)
    with (
        FakeLibvirt(host) as fake,
        connect(fake.uri, read_only=False) as writer,
        connect(fake.uri) as reader,
    ):
        story = Story(writer, reader, fake.error, 'qemu', 'x86_64')
        play(story)

    assert len(real.answers) > 20
    assert story.answers == real.answers

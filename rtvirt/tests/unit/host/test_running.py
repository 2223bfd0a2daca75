# SPDX-License-Identifier: Apache-2.0
"""A domain whose process is not here is told, not guessed."""

from __future__ import annotations

import pytest

from rtvirt.exception import HostError
from rtvirt.host.live import STARTING
from rtvirt.host.running import read_running
from rtvirt.model.facts.missing import Missing
from rtvirt.testing import FakeLibvirt

XML = """<domain type="kvm"><name>{}</name><memory>65536</memory>
<vcpu>1</vcpu><cputune>{}</cputune></domain>"""
PIN = '<vcpupin vcpu="0" cpuset="3"/>'
FAR = 'qemu+ssh://far/system'


@pytest.mark.parametrize('names', [['there'], None])
def test_a_process_on_another_machine(names: list[str] | None) -> None:
    with FakeLibvirt(uri=FAR) as libvirt:
        libvirt.connection.createXML(XML.format('there', PIN))
        with pytest.raises(HostError, match=r"'there' runs, but") as caught:
            read_running(FAR, names)
    assert FAR in caught.value.hint


def test_one_that_does_not_run() -> None:
    with FakeLibvirt() as libvirt:
        libvirt.connection.defineXML(XML.format('asleep', PIN))
        with pytest.raises(HostError, match=r"'asleep' does not run"):
            read_running(libvirt.uri, ['asleep'])
        assert read_running(libvirt.uri) == ()


@pytest.mark.parametrize(
    ('state', 'strangers'),
    [
        ((1, 1), {'other'}),
        # Paused by a user: it is pinned, or never will be.
        ((3, 1), {'other'}),
        (STARTING, set()),
    ],
)
def test_a_neighbour_that_starts_is_no_stranger(
    state: tuple[int, int], strangers: set[str]
) -> None:
    with FakeLibvirt() as libvirt:
        libvirt.connection.defineXML(XML.format('here', PIN)).create()
        libvirt.connection.createXML(XML.format('other', ''))
        libvirt.set_state('other', *state)

        (found,) = read_running(libvirt.uri, ['here'])
        every = read_running(libvirt.uri)
        unwanted = read_running(libvirt.uri, wanted=lambda domain: False)

    assert not isinstance(found.observed.strangers, Missing)
    assert {one.guest for one in found.observed.strangers} == strangers
    assert 'vcpupin' in str(found.observed.persistent)
    assert len(every) == 1 + bool(strangers)
    assert unwanted == ()

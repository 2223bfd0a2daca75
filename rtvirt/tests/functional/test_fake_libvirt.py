# SPDX-License-Identifier: Apache-2.0
"""The libvirt that does not exist answers as libvirt's test driver does."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from typing import Final

import pytest

import rtvirt
from rtvirt.host.connection import connect
from rtvirt.testing import FakeConnection
from rtvirt.testing import FakeDomain
from rtvirt.testing import FakeLibvirt
from rtvirt.testing import realtime_flavor
from rtvirt.testing.call import CALLS
from rtvirt.testing.libvirt_error import libvirtError
from rtvirt.testing.libvirt_names import NAMES
from rtvirt.tests.libvirt_scenario import Answer
from rtvirt.tests.libvirt_scenario import Story
from rtvirt.tests.libvirt_scenario import play_definitions
from rtvirt.tests.libvirt_scenario import play_pins
from rtvirt.tests.libvirt_scenario import play_runs
from rtvirt.tests.require import require

URI: Final = 'test:///default'

# Where the test driver is not like QEMU's, which the fake follows.
UNLIKE_QEMU: Final = {
    'its OSType',
    'off: suspend',
    'off: resume',
    'off: shutdown',
    'start again',
    'resume again',
    'undefine transient',
    'keep autostart',
    'pin config',
}


@pytest.fixture(scope='module')
def libvirt() -> Any:
    require(
        importlib.util.find_spec('libvirt') is not None,
        'needs libvirt-python: pip install libvirt-python',
    )
    return importlib.import_module('libvirt')


@pytest.fixture
def driver(libvirt: Any) -> Iterator[tuple[Any, Any]]:
    """A connection to the test driver, and one for reading only."""
    with connect(URI, read_only=False) as writer, connect(URI) as reader:
        for domain in writer.listAllDomains():
            domain.destroy()
            domain.undefine()
        yield writer, reader


def ask_driver(
    driver: tuple[Any, Any], libvirt: Any, play: Callable[[Story], None]
) -> dict[str, Answer]:
    story = Story(*driver, libvirt.libvirtError, 'test', 'i686')
    play(story)
    return story.answers


def ask_fake(play: Callable[[Story], None]) -> dict[str, Answer]:
    with (
        FakeLibvirt() as fake,
        connect(fake.uri, read_only=False) as writer,
        connect(fake.uri) as reader,
    ):
        story = Story(writer, reader, fake.error, 'test', 'i686')
        play(story)
    return story.answers


def unpaused(story: Story) -> None:
    play_runs(story, paused=False)


@pytest.mark.parametrize('play', [play_definitions, unpaused, play_pins])
def test_the_same_story(
    driver: tuple[Any, Any], libvirt: Any, play: Callable[[Story], None]
) -> None:
    told = ask_driver(driver, libvirt, play)
    assert len(told) > 30
    known = UNLIKE_QEMU & told.keys()

    # Messages are QEMU's, codes everybody's.
    answers = {
        what: code if code.startswith('error') else (code, answer)
        for what, (code, answer) in ask_fake(play).items()
    }

    wanted = {
        what: code if code.startswith('error') else (code, answer)
        for what, (code, answer) in told.items()
    }
    assert {w: answers[w] for w in wanted if w not in known} == {
        w: answer for w, answer in wanted.items() if w not in known
    }
    # What is alike is not excused.
    assert not {w for w in known if answers[w] == wanted[w]}


def test_the_numbers_are_those_of_libvirt_python(libvirt: Any) -> None:
    assert len(NAMES) > 80
    wrong = {n for n in NAMES if NAMES[n] != getattr(libvirt, n, None)}
    assert not wrong


@pytest.mark.parametrize(
    ('fake', 'real'),
    [(FakeConnection, 'virConnect'), (FakeDomain, 'virDomain')],
)
def test_each_call_is_one_of_libvirt_python(
    libvirt: Any, fake: type, real: str
) -> None:
    mine = {name for name in vars(fake) if name in CALLS}
    assert len(mine) > 20
    assert mine <= set(dir(getattr(libvirt, real)))


def test_the_stand_in_has_the_methods_of_its_error(libvirt: Any) -> None:
    mine = {name for name in dir(libvirtError) if name.startswith('get_')}
    assert mine <= set(dir(libvirt.libvirtError))
    error = libvirt.libvirtError('alone')
    assert error.get_error_code() is libvirtError('alone').get_error_code()


def test_an_error_is_not_the_one_before(libvirt: Any) -> None:
    """libvirt-python gives an error the message of the last in the thread."""
    with connect(URI) as real, pytest.raises(libvirt.libvirtError):
        real.lookupByName('nobody')
    with FakeLibvirt() as fake:
        fake.fail('getHostname', 'Cannot recv data')
        with pytest.raises(rtvirt.HostError, match='Cannot recv data'):
            rtvirt.define_domain(
                rtvirt.parse_guest(realtime_flavor()),
                lambda plan: rtvirt.domain_xml(plan, name='a'),
                settings=fake.settings,
            )


def test_others_are_reached_again_afterwards(libvirt: Any) -> None:
    with FakeLibvirt(), pytest.raises(rtvirt.HostError, match='unknown here'):
        rtvirt.list_domains(URI)
    assert rtvirt.list_domains(URI)

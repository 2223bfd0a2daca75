# SPDX-License-Identifier: Apache-2.0
"""The demo stands on what the machine gives, and says what it lacks."""

import contextlib
import os
import pathlib
from collections.abc import Iterator

import pytest

from rtvirt.cli.guest import read_guest
from rtvirt.demo import ground
from rtvirt.demo.ground import Ground
from rtvirt.demo.ground import prepare
from rtvirt.exception import HostError
from rtvirt.model.host import HostTopology
from rtvirt.model.pages import PageSize

FLAVOR = """\
name: rt
vcpus: 2
ram: 64
properties:
  hw:cpu_policy: dedicated
  hw:cpu_realtime: yes
  hw:cpu_realtime_mask: ^0
"""
HUGE = FLAVOR + '  hw:mem_page_size: 2MB\n'


class Pages:
    """Stands for the pools of a machine."""

    def __init__(self) -> None:
        self.held: list[tuple[int, int, int]] = []
        self.refuse = False

    @contextlib.contextmanager
    def reserve(self, node: int, size_kib: int, count: int) -> Iterator[int]:
        if self.refuse:
            raise HostError('there are no pages')
        self.held.append((node, size_kib, count))
        yield count
        self.held.remove((node, size_kib, count))


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Pages:
    """A machine of two cells, where the demo is not root."""
    made = Pages()
    host = HostTopology.uniform(2, 2, pages={2048: 0, 1048576: 0})
    monkeypatch.setattr(ground, 'reserved_pages', made.reserve)
    monkeypatch.setattr(ground, 'read_host', lambda: host)
    monkeypatch.setattr(os, 'geteuid', lambda: 1000)
    return made


def prepared(
    tmp_path: pathlib.Path, stack: contextlib.ExitStack, text: str
) -> Ground:
    flavor = tmp_path / 'rt.yaml'
    flavor.write_text(text)
    root = tmp_path / 'root'
    root.mkdir()
    return prepare(flavor, root, stack)


def test_pages_are_reserved_where_the_guest_will_be(
    tmp_path: pathlib.Path, pages: Pages
) -> None:
    with contextlib.ExitStack() as stack:
        made = prepared(tmp_path, stack, HUGE)
        assert pages.held == [(0, 2048, 32)]

    assert pages.held == []
    assert made.flavor == tmp_path / 'rt.yaml'
    assert '32 pages of 2 MiB were reserved' in made.notes[0]


def test_without_pages_a_copy_asks_for_ordinary_ones(
    tmp_path: pathlib.Path, pages: Pages
) -> None:
    pages.refuse = True

    with contextlib.ExitStack() as stack:
        made = prepared(tmp_path, stack, HUGE)
        guest = read_guest(str(made.flavor), None)

    given = read_guest(str(tmp_path / 'rt.yaml'), None)
    assert guest.cells[0].page_size is PageSize.SMALL
    assert guest.realtime == given.realtime == {1}
    assert made.notes[0].startswith('there are no pages: this copy asks')


def test_a_guest_without_huge_pages_reserves_none(
    tmp_path: pathlib.Path, pages: Pages
) -> None:
    with contextlib.ExitStack() as stack:
        made = prepared(tmp_path, stack, FLAVOR)
        assert pages.held == []

    assert made.flavor == tmp_path / 'rt.yaml'


def test_a_guest_that_fits_nowhere_reserves_none(
    tmp_path: pathlib.Path, pages: Pages
) -> None:
    with contextlib.ExitStack() as stack:
        prepared(tmp_path, stack, HUGE.replace('vcpus: 2', 'vcpus: 9'))
        assert pages.held == []


def test_who_is_not_root_rehearses(
    tmp_path: pathlib.Path, pages: Pages
) -> None:
    with contextlib.ExitStack() as stack:
        made = prepared(tmp_path, stack, FLAVOR)

    assert made.driver is None
    assert 'only root can start' in made.notes[-1]
    assert 'rehearsed' in made.notes[-1]

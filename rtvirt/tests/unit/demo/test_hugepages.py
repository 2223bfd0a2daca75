# SPDX-License-Identifier: Apache-2.0
"""Pages are taken only as far as needed, and all of them given back."""

import pathlib

import pytest

from rtvirt.demo import hugepages
from rtvirt.demo.hugepages import reserved_pages
from rtvirt.exception import HostError


@pytest.fixture
def pool(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> pathlib.Path:
    """Node 0 with ten pages of 2 MiB of which four are free, 1 GiB left."""
    monkeypatch.setattr(hugepages, '_POOL', f'{tmp_path}/{{}}-{{}}')
    monkeypatch.setattr(hugepages, '_MEMINFO', f'{tmp_path}/meminfo')
    (tmp_path / 'meminfo').write_text('MemAvailable: 1048576 kB\n')
    pool = tmp_path / '0-2048'
    pool.mkdir()
    (pool / 'nr_hugepages').write_text('10\n')
    (pool / 'free_hugepages').write_text('4\n')
    return pool


def total(pool: pathlib.Path) -> int:
    return int((pool / 'nr_hugepages').read_text())


@pytest.fixture
def full(pool: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The same pool; one page can be added, no more."""

    def write(path: pathlib.Path, count: int) -> None:
        path.write_text(str(min(count, 11)))

    monkeypatch.setattr(hugepages, '_write', write)
    return pool


def test_pages_are_added_and_given_back(pool: pathlib.Path) -> None:
    with reserved_pages(0, 2048, 3) as added:
        assert added == 3
        assert total(pool) == 13

    assert total(pool) == 10


def test_they_are_given_back_after_an_interrupt(pool: pathlib.Path) -> None:
    with pytest.raises(KeyboardInterrupt), reserved_pages(0, 2048, 6):
        raise KeyboardInterrupt

    assert total(pool) == 10


@pytest.mark.parametrize(('others', 'left'), [(19, 13), (11, 10), (9, 9)])
def test_what_others_change_meanwhile_is_kept(
    pool: pathlib.Path, others: int, left: int
) -> None:
    with reserved_pages(0, 2048, 6):
        (pool / 'nr_hugepages').write_text(str(others))

    assert total(pool) == left


def test_where_none_can_be_added_free_ones_will_do(full: pathlib.Path) -> None:
    with reserved_pages(0, 2048, 4) as added:
        assert added == 0
        assert total(full) == 10

    assert total(full) == 10


def test_fewer_than_wanted_are_none(full: pathlib.Path) -> None:
    with (
        pytest.raises(HostError, match='only 1 of 5 pages of 2048 KiB'),
        reserved_pages(0, 2048, 5),
    ):
        pass

    assert total(full) == 10


def test_the_machine_keeps_half_of_its_memory(pool: pathlib.Path) -> None:
    with (
        pytest.raises(HostError, match='too much of the 1024 MiB'),
        reserved_pages(0, 2048, 257),
    ):
        pass

    assert total(pool) == 10


def test_a_machine_without_such_pages(pool: pathlib.Path) -> None:
    with (
        pytest.raises(HostError, match=r'cannot write .*: No such file'),
        reserved_pages(0, 16384, 1),
    ):
        pass

# SPDX-License-Identifier: Apache-2.0
"""Options are read whole, or refused by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rtvirt.conf.settings import Settings
from rtvirt.conf.settings import read_settings
from rtvirt.exception import ConfigError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.partition import ReservedPages


def read(tmp_path: Path, *texts: str) -> Settings:
    files = []
    for number, text in enumerate(texts):
        file = tmp_path / f'{number}.conf'
        file.write_text(text)
        files.append(str(file))
    return read_settings(files)


def test_every_option_is_read(tmp_path: Path) -> None:
    text = """
[rtvirt]
connection_uri = test:///default
cpu_dedicated_set = 2-7,^5
cpu_shared_set = 0-1
reserved_huge_pages = node:0,size:1GB,count:2
reserved_huge_pages = count:3,size:2048,node:1
strategy = pack
smt_isolate = refuse
cpu_allocation_ratio = 4
ram_allocation_ratio = 1.5
"""
    assert read(tmp_path, text) == Settings(
        connection_uri='test:///default',
        cpu_dedicated_set=CPUSet([2, 3, 4, 6, 7]),
        cpu_shared_set=CPUSet([0, 1]),
        reserved_huge_pages=(
            ReservedPages(cell=0, size_kib=1048576, count=2),
            ReservedPages(cell=1, size_kib=2048, count=3),
        ),
        strategy='pack',
        smt_isolate='refuse',
        cpu_allocation_ratio=4.0,
        ram_allocation_ratio=1.5,
    )


def test_without_options_the_defaults_hold(tmp_path: Path) -> None:
    assert read(tmp_path, '') == Settings()


def test_the_last_file_wins(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        '[rtvirt]\nstrategy = pack\nsmt_isolate = refuse\n',
        '[rtvirt]\nstrategy = spread\n',
    )
    assert settings.strategy == 'spread'
    assert settings.smt_isolate == 'refuse'


def test_other_sections_are_none_of_our_business(tmp_path: Path) -> None:
    text = '[DEFAULT]\ndebug = true\n[compute]\ncpu_shared_set = 0\n'
    assert read(tmp_path, text) == Settings()


def test_the_environment_has_no_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('OS_RTVIRT__STRATEGY', 'pack')
    assert read(tmp_path, '').strategy == 'best-fit'


def test_without_files_the_home_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / '.rtvirt').mkdir()
    file = tmp_path / '.rtvirt' / 'rtvirt.conf'
    file.write_text('[rtvirt]\nstrategy = pack\n')
    assert read_settings().strategy == 'pack'


@pytest.mark.parametrize(
    ('line', 'reason'),
    [
        ('cpu_dedicated_set = 5-2', 'a range from 5 down to 2'),
        ('cpu_shared_set = 0-99999', 'goes beyond CPU'),
        ('strategy = best', 'found \'best\''),
        ('smt_isolate = perhaps', 'found \'perhaps\''),
        ('cpu_allocation_ratio = abc', 'abc'),
        ('ram_allocation_ratio = -1', 'greater than or equal to 0'),
        ('cpu_dedicated_set = $foo', 'foo'),
        ('reserved_huge_pages = node:0', 'needs node, size and count'),
        (
            'reserved_huge_pages = node:0,node:0,size:1GB,count:1',
            'each once',
        ),
        (
            'reserved_huge_pages = node:x,size:1GB,count:1',
            'the node is no whole number',
        ),
        (
            'reserved_huge_pages = node:0,size:1GB,count:-1',
            'the count is no whole number',
        ),
        (
            'reserved_huge_pages = node:0,size:large,count:1',
            'the size is neither',
        ),
        (
            'reserved_huge_pages = node:0,size:0,count:1',
            'the size is neither',
        ),
        (
            f'reserved_huge_pages = node:0,size:4,count:{"9" * 200}',
            'a number is too long',
        ),
    ],
)
def test_a_wrong_value_is_named(
    tmp_path: Path, line: str, reason: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f'[rtvirt]\n{line}\n')
    assert caught.value.message.startswith(line)
    assert f'in {tmp_path}/0.conf' in caught.value.message
    assert reason in caught.value.message
    assert '\n' not in caught.value.message


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no option 'stratgy'") as caught:
        read(tmp_path, '[rtvirt]\nstratgy = pack\n')
    assert caught.value.hint == 'did you mean strategy?'
    with pytest.raises(ConfigError, match="no option 'zzz'") as caught:
        read(tmp_path, '[rtvirt]\nzzz = 1\n')
    assert 'cpu_dedicated_set' in caught.value.hint


@pytest.mark.parametrize('text', ['[rtvirt', '[rtvirt]\nstrategy\n', 'a=b'])
def test_a_file_with_bad_syntax_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r'0\.conf'):
        read(tmp_path, text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    binary = tmp_path / 'binary'
    binary.write_bytes(bytes(range(256)))
    for path, why in [
        (tmp_path, 'Is a directory'),
        (tmp_path / 'missing', 'No such file'),
        (binary, 'is no text'),
    ]:
        with pytest.raises(ConfigError, match=why) as caught:
            read_settings([os.fspath(path)])
        assert str(path) in caught.value.message

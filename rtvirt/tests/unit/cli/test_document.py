# SPDX-License-Identifier: Apache-2.0
"""Files from anywhere are read, or refused in a bounded time."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rtvirt.cli.document import MAX_MAPPING
from rtvirt.cli.document import read_mapping
from rtvirt.cli.document import read_text
from rtvirt.exception import InputError

LAUGHS = 'a0: &a0 [x, x]\n' + ''.join(
    f'a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]\n' for n in range(1, 60)
)


def read(path: Path, text: str | bytes) -> dict[str, Any]:
    file = path / 'file'
    if isinstance(text, str):
        file.write_text(text)
    else:
        file.write_bytes(text)
    return read_mapping(str(file), 'flavor')


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('a: 1', {'a': '1'}),
        ('a: yes', {'a': 'yes'}),
        ('a: 010', {'a': '010'}),
        ('a: 1:30', {'a': '1:30'}),
        ('a: 1_000', {'a': '1_000'}),
        ('a: 2026-01-01', {'a': '2026-01-01'}),
        ('a: ~\nb: null\nc:', {'a': None, 'b': None, 'c': None}),
        ('a: "null"\nb: nullable', {'a': 'null', 'b': 'nullable'}),
        ('hw:x: {b: [c, 1]}', {'hw:x': {'b': ['c', '1']}}),
        ('{a: b}', {'a': 'b'}),
        ('{"a": 1, "b": null}', {'a': 1, 'b': None}),
        (b'\xef\xbb\xbf{"a": true}', {'a': True}),
        ('a: !!python/object/apply:os.getcwd []', {'a': []}),
    ],
)
def test_yaml_and_json_are_read(
    tmp_path: Path, text: str | bytes, expected: dict[str, Any]
) -> None:
    assert read(tmp_path, text) == expected


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('', 'its top level is empty'),
        ('- a', 'its top level is a list'),
        ('just text', 'its top level is a text'),
        ('[1', 'neither YAML nor JSON'),
        ('a: 1\nb: 2\na: 3', "the key 'a' is there twice (line 3)"),
        ('{"a": 1, "a": 2}', "the key 'a' is there twice"),
        ('? [a]\n: b', 'a key is no plain text'),
        ('a: &x 1\nb: *x', 'aliases (*name) are not allowed'),
        (LAUGHS, 'aliases (*name) are not allowed'),
        ('[' * 50000, 'nested too deeply'),
        ('{"a":' * 40000, 'nested too deeply'),
        ('a: ' + 'x' * MAX_MAPPING, 'longer than 256 KiB'),
        ('a: \x07', 'character 3 is U+0007'),
        (b'a: \xff', 'byte 3 is not UTF-8'),
        (b'\x7fELF\x00\x00', 'neither YAML nor JSON'),
        ('{"a": ' + '9' * 5000 + '}', '4300 digits'),
        ('--- a\n--- b', 'another document'),
    ],
)
def test_anything_else_is_refused(
    tmp_path: Path, text: str | bytes, reason: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert reason in caught.value.message
    assert 'file' in caught.value.message
    assert len(caught.value.message) < 300


def test_ten_megabytes_are_not_even_read(tmp_path: Path) -> None:
    file = tmp_path / 'large'
    with file.open('wb') as out:
        out.truncate(10 << 20)
    with pytest.raises(InputError, match='longer than 256 KiB'):
        read_mapping(str(file), 'flavor')
    with pytest.raises(InputError, match='longer than 256 KiB'):
        read_mapping('/dev/zero', 'flavor')


@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('missing', 'No such file or directory'),
        ('.', 'Is a directory'),
        ('nul\0', 'null byte'),
        ('x' * 5000, 'File name too long'),
    ],
)
def test_a_file_that_cannot_be_opened_is_named(
    tmp_path: Path, name: str, reason: str
) -> None:
    path = os.path.join(tmp_path, name)  # noqa: PTH118
    with pytest.raises(InputError, match=reason) as caught:
        read_text(path, 10)
    assert caught.value.path == path


def test_a_file_without_permission_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, 'Permission denied', str(path))

    monkeypatch.setattr(Path, 'open', refuse)
    with pytest.raises(InputError, match="'secret': Permission denied"):
        read_text('secret', 10)


texts = st.dictionaries(
    st.text(min_size=1, max_size=20), st.text(max_size=20), max_size=5
)


@given(texts)
def test_json_round_trip(
    tmp_path_factory: pytest.TempPathFactory, mapping: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp('json')
    assert read(path, json.dumps(mapping)) == mapping


@given(texts)
def test_yaml_of_texts_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, mapping: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp('yaml')
    text = yaml.safe_dump(mapping, default_style='"')
    assert read(path, text) == mapping


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_garbage_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp('garbage')
    with contextlib.suppress(InputError):
        assert isinstance(read(path, data), dict)

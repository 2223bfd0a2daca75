# SPDX-License-Identifier: Apache-2.0
"""Hosts from a file with a host a line, or from a directory."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rtvirt.exception import HostError
from rtvirt.host.inventory import MAX_LINE
from rtvirt.host.inventory import Inventory
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.model.partition import partition

Write = Callable[..., str]

HOST = HostTopology.uniform(2, 2)
LINE = json.dumps(HOST.to_dict())


@pytest.fixture
def jsonl(tmp_path: Path) -> Write:
    def write(*lines: bytes) -> str:
        path = tmp_path / 'fleet.jsonl'
        path.write_bytes(b'\n'.join(lines) + b'\n')
        return str(path)

    return write


def test_a_line_is_a_host_named_after_it(jsonl: Write) -> None:
    named = dataclasses.replace(HOST, name='compute7')
    path = jsonl(LINE.encode(), json.dumps(named.to_dict()).encode())
    entries = list(Inventory(path))
    assert [entry.host for entry in entries] == [
        dataclasses.replace(HOST, name='line 1'),
        named,
    ]
    assert entries[-1].progress == Inventory(path).total


@pytest.mark.parametrize(
    'line',
    [
        b'{',
        b'[]',
        b'{"schema_version": 1}',
        b'{"schema_version": 99, "cells": []}',
        b'\xff\xfe',
        b'[' * 200_000,
        b'"' + b'x' * (2 * MAX_LINE) + b'"',
    ],
)
def test_a_bad_line_is_named_and_the_next_one_read(
    jsonl: Write, line: bytes
) -> None:
    path = jsonl(LINE.encode(), line, b'', LINE.encode())
    first, bad, last = Inventory(path)
    assert first.host is not None
    assert (bad.host, bad.where) == (None, f'{path}:2')
    assert bad.problem
    assert last.host is not None
    assert last.host.name == 'line 4'


def test_lines_are_read_when_they_are_asked_for(jsonl: Write) -> None:
    entries = iter(Inventory(jsonl(LINE.encode(), *[b'x'] * 1000)))
    assert next(entries).host is not None
    assert next(entries).where.endswith(':2')


def test_a_directory_holds_a_host_a_file(tmp_path: Path) -> None:
    (tmp_path / 'b.json').write_text(LINE)
    (tmp_path / 'a.xml').write_text('<capabilities/>')
    (tmp_path / '.hidden').write_text('nothing')
    read: list[str] = []

    def reader(name: str) -> HostTopology:
        read.append(name)
        return HOST

    inventory = Inventory(str(tmp_path), reader)
    assert inventory.total == 2
    first, second = inventory
    assert first.host is HOST
    assert read == [str(tmp_path / 'a.xml')]
    assert second.host is not None
    assert second.host.name == 'b'


def test_a_bad_file_of_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / 'a.xml').write_text('no XML at all')
    (tmp_path / 'b.json').mkdir()
    (tmp_path / 'c.json').write_text(LINE)
    first, second, third = Inventory(str(tmp_path))
    assert first.host is None
    assert 'a.xml' in first.where
    assert second.host is None
    assert third.host is not None


@pytest.mark.parametrize('path', ['/nonexistent/fleet.jsonl', 'a\0b'])
def test_no_such_file_is_an_error_with_a_hint(path: str) -> None:
    with pytest.raises(HostError) as caught:
        Inventory(path)
    assert caught.value.hint


def test_hosts_of_json_are_dealt_out(jsonl: Write, tmp_path: Path) -> None:
    def deal(host: HostTopology) -> HostTopology:
        return partition(host, dedicated=CPUSet([0, 9]))

    with_9 = json.dumps(HostTopology.uniform(2, 5).to_dict()).encode()
    first, second = Inventory(jsonl(LINE.encode(), with_9), deal=deal)
    assert (first.host, '9' in first.problem) == (None, True)
    assert second.host is not None
    assert second.host.cells[0].dedicated == {0}
    (tmp_path / 'hosts').mkdir()
    (tmp_path / 'hosts' / 'a.json').write_bytes(with_9)
    (entry,) = Inventory(str(tmp_path / 'hosts'), deal=deal)
    assert entry.host is not None
    assert entry.host.name == 'a'
    assert entry.host.cells[1].dedicated == {9}

# SPDX-License-Identifier: Apache-2.0
"""A host is found wherever it is described, or one clear error says why."""

import json
import pathlib
import re
import sys

import pytest

from rtvirt.exception import ConfigError
from rtvirt.exception import HostError
from rtvirt.host import source
from rtvirt.host.source import read_host
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.model.partition import ReservedPages

CAPABILITIES = """\
<capabilities><host><topology><cells>
<cell id='0'><memory>1048576</memory>
<pages size='4'>131072</pages><pages size='2048'>256</pages>
<cpus><cpu id='0' siblings='0'/><cpu id='1' siblings='1'/></cpus></cell>
</cells></topology></host></capabilities>
"""


@pytest.fixture
def capabilities(tmp_path: pathlib.Path) -> str:
    path = tmp_path / 'compute7.xml'
    path.write_text(CAPABILITIES)
    return str(path)


def test_a_file_of_capabilities(capabilities: str) -> None:
    host = read_host(
        capabilities,
        dedicated=CPUSet([1]),
        shared=CPUSet([0]),
        pinned=CPUSet([1]),
        reserved=[ReservedPages(cell=0, size_kib=2048, count=6)],
    )

    assert host.name == 'compute7'
    (cell,) = host.cells
    assert cell.dedicated == cell.pinned == {1}
    assert cell.shared == {0}
    assert cell.pages[1].free == 250


def test_a_wrong_set_is_refused(capabilities: str) -> None:
    with pytest.raises(ConfigError, match='pCPUs 2'):
        read_host(capabilities, dedicated=CPUSet([1, 2]))


def test_a_copy_of_a_kernels_files(tmp_path: pathlib.Path) -> None:
    for path, text in {
        'sys/devices/system/cpu/online': '0-1\n',
        'sys/devices/system/node/node0/cpulist': '0-1\n',
        'sys/devices/system/node/node0/meminfo': 'MemTotal: 2048 kB\n',
    }.items():
        file = tmp_path / 'compute8' / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    host = read_host(str(tmp_path / 'compute8'))

    assert host.name == 'compute8'
    assert host.cells[0].cpus == {0, 1}


def test_the_local_machine_without_libvirt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(uri: str) -> HostTopology:
        raise HostError(f'cannot connect to {uri}')

    monkeypatch.setattr(source, 'read_live', refuse)

    host = read_host()

    assert host.name
    assert host.cells[0].cpus


def test_the_local_machine_with_libvirt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = HostTopology.uniform()
    asked = []

    def answer(uri: str) -> HostTopology:
        asked.append(uri)
        return told

    monkeypatch.setattr(source, 'read_live', answer)

    assert read_host() == told
    assert asked == ['qemu:///system']


def test_what_libvirt_knows_as_taken_stays_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = HostTopology.uniform(1, 4)
    taken = HostTopology(
        cells=tuple(
            type(cell)(
                id=cell.id,
                dedicated=cell.dedicated,
                shared=cell.shared,
                memory_mib=cell.memory_mib,
                pinned=CPUSet([2]),
            )
            for cell in told.cells
        )
    )
    monkeypatch.setattr(source, 'read_live', lambda _uri: taken)

    host = read_host('qemu:///system', pinned=CPUSet([3]))

    assert host.cells[0].pinned == {2, 3}


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('gone.xml', None, 'there is no such file'),
        ('empty.xml', b'', 'no XML'),
        ('domain.xml', b'<domain/>', 'begins with <domain>'),
        ('binary.xml', bytes(range(256)), 'no XML'),
    ],
)
def test_a_file_that_is_no_host(
    tmp_path: pathlib.Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(HostError, match=message) as caught:
        read_host(str(path))

    assert str(caught.value).startswith(f'{path}: ')
    assert caught.value.hint


def test_an_endless_file_is_refused() -> None:
    with pytest.raises(HostError, match='longer than 8 MiB'):
        read_host('/dev/zero')


def test_a_directory_that_is_no_machine(tmp_path: pathlib.Path) -> None:
    with pytest.raises(HostError, match='there is no pCPU'):
        read_host(str(tmp_path))


def test_an_impossible_name() -> None:
    with pytest.raises(HostError, match='no name of a file'):
        read_host('a\0b')


def test_without_libvirt_python_a_uri_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, 'libvirt', None)

    with pytest.raises(HostError, match='not installed') as caught:
        read_host('test:///default')

    assert "pip install 'rtvirt[libvirt]'" in caught.value.hint


def test_json_says_how_pcpus_are_dealt_out(
    capabilities: str, tmp_path: pathlib.Path
) -> None:
    host = read_host(capabilities, dedicated=CPUSet([1]), shared=CPUSet([0]))
    path = tmp_path / 'any.json'
    path.write_text(json.dumps(host.to_dict()))

    assert read_host(str(path)) == host
    anew = read_host(str(path), dedicated=CPUSet([0]))
    assert anew.name == 'compute7'
    assert anew.cells[0].dedicated == CPUSet([0])
    assert anew.cells[0].shared == CPUSet()


@pytest.mark.parametrize(
    ('text', 'why'),
    [
        ('', 'the name of the host is empty'),
        ('{"schema_version": 1', 'it is no JSON'),
        ('{"schema_version": 1, "cells": 7}', 'HostTopology.cells is 7'),
        ('{"schema_version": 9}', 'schema_version'),
    ],
)
def test_what_is_no_host(tmp_path: pathlib.Path, text: str, why: str) -> None:
    path = tmp_path / 'any.json'
    path.write_text(text)
    with pytest.raises(HostError, match=re.escape(why)):
        read_host(str(path) if text else '')

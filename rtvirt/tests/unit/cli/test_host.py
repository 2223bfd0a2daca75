# SPDX-License-Identifier: Apache-2.0
"""``rtvirt host`` shows what there is and what is taken."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.tests.unit.cli.conftest import EDGE
from rtvirt.tests.unit.cli.conftest import SAMPLES
from rtvirt.tests.unit.cli.conftest import RTVirt
from rtvirt.tests.unit.report.drawing import Picture

SMT = str(SAMPLES / 'hosts' / 'dual-socket-smt-48.xml')
NPS4 = str(SAMPLES / 'hosts' / 'nps4-128.xml')


def test_a_small_host(rtvirt: RTVirt) -> None:
    ended = rtvirt(
        *('host', 'show', '--host', EDGE, '--dedicated', '2-7'),
        *('--pinned', '3', '--reserved-pages', 'node:0,size:1GB,count:2'),
    )
    assert (ended.code, ended.err) == (0, '')
    assert ended.out == (
        """\
edge-8: 1 cell, 8 cores, 8 pCPUs, 32 GiB

Cells
+------+-----------+-------+-------+--------+--------+
| Cell | Dedicated | Taken | Free  | Shared | Memory |
+------+-----------+-------+-------+--------+--------+
|    0 | 2-7       | 3     | 2,4-7 | -      | 32 GiB |
+------+-----------+-------+-------+--------+--------+

Cores
+------+----------+-------+-------------------------------+
| Cell | L3 cache | pCPUs | Cores, each with its siblings |
+------+----------+-------+-------------------------------+
|    0 |        0 | 0-7   | 0 1 2 3 4 5 6 7               |
+------+----------+-------+-------------------------------+

Pages
+------+-----------+---------+------+----------+---------+
| Cell | Page size |   Total | Used | Reserved |    Free |
+------+-----------+---------+------+----------+---------+
|    0 | 4 KiB     | 4194304 |    0 |        0 | 4194304 |
|    0 | 2 MiB     |       0 |    0 |        0 |       0 |
|    0 | 1 GiB     |      16 |    0 |        2 |      14 |
+------+-----------+---------+------+----------+---------+
"""
    )


def test_cores_and_caches_of_a_large_host(rtvirt: RTVirt) -> None:
    ended = rtvirt('host', 'show', '--host', NPS4, '--dedicated', '2-63')
    assert ended.out.startswith('nps4-128: 8 cells, 64 cores, 128 pCPUs, 256')
    assert (
        '|    3 |      0 |        7 | 28-31,92-95   | 28,92 29,93 30,94 31,95'
    ) in ended.out
    assert (
        '|        7 | 28-31,92-95   | 16 MiB | 1 MiB |     16 |' in ended.out
    )
    assert max(map(len, ended.out.splitlines())) <= 80


def test_without_sets_it_says_that_there_are_none(rtvirt: RTVirt) -> None:
    ended = rtvirt('host', 'show', '--host', SMT)
    assert 'neither set given' in ended.out.splitlines()[0]


def test_json_is_what_the_library_reads(rtvirt: RTVirt) -> None:
    ended = rtvirt(
        *('host', 'show', '--host', SMT, '--dedicated', '2-23,26-47'),
        *('--shared', '0-1,24-25', '--pinned', '4,28', '-f', 'json'),
    )
    host = HostTopology.from_dict(ended.json)
    assert host.to_dict() == ended.json
    assert host.name == 'dual-socket-smt-48'
    assert host.cells[0].pinned == CPUSet([4, 28])
    assert host.shared == CPUSet([0, 1, 24, 25])
    assert ended.json['schema_version'] == 1


def test_csv_has_a_row_for_each_cell(rtvirt: RTVirt) -> None:
    ended = rtvirt('host', 'show', '--host', SMT, '-f', 'csv')
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [row['memory_mib'] for row in rows] == ['65536', '65536']
    assert rows[0]['dedicated'] == '0-11,24-35'


def test_cores_without_a_cache_have_a_row(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    text = Path(EDGE).read_text().replace("cpus='0-7'", "cpus='0-3'")
    file = tmp_path / 'half.xml'
    file.write_text(text)
    out = rtvirt('host', 'show', '--host', str(file)).out
    assert '|    0 |        0 | 0-3   | 0 1 2 3 ' in out
    assert '|    0 |        - | 4-7   | 4 5 6 7 ' in out


def test_a_picture_of_the_host_and_of_its_domains(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    file = tmp_path / 'host.svg'
    snapshot = str(SAMPLES / 'snapshots' / 'rt-10.tar.gz')
    ended = rtvirt('host', 'show', '--host', snapshot, '--svg', file)
    assert (ended.code, ended.err) == (0, '')
    picture = Picture(file.read_text())
    assert picture.title_of(picture.tile(3)) == (
        'pCPU 3: vCPU 2 of rt1, real-time, FIFO 1'
    )
    assert 'rt-10' in picture.texts()
    colourful = file.read_text()
    rtvirt('host', 'show', '--host', EDGE, '--svg', file, '--grey')
    assert 'prefers-color-scheme' in colourful
    assert 'prefers-color-scheme' not in file.read_text()


def test_a_picture_that_cannot_be_written(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    ended = rtvirt('host', 'show', '--host', EDGE, '--svg', tmp_path)
    assert (ended.code, ended.out) == (1, '')
    assert ended.err.startswith(
        f'rtvirt: {tmp_path}: Is a directory\nhint: name a path'
    )

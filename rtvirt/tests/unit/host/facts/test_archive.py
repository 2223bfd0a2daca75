# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from rtvirt.exception import HostError
from rtvirt.host.facts import archive
from rtvirt.host.facts.archive import read_archive
from rtvirt.model.facts.missing import Missing

Fill = Callable[[tarfile.TarFile], object]


def _file(name: str, content: bytes = b'x') -> Fill:
    def fill(tar: tarfile.TarFile) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))

    return fill


def _special(name: str, kind: bytes, target: str = '') -> Fill:
    def fill(tar: tarfile.TarFile) -> None:
        member = tarfile.TarInfo(name)
        member.type = kind
        member.linkname = target
        tar.addfile(member)

    return fill


def _archive(path: Path, *fills: Fill) -> Path:
    target = path / 'host.tar.gz'
    with tarfile.open(target, 'w:gz') as tar:
        for fill in fills:
            fill(tar)
    return target


def test_plain_files_are_read(tmp_path: Path) -> None:
    tree = read_archive(
        _archive(
            tmp_path,
            _special('proc', tarfile.DIRTYPE),
            _file('proc/cmdline', b'quiet\n'),
            _file('./proc/version', b'Linux\n'),
        )
    )
    assert tree.read('/proc/cmdline') == b'quiet\n'
    assert tree.names('/proc') == ('cmdline', 'version')


@pytest.mark.parametrize(
    ('fill', 'why'),
    [
        (_file('../etc/passwd'), 'leads out'),
        (_file('proc/../../etc/passwd'), 'leads out'),
        (_file('/etc/passwd'), 'leads out'),
        (_file('./../x'), 'leads out'),
        (_file('a' * 600), 'too long'),
        (_special('x', tarfile.SYMTYPE, '/etc/passwd'), 'no regular'),
        (_special('x', tarfile.LNKTYPE, 'etc/passwd'), 'no regular'),
        (_special('x', tarfile.CHRTYPE), 'no regular'),
        (_special('x', tarfile.BLKTYPE), 'no regular'),
        (_special('x', tarfile.FIFOTYPE), 'no regular'),
        (_special('x', tarfile.CONTTYPE), ''),
    ],
)
def test_a_hostile_member_makes_all_refused(
    tmp_path: Path, fill: Fill, why: str
) -> None:
    path = _archive(tmp_path, _file('proc/cmdline'), fill)
    if not why:
        # A "contiguous" file is a regular one.
        read_archive(path)
        return
    with pytest.raises(HostError, match=why):
        read_archive(path)


def test_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = _archive(tmp_path, _file('proc/x'), _file('./proc//x'))
    with pytest.raises(HostError, match='twice'):
        read_archive(path)


def test_a_sparse_file_is_refused(tmp_path: Path) -> None:
    def fill(tar: tarfile.TarFile) -> None:
        member = tarfile.TarInfo('big')
        member.pax_headers = {
            'GNU.sparse.map': '0,1',
            'GNU.sparse.size': str(1 << 40),
        }
        member.size = 1
        tar.addfile(member, io.BytesIO(b'x'))

    with pytest.raises(HostError, match='no regular'):
        read_archive(_archive(tmp_path, fill))


def test_too_many_members_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, 'MAX_MEMBERS', 3)
    fills = [_file(f'proc/{n}') for n in range(4)]
    with pytest.raises(HostError, match='more than 3 entries'):
        read_archive(_archive(tmp_path, *fills))
    read_archive(_archive(tmp_path, *fills[:3]))


def test_a_member_that_is_too_long_is_refused(tmp_path: Path) -> None:
    """Its header tells: nothing of it is unpacked."""
    target = tmp_path / 'host.tar.gz'
    member = tarfile.TarInfo('proc/long')
    member.size = archive.MAX_FILE_BYTES + 1
    target.write_bytes(gzip.compress(member.tobuf()))
    with pytest.raises(HostError, match=r'proc/long.* bytes'):
        read_archive(target)


def test_a_bomb_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, 'MAX_BYTES', 1 << 16)
    fills = [_file(f'proc/{n}', bytes(1 << 14)) for n in range(8)]
    with pytest.raises(HostError, match='unpacks to over 65536'):
        read_archive(_archive(tmp_path, *fills))


def test_a_header_that_is_a_bomb_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long name is read into memory before anybody sees its length."""
    monkeypatch.setattr(archive, 'MAX_BYTES', 1 << 16)
    header = tarfile.TarInfo('././@LongLink')
    header.type = tarfile.GNUTYPE_LONGNAME
    header.size = 1 << 30
    target = tmp_path / 'host.tar.gz'
    target.write_bytes(gzip.compress(header.tobuf() + bytes(1 << 20)))
    with pytest.raises(HostError, match='unpacks to over'):
        read_archive(target)


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'no archive',
        gzip.compress(b'no archive, but packed' * 100),
        gzip.compress(bytes(10240))[:-12],
        gzip.compress(b'x' * 5000)[:20],
    ],
    # What gzip writes holds the time.
    ids=['empty', 'text', 'packed text', 'cut off', 'cut off early'],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    target = tmp_path / 'host.tar.gz'
    target.write_bytes(content)
    with pytest.raises(HostError) as caught:
        read_archive(target)
    assert 'rtvirt host snapshot' in caught.value.hint


def _report(path: Path, *fills: Fill, kind: str = 'xz') -> Path:
    target = path / f'sosreport-compute7.tar.{kind}'
    with tarfile.open(target, f'w:{kind}') as tar:  # type: ignore[call-overload]
        for fill in fills:
            fill(tar)
    return target


@pytest.mark.parametrize('kind', ['xz', 'gz'])
def test_a_report_is_read_without_its_links(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, 'MAX_FILE_BYTES', 100)
    top = 'sosreport-compute7-2026-01-01'
    tree = read_archive(
        _report(
            tmp_path,
            _special(top, tarfile.DIRTYPE),
            _file(f'{top}/proc/cmdline', b'quiet\n'),
            _special(f'{top}/uname', tarfile.SYMTYPE, '/etc/passwd'),
            _file(f'{top}/var/log/messages', b'x' * 101),
            _file(f'{top}/sos_commands/kernel/uname_-a', b'Linux\n'),
            kind=kind,
        )
    )
    assert tree.names('/') == ('proc', 'sos_commands', 'var')
    assert tree.read('/proc/cmdline') == b'quiet\n'
    log = tree.read('/var/log/messages')
    assert isinstance(log, Missing)
    assert not log.is_absent


@pytest.mark.parametrize(
    ('fill', 'why'),
    [
        (_file('sosreport-x/../../etc/passwd'), 'leads out'),
        (_special('sosreport-x/y', tarfile.LNKTYPE, 'proc/x'), 'no regular'),
        (_special('sosreport-x/y', tarfile.CHRTYPE), 'no regular'),
        (_special('y', tarfile.SYMTYPE, '/etc/passwd'), 'no regular'),
        (_file('sosreport-y/proc/x'), 'twice'),
    ],
)
def test_a_report_has_no_more_rights(
    tmp_path: Path, fill: Fill, why: str
) -> None:
    path = _report(tmp_path, _file('sosreport-x/proc/x'), fill)
    with pytest.raises(HostError, match=why):
        read_archive(path)


def test_an_xz_bomb_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, 'MAX_BYTES', 1 << 16)
    path = _report(tmp_path, _file('sosreport-x/a', bytes(1 << 20)))
    assert path.stat().st_size < 1 << 12
    with pytest.raises(HostError, match='unpacks to over'):
        read_archive(path)


def test_an_xz_that_wants_much_memory_is_refused(tmp_path: Path) -> None:
    # The dictionary's size is a claim in the header, with a sum over it.
    packed = lzma.compress(b'x', preset=0)
    length = 4 * (packed[12] + 1)
    header = bytearray(packed[12 : 12 + length - 4])
    header[header.index(b'\x21\x01') + 2] = 40
    total = zlib.crc32(header).to_bytes(4, 'little')
    path = tmp_path / 'host.tar.xz'
    path.write_bytes(packed[:12] + header + total + packed[12 + length :])
    with pytest.raises(HostError, match=r'[Mm]emory'):
        read_archive(path)


@pytest.mark.parametrize('length', [3, 40])
def test_an_xz_that_is_cut_off_is_refused(tmp_path: Path, length: int) -> None:
    path = _report(tmp_path, _file('sosreport-x/a', b'x' * 5000))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(HostError, match='cannot be read as a snapshot'):
        read_archive(path)

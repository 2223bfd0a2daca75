# SPDX-License-Identifier: Apache-2.0
"""Many hosts from one directory, or from one file with a host a line."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from typing import Final

from rtvirt.exception import HostError
from rtvirt.exception import RTVirtError
from rtvirt.host.source import parse_host
from rtvirt.host.source import read_host
from rtvirt.host.source import with_name
from rtvirt.model.host import HostTopology

MAX_LINE: Final = 1 << 22
_READABLE: Final = 'name files that you may read'
"""The longest line in bytes: ten times a host of 512 pCPUs."""

Reader = Callable[[str], HostTopology]
Dealer = Callable[[HostTopology], HostTopology]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One host of an inventory, or why it cannot be read.

    :ivar where: the file, and the line where it has many.
    :ivar host: None where it cannot be read.
    :ivar problem: why not, in a sentence.
    :ivar progress: bytes of a file, or files of a directory, read so far.
    """

    where: str
    host: HostTopology | None = None
    problem: str = ''
    progress: int = 0


class Inventory:
    """A source of hosts that is read as it is asked for them.

    :param path: a file with a host a line, as JSON of
        :meth:`HostTopology.to_dict` (``rtvirt host show -f json``), or a
        directory, each file or folder of which describes a host.
    :param read: reads what a name in the directory describes.
    :param deal: deals the pCPUs of a host out that JSON describes.
    :raises HostError: if there is nothing of that name.
    """

    def __init__(
        self,
        path: str,
        read: Reader = read_host,
        deal: Dealer = lambda host: host,
    ) -> None:
        self._path = Path(path)
        self._read = read
        self._deal = deal
        try:
            self._is_directory = self._path.is_dir()
            if self._is_directory:
                self._names = sorted(
                    name
                    for name in self._path.iterdir()
                    if not name.name.startswith('.')
                )
                self.total = len(self._names)
            else:
                self.total = self._path.stat().st_size
        except (OSError, ValueError) as error:
            why = getattr(error, 'strerror', None) or str(error)
            raise HostError(
                f'the hosts cannot be read from {path!r}: {why}',
                hint='name a directory with a file a host, or a file with a '
                'line a host',
            ) from None

    def __iter__(self) -> Iterator[Entry]:
        """Yield the hosts one by one, and what is wrong with the others.

        :raises HostError: if the file or the directory itself fails.
        """
        if self._is_directory:
            return self._iter_directory()
        return self._iter_lines()

    def _iter_directory(self) -> Iterator[Entry]:
        for number, name in enumerate(self._names, start=1):
            try:
                host = self._read_name(name)
            except RTVirtError as error:
                yield Entry(
                    where=str(name),
                    problem=str(error).removeprefix(f'{name}: '),
                    progress=number,
                )
            else:
                yield Entry(where=str(name), host=host, progress=number)

    def _read_name(self, name: Path) -> HostTopology:
        if name.suffix != '.json':
            return self._read(str(name))
        try:
            with name.open('rb') as file:
                host = self._deal(_parse(file.read(MAX_LINE + 1)))
        except OSError as error:
            raise HostError(
                f'{name}: {error.strerror}', hint=_READABLE
            ) from None
        return with_name(host, name.stem)

    def _iter_lines(self) -> Iterator[Entry]:
        try:
            with self._path.open('rb') as file:
                yield from self._parse_lines(file)
        except OSError as error:
            raise HostError(
                f'{self._path}: {error.strerror}', hint=_READABLE
            ) from None

    def _parse_lines(self, file: BinaryIO) -> Iterator[Entry]:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            where = f'{self._path}:{number}'
            if line.isspace():
                continue
            if len(line) > MAX_LINE:
                _skip_line(file)
            try:
                host = with_name(self._deal(_parse(line)), f'line {number}')
            except RTVirtError as error:
                yield Entry(
                    where=where, problem=str(error), progress=file.tell()
                )
            else:
                yield Entry(where=where, host=host, progress=file.tell())


def _parse(text: bytes) -> HostTopology:
    if len(text) > MAX_LINE:
        raise HostError(
            f'it is longer than {MAX_LINE >> 20} MiB',
            hint='a host of 1024 pCPUs takes some 100 KiB: look whether it '
            'is the right file',
        )
    return parse_host(text)


def _skip_line(file: BinaryIO) -> None:
    while (rest := file.readline(MAX_LINE)) and not rest.endswith(b'\n'):
        pass

# SPDX-License-Identifier: Apache-2.0
"""Take a host's files along, so that it can be looked at elsewhere."""

from __future__ import annotations

import gzip
import io
import os
import re
import tarfile
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from rtvirt.exception import HostError
from rtvirt.host.facts.manifest import MANIFEST
from rtvirt.host.facts.manifest import Manifest
from rtvirt.host.facts.read import read_tree
from rtvirt.host.facts.tree import LIMIT
from rtvirt.host.facts.tree import MappingTree
from rtvirt.host.facts.tree import Tree
from rtvirt.host.redact import kept
from rtvirt.model.facts.missing import Missing
from rtvirt.model.frozendict import FrozenDict

_NUMBER: Final = re.compile(r'\d+')


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The files that the readers of a host use, without secrets.

    :ivar files: what is kept of each, by path.
    :ivar manifest: what files cannot tell.
    :ivar reduced: files of which only some lines are kept.
    :ivar left_out: files that were read and are not kept.
    """

    files: Mapping[str, bytes]
    manifest: Manifest
    reduced: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def patterns(self) -> tuple[tuple[str, int], ...]:
        """Return the paths, numbers replaced by N, with how many there are.

        A host has thousands of files that differ in a number alone.
        """
        counts = Counter(_NUMBER.sub('N', path) for path in self.files)
        return tuple(sorted(counts.items()))


def take_snapshot(tree: Tree) -> Snapshot:
    """Read a host's facts and keep the files that it took."""
    recorder = _Recorder(tree)
    read_tree(recorder)
    return recorder.snapshot()


class _Recorder:
    """A tree that notes down what is asked of another one."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._files: dict[str, bytes] = {}
        self._missing: dict[str, Missing] = {}
        self._names: dict[str, tuple[str, ...]] = {}

    def read(self, path: str, limit: int = LIMIT) -> bytes | Missing:
        """Return what a file holds."""
        content = self._tree.read(path, limit)
        if isinstance(content, bytes):
            self._files[path] = content
        elif not content.is_absent:
            self._missing[path] = content
        return content

    def names(self, path: str) -> tuple[str, ...]:
        """Return the entries of a directory, sorted."""
        names = self._tree.names(path)
        self._names[path] = names
        return names

    def snapshot(self) -> Snapshot:
        """Return what was asked for, without secrets."""
        files, reduced, left_out = {}, [], []
        for path, content in sorted(self._files.items()):
            rest = kept(path, content)
            if rest is None:
                left_out.append(path)
                continue
            files[path] = rest
            if rest != content:
                reduced.append(path)
        shown = MappingTree(dict(files))
        return Snapshot(
            files=FrozenDict(files),
            manifest=Manifest(
                missing=tuple(self._missing.values()),
                names=FrozenDict(
                    {
                        path: names
                        for path, names in sorted(self._names.items())
                        if shown.names(path) != names
                    }
                ),
            ),
            reduced=tuple(reduced),
            left_out=tuple(left_out),
        )


def write_snapshot(snapshot: Snapshot, path: str | os.PathLike[str]) -> None:
    """Write a snapshot as a ``.tar.gz`` that only its owner may read.

    The same snapshot gives the same bytes. What was at ``path`` is
    replaced once all of the new archive is written.

    :raises HostError: if it cannot be written.
    """
    target = Path(path)
    try:
        with NamedTemporaryFile(
            dir=target.parent, prefix=f'.{target.name}.', delete=False
        ) as file:
            try:
                file.write(pack(snapshot))
                file.close()
                Path(file.name).replace(target)
            except BaseException:
                with suppress(FileNotFoundError):
                    Path(file.name).unlink()
                raise
    except OSError as error:
        raise HostError(
            f'{os.fspath(path)!r} cannot be written: {error.strerror}',
            hint='name a file in a directory that you may write to',
        ) from error


def pack(snapshot: Snapshot) -> bytes:
    """Return the archive of a snapshot."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode='wb', mtime=0) as stream,
        tarfile.open(
            fileobj=stream, mode='w', format=tarfile.PAX_FORMAT
        ) as tar,
    ):
        contents = {MANIFEST: snapshot.manifest.to_json(), **snapshot.files}
        for path, content in contents.items():
            member = tarfile.TarInfo(path.lstrip('/'))
            member.size = len(content)
            member.mode = 0o644
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()

# SPDX-License-Identifier: Apache-2.0
"""What a snapshot tells beside files: what was not to be read.

An archive cannot hold a file that was there and could not be read, nor a
directory's entries that were only looked at (sockets, links). Its manifest
does, so that facts read of a snapshot equal those read of the host.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rtvirt.exception import HostError
from rtvirt.exception import ModelError
from rtvirt.host.facts.tree import LIMIT
from rtvirt.host.facts.tree import Tree
from rtvirt.model.facts.missing import Missing
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.plain import dump
from rtvirt.model.plain import load

MANIFEST: Final = '/rtvirt-snapshot.json'
SCHEMA_VERSION: Final = 1
_LIMIT: Final = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a snapshot has beside its files.

    :ivar missing: the files that were there and could not be read.
    :ivar names: the entries of directories that its files do not show.
    """

    missing: tuple[Missing, ...] = ()
    names: Mapping[str, tuple[str, ...]] = FrozenDict()

    def to_json(self) -> bytes:
        """Return the manifest as it stands in the archive."""
        plain = {'schema_version': SCHEMA_VERSION, **dump(self)}
        return json.dumps(plain, indent=1, sort_keys=True).encode() + b'\n'

    @classmethod
    def from_json(cls, content: bytes) -> Manifest:
        """Read what :meth:`to_json` wrote.

        :raises HostError: if it is no manifest of this version.
        """
        try:
            return load(
                cls, json.loads(content), schema_version=SCHEMA_VERSION
            )
        except (ValueError, RecursionError) as error:
            hint = error.hint if isinstance(error, ModelError) else ''
            raise HostError(
                f'the snapshot\'s {MANIFEST} is broken: {error}',
                hint=hint or 'take the snapshot again',
            ) from error


class SnapshotTree:
    """Files with the manifest that came with them."""

    def __init__(self, tree: Tree, manifest: Manifest) -> None:
        self._tree = tree
        self._missing = {item.path: item for item in manifest.missing}
        self._names = manifest.names

    def read(self, path: str, limit: int = LIMIT) -> bytes | Missing:
        """Return what a file holds."""
        return self._missing.get(path) or self._tree.read(path, limit)

    def names(self, path: str) -> tuple[str, ...]:
        """Return the entries of a directory, sorted."""
        known = self._names.get(path)
        return self._tree.names(path) if known is None else known


def with_manifest(tree: Tree) -> Tree:
    """Return the tree with its manifest, if it has one.

    :raises HostError: if the manifest is broken.
    """
    content = tree.read(MANIFEST, _LIMIT)
    if isinstance(content, Missing):
        if content.is_absent:
            return tree
        raise HostError(
            f'the snapshot\'s {MANIFEST} is {content}',
            hint='take the snapshot again',
        )
    return SnapshotTree(tree, Manifest.from_json(content))

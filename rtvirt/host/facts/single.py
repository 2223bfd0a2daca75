# SPDX-License-Identifier: Apache-2.0
"""Facts that one file holds each."""

from __future__ import annotations

import dataclasses
from typing import Any

from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_value


def read_fields(tree: Tree, cls: type[Any]) -> dict[str, Any]:
    """Return a value for each field of ``cls`` that names its parser."""
    return {
        item.name: read_value(
            tree, item.metadata['path'], item.metadata['parse']
        )
        for item in dataclasses.fields(cls)
        if item.metadata.get('parse') is not None
    }

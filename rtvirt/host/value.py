# SPDX-License-Identifier: Apache-2.0
"""Values of kernel files for readers that do not tell of what is missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from rtvirt.exception import HostError
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_value
from rtvirt.model.facts.missing import Missing

T = TypeVar('T')


def value_of(
    tree: Tree, path: str, parse: Callable[[str], T], default: T
) -> T:
    """Return the value of a file; ``default`` where there is no such file.

    :raises HostError: if the file cannot be read or holds nonsense.
    """
    value = read_value(tree, path, parse)
    if not isinstance(value, Missing):
        return value
    if value.is_absent:
        return default
    raise HostError(
        f'{path} cannot be used: it is {value}',
        hint='read the host as root, or take its snapshot again as root',
    )


def numbered(tree: Tree, path: str, prefix: str) -> list[int]:
    """Return the numbers of the entries named ``prefix`` and a number."""
    pattern = re.compile(rf'{re.escape(prefix)}([0-9]{{1,9}})')
    found = (pattern.fullmatch(name) for name in tree.names(path))
    return sorted(int(match[1]) for match in found if match)

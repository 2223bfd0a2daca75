# SPDX-License-Identifier: Apache-2.0
"""Functions made from text, as dataclasses makes ``__init__``.

A domain of four vCPUs has some two hundred fields, most of them unset.
Walking over them by name takes longer than writing those that are set; a
function that names each field writes a document in half the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Program:
    """The lines of one function, and the values that they name."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._values: dict[str, Any] = {}

    def name(self, value: Any) -> str:
        """Return a name that stands for ``value`` in the lines."""
        name = f'_{len(self._values)}'
        self._values[name] = value
        return name

    def written(self, write: Callable[[Any], str], item: str) -> str:
        """Return what writes ``item`` inside an f-string."""
        if write is str:
            return f'{{{item}}}'
        return f'{{{self.name(write)}({item})}}'

    def unlike(self, item: str, default: Any) -> str:
        """Return what tells whether ``item`` differs from ``default``."""
        if default is None:
            return f'{item} is not None'
        # What is unset is most often the very default: that is told first.
        name = self.name(default)
        return f'{item} is not {name} and {item} != {name}'

    def add(self, *lines: str, depth: int = 1) -> None:
        """Add lines, indented by so many steps."""
        self._lines.extend('    ' * depth + line for line in lines)

    def compile(self, name: str, arguments: str) -> Callable[..., Any]:
        """Return the function.

        :param name: shown in tracebacks.
        """
        source = '\n'.join([f'def {name}({arguments}):', *self._lines])
        exec(compile(source, f'<{name}>', 'exec'), self._values)  # noqa: S102
        made: Callable[..., Any] = self._values[name]
        return made

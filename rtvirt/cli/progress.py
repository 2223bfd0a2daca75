# SPDX-License-Identifier: Apache-2.0
"""A progress bar, where there is a person to look at it."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Any
from typing import Self
from typing import TextIO


class TerminalBar:
    """A bar on a terminal; nothing at all elsewhere.

    :param stream: standard error.
    :param label: what is going on.
    :param total: where it ends.
    :param columns: makes the bar's columns; rich's own where None. It is
        called on a terminal only: rich takes a tenth of a second to import.
    :param fields: what the columns show at first.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        label: str,
        total: int,
        columns: Callable[[], tuple[Any, ...]] | None = None,
        **fields: object,
    ) -> None:
        self._bar: Any = None
        self._task: Any = None
        if stream.isatty() and os.environ.get('TERM', 'dumb') != 'dumb':
            from rich.console import Console  # noqa: PLC0415
            from rich.progress import Progress as Bar  # noqa: PLC0415

            self._bar = Bar(
                *(columns() if columns else ()),
                console=Console(file=stream),
                transient=True,
            )
            self._task = self._bar.add_task(label, total=total, **fields)

    def _update(self, **changed: object) -> None:
        if self._bar is not None:
            self._bar.update(self._task, **changed)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


class Progress(TerminalBar):
    """How many hosts have been read.

    :param total: of all there are.
    :param stream: standard error.
    """

    def __init__(self, total: int, stream: TextIO) -> None:
        super().__init__(stream, label='reading hosts', total=total)

    def advance_to(self, done: int) -> None:
        """Show that so much is done."""
        self._update(completed=done)

# SPDX-License-Identifier: Apache-2.0
"""A progress bar, where there is a person to look at it."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any
from typing import Self
from typing import TextIO


class Progress:
    """A bar on a terminal; nothing at all elsewhere.

    :param total: where it ends.
    :param stream: standard error.
    """

    def __init__(self, total: int, stream: TextIO) -> None:
        self._bar: Any = None
        self._task: Any = None
        if stream.isatty() and os.environ.get('TERM', 'dumb') != 'dumb':
            # rich takes a tenth of a second to import.
            from rich.console import Console  # noqa: PLC0415
            from rich.progress import Progress as Bar  # noqa: PLC0415

            console = Console(file=stream)
            self._bar = Bar(console=console, transient=True)
            self._task = self._bar.add_task('reading hosts', total=total)

    def advance_to(self, done: int) -> None:
        """Show that so much is done."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done)

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

# SPDX-License-Identifier: Apache-2.0
"""How far a measurement is, where there is a person to look at it."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any
from typing import Self
from typing import TextIO


class LatencyProgress:
    """A bar with the time left and the largest latency so far.

    :param duration_s: how long it takes.
    :param stream: standard error.
    """

    def __init__(self, duration_s: int, stream: TextIO) -> None:
        self._bar: Any = None
        self._task: Any = None
        if stream.isatty() and os.environ.get('TERM', 'dumb') != 'dumb':
            # rich takes a tenth of a second to import.
            from rich.console import Console  # noqa: PLC0415
            from rich.progress import BarColumn  # noqa: PLC0415
            from rich.progress import Progress  # noqa: PLC0415
            from rich.progress import TextColumn  # noqa: PLC0415
            from rich.progress import TimeRemainingColumn  # noqa: PLC0415

            self._bar = Progress(
                TextColumn('measuring'),
                BarColumn(),
                TextColumn('{task.percentage:>3.0f} %'),
                TimeRemainingColumn(compact=True),
                TextColumn('left; maximum {task.fields[maximum]}'),
                console=Console(file=stream),
                transient=True,
            )
            self._task = self._bar.add_task(
                '', total=duration_s, maximum='not known yet'
            )

    def show(self, seconds: float, maximum: int | None) -> None:
        """Show that so many seconds are over."""
        if self._bar is not None:
            self._bar.update(self._task, completed=seconds)
            if maximum is not None:
                self._bar.update(self._task, maximum=f'{maximum} us')

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

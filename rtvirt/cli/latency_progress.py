# SPDX-License-Identifier: Apache-2.0
"""How far a measurement is, where there is a person to look at it."""

from __future__ import annotations

from typing import Any
from typing import TextIO

from rtvirt.cli.progress import TerminalBar


class LatencyProgress(TerminalBar):
    """A bar with the time left and the largest latency so far.

    :param duration_s: how long it takes.
    :param stream: standard error.
    """

    def __init__(self, duration_s: int, stream: TextIO) -> None:
        super().__init__(
            stream,
            label='',
            total=duration_s,
            columns=_columns,
            maximum='not known yet',
        )

    def show(self, seconds: float, maximum: int | None) -> None:
        """Show that so many seconds are over."""
        self._update(completed=seconds)
        if maximum is not None:
            self._update(maximum=f'{maximum} us')


def _columns() -> tuple[Any, ...]:
    from rich.progress import BarColumn  # noqa: PLC0415
    from rich.progress import TextColumn  # noqa: PLC0415
    from rich.progress import TimeRemainingColumn  # noqa: PLC0415

    return (
        TextColumn('measuring'),
        BarColumn(),
        TextColumn('{task.percentage:>3.0f} %'),
        TimeRemainingColumn(compact=True),
        TextColumn('left; maximum {task.fields[maximum]}'),
    )

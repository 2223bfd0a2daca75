# SPDX-License-Identifier: Apache-2.0
"""What the demo looks like: headings, commands, notes and the last table."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Final
from typing import TextIO

_STYLES: Final = {
    'heading': '1;36',
    'command': '1',
    'note': '33',
    'good': '32',
    'star': '1;32',
    'bad': '1;31',
    'faint': '2',
}
_WIDTH: Final = 79


class Screen:
    """Writes to a stream; coloured where it is a terminal that wants to be.

    :param stream: where to write; standard output without it.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._coloured = (
            self._stream.isatty()
            and not os.environ.get('NO_COLOR')
            and os.environ.get('TERM', 'dumb') != 'dumb'
        )
        self._steps = 0

    def styled(self, text: str, style: str) -> str:
        """Return the text in one of the styles."""
        if not self._coloured or not style:
            return text
        return f'\033[{_STYLES[style]}m{text}\033[0m'

    def say(self, text: str = '', style: str = '') -> None:
        """Write a line."""
        self._stream.write(f'{self.styled(text, style)}\n')
        self._stream.flush()

    def step(self, title: str) -> None:
        """Begin a part of the story."""
        self._steps += 1
        rule = '-' * (_WIDTH - len(title) - 4)
        self.say()
        self.say(f'{self._steps}  {title} {rule}', 'heading')

    def command(self, *words: str) -> None:
        """Show what a person would type."""
        self.say(f'$ {" ".join(words)}', 'command')

    def note(self, text: str) -> None:
        """Tell what is special about this machine."""
        for line in textwrap.wrap(
            text, _WIDTH, initial_indent='  * ', subsequent_indent='    '
        ):
            self.say(line, 'note')

    def table(
        self, heading: Sequence[str], rows: Sequence[tuple[Sequence[str], str]]
    ) -> None:
        """Write rows in columns, each in its style."""
        every = [(heading, 'faint'), *rows]
        columns = zip(*(cells for cells, _ in every), strict=True)
        widths = [max(map(len, column)) for column in columns]
        for cells, style in every:
            line = '  '.join(map(str.ljust, cells, widths))
            self.say(f'  {line}'.rstrip(), style)

    def document(self, text: str, mark: Sequence[str]) -> None:
        """Write a document, the lines that begin with a mark standing out.

        On a terminal a line that would wrap is cut off.
        """
        width = shutil.get_terminal_size().columns
        for line in text.rstrip('\n').split('\n'):
            marked = line.lstrip().startswith(tuple(mark))
            if len(line) > width and self._stream.isatty():
                line = f'{line[: width - 4]} ...'  # noqa: PLW2901
            self.say(line, 'star' if marked else 'faint')

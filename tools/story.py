# SPDX-License-Identifier: Apache-2.0
"""A story that is told by doing it: parts, notes, and what must be true."""

from __future__ import annotations

import time

from rtvirt.demo.screen import Screen
from rtvirt.exception import RTVirtError


class StoryError(RTVirtError):
    """Something did not come out as the story tells it."""

    code = 'story'


class Story:
    """Tells on a screen what is done, and how it came out."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._began = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the story began."""
        return time.monotonic() - self._began

    def step(self, title: str) -> None:
        """Begin a part."""
        self.screen.step(title)

    def note(self, text: str) -> None:
        """Say what is special here, or done unseen."""
        self.screen.note(text)

    def expect(self, what: str, wanted: object, found: object) -> None:
        """Say that something is as it has to be.

        :raises StoryError: if it is not.
        """
        if wanted != found:
            raise StoryError(f'{what}: expected {wanted}, found {found}')
        self.screen.say(f'{what}: {_say(found)}', 'good')

    def expect_end(self, line: str, wanted: int, found: int) -> None:
        """Go on if a command has ended as it was to.

        :raises StoryError: if it has not.
        """
        if wanted != found:
            raise StoryError(
                f'{line!r} ended with exit code {found}, and was expected '
                f'to end with {wanted}'
            )


def _say(value: object) -> str:
    if isinstance(value, list | tuple):
        return ', '.join(map(str, value))
    return str(value)

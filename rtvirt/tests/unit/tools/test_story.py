# SPDX-License-Identifier: Apache-2.0
"""A story ends where it is not true."""

import io

import pytest

from rtvirt.demo.screen import Screen
from tools.story import Story
from tools.story import StoryError


def test_what_is_as_it_has_to_be_is_said() -> None:
    stream = io.StringIO()
    Story(Screen(stream)).expect('masks', ['4', '8'], ['4', '8'])
    assert stream.getvalue() == 'masks: 4, 8\n'


def test_what_is_not_ends_the_story() -> None:
    story = Story(Screen(io.StringIO()))
    with pytest.raises(StoryError, match='masks: expected 4, found 8'):
        story.expect('masks', 4, '8')
    with pytest.raises(StoryError, match='ended with exit code 1'):
        story.expect_end('rtvirt plan', 4, 1)
    story.expect_end('rtvirt plan', 4, 4)

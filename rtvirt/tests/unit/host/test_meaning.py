# SPDX-License-Identifier: Apache-2.0
"""What libvirt and QEMU said, word for word, and what it means."""

import re

import pytest

from rtvirt.host import meaning
from rtvirt.host.meaning import explain_error
from rtvirt.tests.libvirt_messages import MESSAGES


@pytest.mark.parametrize(('message', 'means', 'way_out'), MESSAGES)
def test_a_message_becomes_a_line_with_a_way_out(
    message: str, means: str, way_out: str
) -> None:
    meant = explain_error(message)

    assert means in meant.text
    assert way_out in meant.hint
    assert '\n' not in meant.text + meant.hint
    assert not re.search(r'[{]\w*[}]', meant.text + meant.hint)
    # What libvirt said stays: it is what people search for.
    assert ' '.join(message.split())[-20:] in meant.text


def test_every_row_has_a_message_that_it_is_for() -> None:
    """And none hides another that stands below it."""
    used = {
        next(r for r in meaning._MEANINGS if r.pattern.search(m)).text
        for m in (' '.join(one.message.split()) for one in MESSAGES)
    }

    assert used == {row.text for row in meaning._MEANINGS}


@pytest.mark.parametrize(
    ('message', 'text'),
    [
        ('something else entirely', 'something else entirely'),
        ('two\nlines', 'two lines'),
        pytest.param(
            'internal error: process exited while connecting to monitor: '
            '2026-11-22T19:36:43.7Z /usr/bin/qemu-system-x86_64: oh {no}',
            'oh {no}',
        ),
        ('', ''),
    ],
)
def test_what_nobody_knows_stays_as_it_is(message: str, text: str) -> None:
    meant = explain_error(message)
    assert meant.text == text
    assert 'journalctl' in meant.hint
